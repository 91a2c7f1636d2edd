import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// How people go on: what is told of them beside plain loops over who came how and moved when, with a planted truth.
@Suite struct ProgressionTests {
    /// A small generator whose seed is printed when something differs.
    private struct Dice {
        var state: UInt64
        mutating func chance(_ percent: UInt64) -> Bool {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % 100 < percent
        }
        mutating func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    /// A prospect as the test made them: the plain truth beside the counts.
    private struct Prospect {
        var id: String
        var day: Int64
        var channel: String
        var device: String
        var boughtAfter: Int64?
        var askedAgain: Int64?
    }

    private static let dayMs: Int64 = 86_400_000

    private static func at(_ day: Int64) -> Instant { Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + day * dayMs) }

    /// Prospects of 120 days. On a phone half as many buy: that is the friction. The eager buy more often and ask again more often: asking
    /// again does nothing by itself.
    private static func prospects(_ count: Int, seed: UInt64) -> [Prospect] {
        var dice = Dice(state: seed)
        return (0..<count).map { number in
            let isPhone = dice.chance(50)
            let isEager = dice.chance(40)
            let buys = dice.chance(isPhone ? (isEager ? 30 : 10) : (isEager ? 60 : 25))
            return Prospect(
                id: "p\(number)", day: -Int64(dice.below(80)) - 100, channel: dice.chance(50) ? "mail" : "social", device: isPhone ? "phone" : "desktop",
                boughtAfter: buys ? Int64(dice.below(12)) + 15 : nil, askedAgain: dice.chance(isEager ? 70 : 20) ? Int64(dice.below(12)) + 1 : nil)
        }
    }

    private static func tell(_ all: [Prospect], _ app: AppHarness) async throws {
        let program = try #require(ProgramID(try await app.program(["holdDays": 0])))
        try await app.installation.write(app.twinID, actor: .system("test")) { write in
            for one in all {
                let customer = CustomerID(stored: "cus_" + one.id)
                let person = PersonID(stored: "per_" + one.id)
                try write.connection.execute("INSERT INTO person (id, workspace_id, key_id, created_at) VALUES (\(person), \(app.twinID), \("key_" + one.id), \(at(one.day)))")
                try write.connection.execute(
                    "INSERT INTO customer (id, workspace_id, person_id, created_at) VALUES (\(customer), \(app.twinID), \(person), \(at(one.day)))")
                func lead(_ name: String, _ instant: Instant) throws {
                    let id = "lea_\(one.id)\(name)"
                    try write.connection.execute(
                        """
                        INSERT INTO lead (id, workspace_id, program_id, customer_id, event_name, mode, counted_at, attribution, refusals, occurred_at, recorded_at)
                        VALUES (\(id), \(app.twinID), \(program), \(customer), \(name), 'wait', \(instant), '{}', '[]', \(instant), \(instant))
                        """)
                    var dimensions = Dimensions()
                    (dimensions.channel, dimensions.device) = (one.channel, one.device)
                    try DimensionStore.keep(dimensions, of: id, in: app.twinID, on: write.connection)
                }
                try lead("first", at(one.day))
                if let again = one.askedAgain { try lead("again", at(one.day + again)) }
                if let bought = one.boughtAfter {
                    try write.connection.execute(
                        """
                        INSERT INTO sale (id, workspace_id, program_id, customer_id, invoice_id, amount, currency, sale_number, coupon_used, items, facts_hash,
                            attribution, refusals, came_by, occurred_at, recorded_at)
                        VALUES (\("sal_" + one.id), \(app.twinID), \(program), \(customer), \("i" + one.id), 1000, 'EUR', 1, 0, '[]', \([UInt8](one.id.utf8)),
                            '{}', '[]', 'nobody',
                            \(at(one.day + bought)), \(at(one.day + bought)))
                        """)
                }
            }
        }
        try await app.installation.rebuildInsights()
    }

