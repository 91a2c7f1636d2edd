import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Experiments that our own pages and rules carry out: who sees what is noted there, and what is given is what was shown.
@Suite struct ShownHereTests {
    static func shop(_ app: AppHarness, _ settings: JSONValue = .object([])) async throws -> (program: String, anna: String) {
        let program = try await app.program(settings)
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "anna")
        return (program, anna)
    }

    static func start(_ app: AppHarness, _ program: String, _ kind: String, _ more: JSONValue) async throws -> String {
        var body: JSONValue = ["programId": .text(program), "name": .text(kind), "kind": .text(kind)]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await app.post("/experiments", body)["id"].text
    }

    /// Whose exposures are kept, by position.
    static func noted(_ app: AppHarness, _ experiment: String) async throws -> [Int] {
        try await app.installation.main.read { connection in try ExposureStore.all(of: ExperimentID(stored: experiment), on: connection).map(\.position) }
    }

    /// The friend's page is tried on browsers: each keeps its own, the sale that follows is theirs, and programs that fetch are not counted.
    @Test(arguments: Engine.allCases) func theFriendsPageIsTried(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await Self.shop(app)
            let experiment = try await Self.start(
                app, program, "landingPage",
                ["variants": [["name": "Plain"], ["name": "Cup", "content": ["headline": "A second cup <free>", "button": "To the beans", "other": "x"]]], "holdoutShare": "0.2"])
            var counts = (cup: 0, plain: 0)
            for number in 0..<40 {
                let browser = PageVisitor(app)
                let page = try await browser.get("/f/anna").text
                let hasCup = page.contains("A second cup &lt;free&gt;")
                #expect(hasCup == page.contains("To the beans"))
                if hasCup { counts.cup += 1 } else { counts.plain += 1 }
                // The same browser sees the same again, and clicks as who it is.
                #expect(try await browser.get("/f/ANNA").text.contains("A second cup") == hasCup)
                guard number % 4 == 0 else { continue }
                let click = try await browser.get("/r/anna")
                let place = click.headers[.location] ?? ""
                let id = place.components(separatedBy: "kith_click=").last?.prefix { $0 != "&" } ?? ""
                try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["clickId": .text(String(id))])
            }
            #expect(counts.cup > 5 && counts.plain > 5)
            #expect(try await !PageVisitor(app, agent: "WhatsApp/2.23.20.0").get("/f/anna").text.contains("A second cup"))
            let noted = try await Self.noted(app, experiment)
            #expect(noted.count == 40 && noted.filter { $0 == 1 }.count == counts.cup)
            try await app.moveClock(days: 1)
            let found = try await app.get("/experiments/\(experiment)")["analysis"]
            let all = found["variants"].list + [found["holdout"]]
            #expect(all.compactMap { $0["users"].integer }.reduce(0, +) == 40 && all.compactMap { $0["conversions"].integer }.reduce(0, +) == 10, "\(found)")
            #expect(found["sampleRatio"]["mismatched"] == 0 && found["sampleRatio"]["crossed"] == 0)
            // Concluded: everybody sees it, whoever asks, and nobody is noted any more.
            try await app.post("/experiments/\(experiment)/conclusion", ["variant": "Cup", "reason": "It sells"])
            let browser = PageVisitor(app)
            let page = try await browser.get("/f/anna")
            #expect(page.text.contains("A second cup") && page.headers[.setCookie] == nil)
            #expect(try await PageVisitor(app, agent: "WhatsApp/2.23.20.0").get("/f/anna").text.contains("A second cup"))
        }
    }

    @Test(arguments: Engine.allCases) func withoutCookiesNobodyIsTried(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await Self.shop(app, ["cookieless": true])
            let experiment = try await Self.start(
                app, program, "landingPage", ["variants": [["name": "Plain"], ["name": "Cup", "content": ["headline": "A second cup"]]]])
            for _ in 0..<8 {
                let page = try await PageVisitor(app).get("/f/anna")
                #expect(!page.text.contains("A second cup") && page.headers[.setCookie] == nil)
            }
            #expect(try await Self.noted(app, experiment).isEmpty)
        }
    }

    /// What a friend reads is what the sale gives, in each variant; the member who shares is the subject.
    @Test(arguments: Engine.allCases) func theOfferOfAVariantIsWhatIsGiven(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let experiment = try await Self.start(app, program, "rewardAmount", ["variants": [["name": "Five"], ["name": "Ten"]], "holdoutShare": "0"])
            for (name, amount) in [("Five", 500), ("Ten", 1_000)] as [(String, Int64)] {
                _ = try await app.rule(
                    program,
                    [
                        "name": .text(name), "for": "friend", "reward": ["kind": "credit", "amount": .integer(amount), "currency": "EUR"],
                        "conditions": ["field": "memberVariant", "op": "eq", "value": .text("\(experiment):\(name)")],
                    ])
            }
            var seen: Set<Int64> = []
            var before: [(code: String, amount: Int64)] = []
            for number in 0..<8 {
                let name = "member\(number)"
                let member = try await app.member(program, name)
                try await app.link(program, member, code: name)
                let variant = try await app.get("/experiments/\(experiment)/assignment?subject=\(member)")["variant"].text
                let amount: Int64 = variant == "Ten" ? 1_000 : 500
                seen.insert(amount)
                before.append((name, amount))
                let page = try await PageVisitor(app).get("/f/\(name)").text
                #expect(page.contains(amount == 500 ? "€5.00 credit" : "€10.00 credit") && !page.contains(amount == 500 ? "€10.00 credit" : "€5.00 credit"))
                let sale = try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": .text(name), "customerEmail": .text("f\(number)@friends.test")])
                #expect(AppHarness.amounts(sale) == [amount], "\(sale)")
            }
            #expect(seen.count == 2)
            // Shown where the member shares, and noted there once.
            let browser = MemberBrowser(app)
            try await browser.signIn("member0@members.test")
            for _ in 0..<2 { #expect(try await browser.page.get("/portal/share").status == 200) }
            #expect(try await Self.noted(app, experiment).count == 1)
            // Decided: from now on all get it, while a sale that happened before is judged as it was.
            app.clock.advance(ms: 60_000)
            let then = app.clock.now
            app.clock.advance(ms: 60_000)
            try await app.post("/experiments/\(experiment)/conclusion", ["variant": "Ten", "reason": "It sells"])
            app.clock.advance(ms: 60_000)
            let five = try #require(before.first { $0.amount == 500 }).code
            #expect(AppHarness.amounts(try await app.sale("new", "d-1", 5_000, ["code": .text(five), "customerEmail": "g1@friends.test"])) == [1_000])
            let late = try await app.sale("late", "d-2", 5_000, ["code": .text(five), "customerEmail": "g2@friends.test", "occurredAt": .text(then.rfc3339)])
            #expect(AppHarness.amounts(late) == [500])
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func membersShareTheSentenceTheyAreGiven(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            let experiment = try await Self.start(
                app, program, "shareText", ["variants": [["name": "Usual"], ["name": "Question", "content": ["text": "Do you drink coffee?"]]], "holdoutShare": "0"])
            let variant = try await app.get("/experiments/\(experiment)/assignment?subject=\(anna)")["variant"].text
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let page = try await browser.page.get("/portal/share").text
            #expect(page.contains("Do you drink coffee?") == (variant == "Question"))
            #expect(try await Self.noted(app, experiment) == [variant == "Question" ? 1 : 0])
            try await app.post("/experiments/\(experiment)/conclusion", ["variant": "Question", "reason": "It sells"])
            let after = try await browser.page.get("/portal/share").text
            #expect(after.contains("Do you drink coffee?") && after.contains("/r/anna"))
        }
    }

    /// A rule for one group is no offer to the friends of others.
    @Test(arguments: Engine.allCases) func aFriendReadsWhatTheSharersGroupGives(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await Self.shop(app)
            _ = try await app.rule(
                program,
                [
                    "name": "VIP", "for": "friend", "reward": ["kind": "credit", "amount": 2_000, "currency": "EUR"],
                    "conditions": ["field": "memberTier", "op": "gte", "value": 1],
                ])
            _ = try await app.rule(program, ["name": "All", "for": "friend", "reward": ["kind": "credit", "amount": 300, "currency": "EUR"]])
            let page = try await PageVisitor(app).get("/f/anna").text
            #expect(page.contains("€3.00 credit") && !page.contains("€20.00"))
        }
    }
}
