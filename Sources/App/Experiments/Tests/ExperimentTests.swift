import Chronology
import Foundation
import HTTPTypes
import Persistence
import Statistics
import TestSupport
import Testing
import Web

@testable import App

/// Experiments through the whole server: who gets what, who saw what, what came of it, what to do.
@Suite struct ExperimentTests {
    static func body(_ program: String, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = [
            "programId": .text(program), "name": "Ten or fifteen", "kind": "offer",
            "variants": [["name": "A"], ["name": "B", "content": ["headline": "Fifteen euros for you"]]],
        ]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    @Test(arguments: Engine.allCases) func everybodyGetsTheSameAlways(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let made = try await app.post("/experiments", Self.body(program, ["holdoutShare": "0.1", "variants": [["name": "A", "weight": 1], ["name": "B", "weight": 3]]]))
            let id = ExperimentID(stored: made["id"].text)
            #expect(made["state"].text == "running" && made["holdoutShare"].text == "0.1" && made["metric"].text == "conversion")
            let twin = app.twinID
            let found = try await app.installation.main.read { connection in try ExperimentStore.find(id, in: twin, on: connection) }
            let experiment = try #require(found)
            var counts: [ExperimentAssignment: Int] = [:]
            for number in 0..<20_000 { counts[experiment.assignment(of: "customer-\(number)"), default: 0] += 1 }
            #expect(abs((counts[.holdout] ?? 0) - 2_000) < 200 && abs((counts[.variant(0)] ?? 0) - 4_500) < 300 && abs((counts[.variant(1)] ?? 0) - 13_500) < 300, "\(counts)")
            let first = try await app.get("/experiments/\(id.text)/assignment?subject=customer-7")
            #expect(try await app.get("/experiments/\(id.text)/assignment?subject=customer-7") == first)
            #expect(first["variant"].text == experiment.name(of: experiment.assignment(of: "customer-7").position ?? 9))
            #expect(try await app.api(.get, "/experiments/\(id.text)/assignment").status == 422)
            #expect(try await app.api(.get, "/experiments/exp_00000000000000000000000000/assignment?subject=x").status == 404)
            #expect(try await app.get("/experiments?state=running")["data"].list.count == 1)
        }
    }