    /// The planted friction is found and named, what is no friction is not, and every figure is what a loop counts.
    @Test(arguments: Engine.allCases) func thePlantedFrictionIsFound(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let seed: UInt64 = 20_261_123
            let all = Self.prospects(1_200, seed: seed)
            try await Self.tell(all, app)
            let report = try await app.get("/insights/friction?from=2025-06-01&to=2026-01-01&horizonDays=30")
            let findings = report["findings"].list
            let phone = try #require(findings.first { $0["value"].text == "phone" }, "seed \(seed)")
            let came = all.filter { $0.device == "phone" }
            let moved = came.filter { ($0.boughtAfter ?? .max) <= 30 }
            #expect(phone["came"].integer == Int64(came.count) && phone["moved"].integer == Int64(moved.count), "seed \(seed)")
            #expect(phone["step"].text == "prospect" && phone["dimension"].text == "device" && phone["evidence"].text == "association")
            #expect(!findings.contains { $0["dimension"].text == "channel" }, "nothing was planted there; seed \(seed)")
            #expect(findings.first?["value"].text == "phone", "what costs most comes first")
        }
    }

    /// What comes before buying without being its cause is told as association, never as a cause.
    @Test(arguments: Engine.allCases) func whatOnlyGoesWithItIsNoCause(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let seed: UInt64 = 20_261_124
            let all = Self.prospects(1_200, seed: seed)
            try await Self.tell(all, app)
            let drivers = try await app.get("/insights/drivers?from=2025-06-01&to=2026-01-01")["drivers"].list
            let again = try #require(drivers.first { $0["act"].text == "leadAgain" }, "seed \(seed)")
            let landmark = DriverReport.landmarkDays
            let watched = all.filter { ($0.boughtAfter ?? .max) > landmark }
            let did = watched.filter { ($0.askedAgain ?? .max) <= landmark }
            #expect(again["didPeople"].integer == Int64(did.count), "seed \(seed)")
            #expect(again["didMoved"].integer == Int64(did.filter { ($0.boughtAfter ?? .max) <= landmark + DriverReport.horizonDays }.count))
            #expect(again["didNotPeople"].integer == Int64(watched.count - did.count))
            #expect(again["evidence"].text == "association")
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let page = try await owner.get("/insights/progression?days=365").text
            #expect(page.contains("Association") && page.contains("device phone") && !page.contains("causes"))
            let rows = try await owner.get("/insights/progression/people?step=prospect&dimension=device&value=phone&days=365").text
            let lost = all.filter { $0.device == "phone" && $0.boughtAfter == nil }.count
            #expect(rows.contains("<b>\(lost) people</b>"), "the rows behind the finding; seed \(seed)")
        }
    }

    /// The curve is Kaplan and Meier's, worked out here once more day by day.
    @Test(arguments: Engine.allCases) func theCurveIsTheProductOfItsDays(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let all = Self.prospects(200, seed: 7)
            try await Self.tell(all, app)
            let stages = try await app.get("/insights/survival?from=2025-06-01&to=2026-01-01")["stages"].list
            let prospects = try #require(stages.first { $0["stage"].text == "prospect" })
            #expect(prospects["people"].integer == Int64(all.count))
            let ends = all.map { one in (day: one.boughtAfter ?? -one.day, moved: one.boughtAfter != nil) }
            var share = 1.0
            var expected: [(Int64, Double)] = []
            for day in Set(ends.filter(\.moved).map(\.day)).sorted() {
                let atRisk = ends.filter { $0.day >= day }.count
                share *= 1 - Double(ends.filter { $0.day == day && $0.moved }.count) / Double(atRisk)
                expected.append((day, share))
            }
            let steps = prospects["steps"].list
            #expect(steps.count == expected.count)
            for (step, wanted) in zip(steps, expected) {
                #expect(step["day"].integer == wanted.0)
                guard case .number(let share) = step["share"] else {
                    Issue.record("a share is a number")
                    continue
                }
                #expect(abs((Double(share.token) ?? -1) - wanted.1) < 1e-9)
            }
        }
    }

    /// What a move cost is what was told for its stage, by those who moved; nothing is divided by nobody, and currencies stay apart.
    @Test(arguments: Engine.allCases) func spendIsByStage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await Self.tell(Self.prospects(60, seed: 9), app)
            let program = try await app.get("/programs")["data"].list.first?["id"] ?? ""
            for (stage, currency, amount) in [("customer", "EUR", 9_000), ("customer", "USD", 500), ("promoter", "EUR", 700)] {
                _ = try await app.post(
                    "/costs", ["programId": program, "channel": "paid", "stage": .text(stage), "date": "2025-11-20", "amount": .integer(Int64(amount)), "currency": .text(currency)])
            }
            let report = try await app.get("/insights/spend?from=2025-06-01&to=2026-01-01")
            let stages = report["stages"].list
            let moves = Self.prospects(60, seed: 9).filter { $0.boughtAfter != nil }.count
            let customer = try #require(stages.first { $0["stage"].text == "customer" && $0["currency"].text == "EUR" })
            #expect(customer["numerator"].integer == 9_000 && customer["denominator"].integer == Int64(moves))
            #expect(customer["value"].integer == Int64((9_000.0 / Double(moves)).rounded()))
            let promoter = try #require(stages.first { $0["stage"].text == "promoter" && $0["currency"].text == "EUR" })
            #expect(promoter["value"] == .null && !promoter["reason"].text.isEmpty)
            #expect(stages.first { $0["stage"].text == "customer" && $0["currency"].text == "USD" }?["numerator"].integer == 500)
        }
    }

    /// Nobody, a day, and words that are none.
    @Test(arguments: Engine.allCases) func nothingIsSaidOfNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for path in ["survival", "friction", "drivers", "spend"] {
                _ = try await app.get("/insights/\(path)?from=2026-01-01&to=2026-01-01")
                let refused = try await app.api(.get, "/insights/\(path)?from=soon")
                #expect(refused.status == 422 && refused.json["errors"].list.first?["field"].text == "from")
            }
            #expect(try await app.api(.get, "/insights/friction?horizonDays=0").status == 422)
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            #expect(try await owner.get("/insights/progression").text.contains("Nobody came in this time."))
            for bad in ["step=promoter&dimension=device&value=x", "step=prospect&dimension=nothing&value=x", "step=prospect&dimension=cohort&value=soon", "step=impressions&dimension=device&value=x", ""] {
                #expect(try await owner.get("/insights/progression/people?\(bad)").status == 404)
            }
        }
    }
}