    /// Nobody is in two experiments of one layer, and a full layer says so.
    @Test(arguments: Engine.allCases) func layersKeepPeopleApart(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let one = try await app.post("/experiments", Self.body(program, ["layer": "page", "layerShare": "0.4"]))["id"].text
            let two = try await app.post("/experiments", Self.body(program, ["layer": "page", "layerShare": "0.6"]))["id"].text
            let full = try await app.api(.post, "/experiments", Self.body(program, ["layer": "page", "layerShare": "0.1"]))
            #expect(full.status == 422 && full.code == "layer_full")
            let twin = app.twinID
            let both = try await app.installation.main.read { connection in
                try [one, two].compactMap { try ExperimentStore.find(ExperimentID(stored: $0), in: twin, on: connection) }
            }
            for number in 0..<2_000 {
                let inside = both.filter { $0.assignment(of: "s\(number)") != .outside }
                #expect(inside.count == 1)
            }
            _ = try await app.post("/experiments/\(one)/stop", ["reason": "enough"])
            #expect(try await app.api(.post, "/experiments", Self.body(program, ["layer": "page", "layerShare": "0.4"])).status == 201)
        }
    }

    @Test(arguments: Engine.allCases) func badInputIsRefusedWithReasons(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for bad: JSONValue in [
                ["variants": [["name": "A"]]], ["variants": [["name": "A"], ["name": "A"]]], ["variants": [["name": "A"], ["name": "holdout"]]], ["kind": "colour"],
                ["holdoutShare": "0.6"], ["holdoutShare": -1], ["minimumEffect": "0"], ["layerShare": "0.5"], ["programId": "prog_00000000000000000000000000"],
                ["variants": [["name": "A", "weight": 0], ["name": "B"]]], ["variants": [["name": "A"], ["name": "B", "content": ["x": 3]]]], ["unknown": 1], ["metric": "joy"],
            ] {
                let refused = try await app.api(.post, "/experiments", Self.body(program, bad))
                #expect(refused.status == 422 && !refused.fields.isEmpty, "\(bad) \(refused.text)")
            }
            let id = try await app.post("/experiments", Self.body(program, ["draft": true]))["id"].text
            #expect(try await app.get("/experiments/\(id)/assignment?subject=x")["variant"] == .null)
            func expose(_ body: JSONValue) async throws -> Reply { try await app.api(.post, "/experiments/\(id)/exposures", body) }
            #expect(try await expose(["subject": "x", "variant": "A"]).status == 409)
            #expect(try await app.api(.post, "/experiments/\(id)/start").status == 200)
            #expect(try await app.api(.post, "/experiments/\(id)/start").code == "experiment_started")
            #expect(try await expose(["subject": "x", "variant": "C"]).fields == ["variant"])
            #expect(try await expose(["subject": "", "variant": "A"]).status == 422)
            #expect(try await expose(["subject": "x", "variant": "A", "occurredAt": "2031-01-01T00:00:00Z"]).fields == ["occurredAt"])
            let before = try AppHarness.start.adding(milliseconds: -86_400_000).rfc3339
            #expect(try await expose(["subject": "x", "variant": "A", "occurredAt": .text(before)]).fields == ["occurredAt"], "it had not begun")
            #expect(try await expose(["subject": "mem_00000000000000000000000000", "variant": "A"]).fields == ["subject"])
            #expect(try await expose(["subject": "x", "variant": "A"]).json["isNew"] == true)
            let again = try await expose(["subject": "x", "variant": "B"])
            #expect(again.json["isNew"] == false && again.json["variant"].text == "A")
            #expect(try await app.get("/experiments/\(id)")["analysis"]["sampleRatio"]["crossed"].integer == 1)
            #expect(try await app.api(.post, "/experiments/\(id)/conclusion", ["variant": "holdout", "reason": "r"]).status == 422)
            let ended = try await app.post("/experiments/\(id)/conclusion", ["variant": "B", "reason": "It is better."])
            #expect(ended["state"].text == "concluded" && ended["chosen"].text == "B")
            for number in 0..<20 {
                let gets = try await app.get("/experiments/\(id)/assignment?subject=s\(number)")
                #expect(gets["variant"].text == "B" && gets["content"]["headline"].text == "Fifteen euros for you" && gets["reason"].text == "concluded")
            }
            #expect(try await expose(["subject": "y", "variant": "A"]).code == "experiment_not_running")
            #expect(try await app.api(.post, "/experiments/\(id)/stop", .object([])).status == 409)
        }
    }

    /// A known effect is called rightly and none is not called, looked at on every day, through the whole server.
    @Test(arguments: Engine.allCases) func aKnownEffectIsCalledRightly(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var begun: [String: ExperimentID] = [:]
            for name in ["known", "none"] {
                let body = Self.body(program, ["name": .text(name), "holdoutShare": "0.2", "guards": ["refunds": "0.1", "fraud": "0.1"]])
                begun[name] = ExperimentID(stored: try await app.post("/experiments", body)["id"].text)
            }
            let ids = begun
            try await app.moveClock(days: 30)
            func run(_ name: String, rates: [Double], holdout: Double) async throws -> JSONValue {
                let id = try #require(ids[name])
                let twin = app.twinID
                let seen = try await app.installation.write(twin, actor: .command) { write in
                    var seen: [(subject: String, position: Int, at: Instant)] = []
                    let experiment = try Experiment.known(id, in: write)
                    for number in 0..<700 {
                        let subject = "\(name)-\(number)"
                        let position = try #require(experiment.assignment(of: subject).position)
                        let at = try AppHarness.start.adding(milliseconds: Int64(number) * 30 * 86_400_000 / 800)
                        let input = ExposureInput(subject: subject, variant: experiment.name(of: position), segment: number % 2 == 0 ? "DE" : "AT", at: at)
                        _ = try Experiment.expose(input, id, in: write)
                        seen.append((subject, position, at))
                    }
                    return seen
                }
                var seenOf = [0, 0, 0]
                for one in seen {
                    let place = one.position + 1
                    seenOf[place] += 1
                    let rate = one.position < 0 ? holdout : rates[one.position]
                    // Spread evenly, so that the figures are the rates themselves.
                    guard Int(Double(seenOf[place]) * rate) > Int(Double(seenOf[place] - 1) * rate) else { continue }
                    try await app.sale("inv-\(one.subject)", one.subject, 5_000, ["programId": .text(program), "occurredAt": .text(try one.at.adding(milliseconds: 3_600_000).rfc3339)])
                }
                return try await app.get("/experiments/\(id.text)")
            }
            let known = try await run("known", rates: [0.2, 0.5], holdout: 0.1)["analysis"]
            #expect(known["decision"].text == "use" && known["verdict"].text.hasPrefix("Use B"), "\(known["verdict"].text)")
            #expect(known["sampleRatio"]["alarm"] == false && known["sampleRatio"]["mismatched"].integer == 0)
            #expect(known["looks"].integer ?? 0 >= 25 && known["guards"].list.isEmpty == false)
            #expect(known["segments"].list.count == 2)
            #expect((known["holdout"]["interval"].list.first).map { String(decoding: $0.bytes, as: UTF8.self).hasPrefix("-") } == false)
            let none = try await run("none", rates: [0.2, 0.2], holdout: 0.2)["analysis"]
            #expect(["goOn", "noDifferenceWorth"].contains(none["decision"].text), "\(none["verdict"].text)")
            let stored = try await app.installation.main.read { connection in
                try connection.rows("SELECT subject_hash FROM experiment_exposure LIMIT 1").map { row -> [UInt8] in try row.get(at: 0) }
            }
            #expect(stored.first?.count == 32)
        }
    }

    /// Sales find their way to members who were exposed, and to browsers that were before anybody knew whose they are.
    @Test(arguments: Engine.allCases) func membersAndBrowsersAreSubjects(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let texts = try await app.post("/experiments", Self.body(program, ["kind": "shareText", "metric": "revenue"]))["id"].text
            let pages = try await app.post("/experiments", Self.body(program, ["kind": "landingPage"]))["id"].text
            _ = try await app.post("/experiments/\(texts)/exposures", ["subject": .text(anna), "variant": "A"])
            _ = try await app.post("/experiments/\(pages)/exposures", ["subject": "browser-1", "variant": "B"])
            let click = try await app.click("anna", visitor: "browser-1")
            try await app.sale("inv-1", "carl", 4_200, ["clickId": .text(click)])
            let ofMember = try await app.get("/experiments/\(texts)")["analysis"]["variants"].list
            #expect(ofMember[0]["conversions"].integer == 1 && String(decoding: ofMember[0]["mean"]?.bytes ?? [], as: UTF8.self) == "4200.0", "\(ofMember)")
            let ofBrowser = try await app.get("/experiments/\(pages)")["analysis"]["variants"].list
            #expect(ofBrowser[1]["conversions"].integer == 1 && ofBrowser[0]["users"].integer == 0)
            let found = try await app.installation.main.read { connection in
                try Experiment.variant(for: anna, kind: .shareText, program: ProgramID(stored: program), on: connection)
            }
            #expect(found?.experiment.id.text == texts)
        }
    }
}

/// Analyses of facts made by hand.
@Suite struct ExperimentAnalysisTests {
    static func experiment(_ metric: Experiment.Metric = .conversion) -> Experiment {
        Experiment(
            id: ExperimentID(stored: "exp_00000000000000000000000001"), workspaceID: WorkspaceID(stored: "ws_1"), programID: ProgramID(stored: "prog_1"), name: "Ten or fifteen",
            kind: .offer, metric: metric, holdoutPPM: 100_000, layer: "page", buckets: 0..<5_000, effectPPM: 100_000, guards: Experiment.Guards(costMinor: 500), state: .running,
            startedAt: AppHarness.start, createdAt: AppHarness.start, variants: [Experiment.Variant(name: "Ten", weight: 1), Experiment.Variant(name: "Fifteen", weight: 1)])
    }

    /// 1,200 people in three weeks: a fifth buys with control, two fifths with the variant, a twentieth of the held out; one in ten buyers sends all back.
    static func facts(refundedOfVariant: Int = 10) -> ExperimentFacts {
        var facts = ExperimentFacts()
        var buyers = 0
        for number in 0..<1_200 {
            let position = number % 10 == 9 ? -1 : number % 2
            let at = Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + Int64(number) * 21 * 86_400_000 / 1_200)
            let usual = Double(1_000 + number * 7_919 % 2_000)
            facts.subjects.append(ExperimentFacts.Subject(position: position, segment: number % 3 == 0 ? "AT" : "DE", at: at, before: usual))
            let buys = position < 0 ? number % 200 == 9 : position == 0 ? number / 2 % 5 == 0 : number / 2 % 5 < 2
            guard buys else { continue }
            buyers += 1
            let isBack = position == 1 ? buyers % 100 < refundedOfVariant : buyers % 10 == 0
            facts.outcomes.append(
                ExperimentFacts.Outcome(
                    subject: number, at: Instant(millisecondsSince1970: at.millisecondsSince1970 + 1_000), minor: Int64(2_000 + usual), refundedMinor: isBack ? Int64(2_000 + usual) : 0,
                    payMinor: position == 1 ? 450 : 400, isHeld: false))
        }
        return facts
    }

    private let end = Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + 21 * 86_400_000)

    @Test func aBrokenGuardStandsAgainstAWinner() throws {
        let good = ExperimentAnalysis(Self.experiment(), Self.facts(), now: end)
        #expect(good.course.tests[0]?.finding == .above && good.course.looks.count == 21)
        #expect(good.guards.map(\.guardMetric.name) == ["refunds", "fraud", "cost"])
        let bad = ExperimentAnalysis(Self.experiment(), Self.facts(refundedOfVariant: 60), now: end)
        #expect(bad.decision == .doNotDecide(.guardBroken(variant: "Fifteen", name: "refunds")), "\(bad.decision)")
        let gained = try #require(good.incrementality)
        #expect(gained.interval.lower > 0 && good.costEach != nil)
    }

    /// What was known before is taken out of what people spend, and the past never becomes a result.
    @Test func valuesAndPasts() throws {
        let analysis = ExperimentAnalysis(Self.experiment(.revenue), Self.facts(), now: end)
        let control = try #require(analysis.course.variants[0].counts("Ten")?.values)
        var sum = 0.0
        for outcome in Self.facts().outcomes where Self.facts().subjects[outcome.subject].position == 0 { sum += Double(outcome.minor) }
        #expect(abs(control.mean * Double(control.count) - sum) < 1e-6)
        #expect(analysis.course.tests[0]?.finding == .above)
    }

    /// What moves a fifth of its people for weeks and then hardly anybody is tired; what goes on as it was is not.
    @Test func whatHasLostItsPullIsSaid() throws {
        var facts = ExperimentFacts()
        let start = AppHarness.start.millisecondsSince1970
        for week in 0..<9 {
            for number in 0..<800 {
                let at = Instant(millisecondsSince1970: start + Int64(week) * ExperimentTiredness.weekMs + Int64(number) * 60_000)
                let position = number % 2
                facts.subjects.append(ExperimentFacts.Subject(position: position, segment: "", at: at, before: nil))
                let moves = position == 1 && week > 5 ? number / 2 % 20 == 0 : number / 2 % 5 == 0
                guard moves else { continue }
                facts.outcomes.append(
                    ExperimentFacts.Outcome(
                        subject: facts.subjects.count - 1, at: Instant(millisecondsSince1970: at.millisecondsSince1970 + 1_000), minor: 1_000, refundedMinor: 0, payMinor: 0,
                        isHeld: false))
            }
        }
        let experiment = Self.experiment()
        func tired(_ weeks: Int64) -> Set<Int> {
            ExperimentTiredness.tired(experiment, facts, until: Instant(millisecondsSince1970: start + weeks * ExperimentTiredness.weekMs))
        }
        // Two such weeks have their answer when a third is over.
        #expect(tired(9) == [1])
        #expect(tired(8).isEmpty && tired(5).isEmpty)
        #expect(ExperimentTiredness.tired(experiment, ExperimentFacts(), until: AppHarness.start).isEmpty)
    }

    /// Looks at the end of each day are a function of the facts: asked later, earlier days say the same.
    @Test func earlierDaysStayAsTheyWere() throws {
        let (facts, experiment) = (Self.facts(), Self.experiment())
        let early = Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + 10 * 86_400_000)
        let then = ExperimentCourse(experiment, facts, until: early)
        let later = ExperimentCourse(experiment, facts, until: end)
        #expect(then.looks.count == 10 && later.looks.prefix(10).map(\.variants) == then.looks.map(\.variants))
        #expect(later.looks.prefix(10).map(\.intervals) == then.looks.map(\.intervals))
        let nobody = ExperimentAnalysis(experiment, ExperimentFacts(), now: end)
        #expect(nobody.decision == .doNotDecide(.tooFew) && nobody.course.looks.isEmpty)
    }

    @Test func thePagesSample() throws {
        let language = try RuleSentenceTests.language()
        let program = Program(
            id: ProgramID(stored: "prog_1"), workspaceID: WorkspaceID(stored: "ws_1"), name: "Friends of Morgenrot", slug: "friends", currency: "EUR", zone: .utc,
            createdAt: AppHarness.start, version: 1, settings: ProgramSettings())
        let analysis = ExperimentAnalysis(Self.experiment(), Self.facts(), now: end)
        let steps = ["created", "started"].map { ExperimentStore.Step(kind: $0, variant: nil, reason: "", actor: "op_1", at: AppHarness.start) }
        let model = ExperimentModel(analysis: analysis, program: program, steps: steps, mayWrite: true, errors: [:], csrfToken: "proof", language: language)
        try SampleTests.check("Experiments/experiment-show", model.page, title: "Ten or fifteen", current: "/experiments")
    }
}
