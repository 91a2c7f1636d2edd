import Chronology
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A change for later touches what it names, from its time on, and nothing else; what is read now is what holds now.
@Suite struct ProgramScheduleTests {
    /// One change, told on a day of January 2026, for a day.
    struct Step: Sendable {
        var told: Int
        var fields: JSONValue
        /// Nil: from now on.
        var from: Int?

        init(on told: Int, _ fields: JSONValue, from: Int? = nil) { (self.told, self.fields, self.from) = (told, fields, from) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [Step]
        /// What holds on a day, as it is told on the last step's day.
        var holds: [(day: Int, fields: JSONValue)]
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "a later change of another field stays when the scheduled one comes",
            steps: [Step(on: 2, ["holdDays": 60], from: 10), Step(on: 5, ["attribution": ["windowDays": 90]])],
            holds: [
                (4, ["holdDays": 30, "attribution": ["windowDays": 30]]), (6, ["holdDays": 30, "attribution": ["windowDays": 90]]),
                (10, ["holdDays": 60, "attribution": ["windowDays": 90]]), (20, ["holdDays": 60, "attribution": ["windowDays": 90]]),
            ]),
        Case(
            name: "of the same field, the scheduled one holds from its time on",
            steps: [Step(on: 2, ["holdDays": 60], from: 10), Step(on: 5, ["holdDays": 7])],
            holds: [(4, ["holdDays": 30]), (6, ["holdDays": 7]), (10, ["holdDays": 60])]),
        Case(
            name: "parts of the attribution are fields of their own",
            steps: [Step(on: 2, ["attribution": ["model": "linear"]], from: 10), Step(on: 5, ["attribution": ["windowDays": 90, "halfLifeDays": 3]])],
            holds: [
                (6, ["attribution": ["model": "last", "windowDays": 90, "halfLifeDays": 3]]),
                (10, ["attribution": ["model": "linear", "windowDays": 90, "halfLifeDays": 3]]),
            ]),
        Case(
            name: "what is named for later holds then, though it is the same today",
            steps: [Step(on: 2, ["holdDays": 30], from: 10), Step(on: 5, ["holdDays": 7])],
            holds: [(6, ["holdDays": 7]), (10, ["holdDays": 30])]),
        Case(
            name: "two scheduled ones come one after the other, in whatever order they were told",
            steps: [Step(on: 2, ["holdDays": 60, "minimumPayout": 500], from: 20), Step(on: 3, ["holdDays": 45], from: 10), Step(on: 4, ["minimumPayout": 100])],
            holds: [
                (5, ["holdDays": 30, "minimumPayout": 100]), (10, ["holdDays": 45, "minimumPayout": 100]), (20, ["holdDays": 60, "minimumPayout": 500]),
            ]),
        Case(
            name: "of two for one time, the one told last",
            steps: [Step(on: 2, ["holdDays": 60, "minimumPayout": 500], from: 10), Step(on: 3, ["holdDays": 45], from: 10)],
            holds: [(9, ["holdDays": 30, "minimumPayout": 0]), (10, ["holdDays": 45, "minimumPayout": 500])]),
        Case(
            name: "a change of the past reaches on to where its field was changed again",
            steps: [Step(on: 8, ["holdDays": 60]), Step(on: 12, ["holdDays": 45, "minimumPayout": 500], from: 4)],
            holds: [(3, ["holdDays": 30, "minimumPayout": 0]), (5, ["holdDays": 45, "minimumPayout": 500]), (9, ["holdDays": 60, "minimumPayout": 500])]),
        Case(
            name: "what is taken away for later stays until then, and comes back for nothing",
            steps: [
                Step(on: 2, ["marginRate": "0.4"]), Step(on: 3, ["marginRate": .null], from: 10), Step(on: 5, ["holdDays": 7]),
            ],
            holds: [(6, ["marginRate": "0.4", "holdDays": 7]), (10, ["marginRate": .null, "holdDays": 7])]),
        Case(
            name: "the zone is a field like others",
            steps: [Step(on: 2, ["timezone": "Asia/Tokyo"], from: 10), Step(on: 5, ["holdDays": 7]), Step(on: 6, ["timezone": "Europe/Berlin"])],
            holds: [(5, ["timezone": "UTC", "holdDays": 7]), (7, ["timezone": "Europe/Berlin"]), (10, ["timezone": "Asia/Tokyo", "holdDays": 7])]),
        Case(
            name: "a scheduled zone brings back no settings, nor settings a zone",
            steps: [Step(on: 2, ["timezone": "Asia/Tokyo", "holdDays": 60], from: 10), Step(on: 3, ["minimumPayout": 500], from: 12)],
            holds: [(9, ["timezone": "UTC", "holdDays": 30]), (12, ["timezone": "Asia/Tokyo", "holdDays": 60, "minimumPayout": 500])]),
    ]

    @Test(arguments: Engine.allCases, cases) func whatHoldsOnADay(_ engine: Engine, _ test: Case) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var today = 1
            for step in test.steps {
                try await app.moveClock(days: Int64(step.told - today))
                today = step.told
                var body = step.fields
                if let from = step.from { body = body.adding("effectiveFrom", .text(Self.instant(from))) }
                try await app.patch("/programs/\(program)", body)
            }
            let twin = app.twinID
            for (day, fields) in test.holds {
                let at = try Instant(rfc3339: Self.instant(day))
                let found = try await app.installation.main.read { connection in
                    try ProgramStore.find(ProgramID(stored: program), in: twin, at: at, on: connection)
                }
                Self.expect(found?.json ?? .null, holds: fields, "day \(day)")
            }
            // What is read is what holds now, alone and in the list, on every day to come.
            for (day, fields) in test.holds where day > today {
                try await app.moveClock(days: Int64(day - today))
                today = day
                Self.expect(try await app.get("/programs/\(program)"), holds: fields, "read on day \(day)")
                Self.expect(try await app.get("/programs")["data"].list.first ?? .null, holds: fields, "listed on day \(day)")
            }
        }
    }

    /// A future zone or setting is not shown before its time, by the API or on the pages that show the program.
    @Test(arguments: Engine.allCases) func theFutureIsNotShownYet(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let then = try await app.patch(
                "/programs/\(program)", ["timezone": "Asia/Tokyo", "holdDays": 60, "effectiveFrom": .text(Self.instant(10))])
            #expect(then["timezone"].text == "Asia/Tokyo" && then["holdDays"].integer == 60, "the answer is the program as it will be")
            let now = try await app.get("/programs/\(program)")
            #expect(now["timezone"].text == "UTC" && now["holdDays"].integer == 30)
        }
    }

    /// A sale's commission is held as the program says on the day of the sale.
    @Test(arguments: Engine.allCases) func salesGoByWhatHolds(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna()
            try await app.patch("/programs/\(program)", ["holdDays": 0, "effectiveFrom": .text(Self.instant(10))])
            try await app.patch("/programs/\(program)", ["minimumPayout": 500])
            for (invoice, day, waited) in [("a", 5, 4), ("b", 12, 7)] {
                try await app.moveClock(days: Int64(waited))
                _ = try await app.sale(invoice, "c-\(invoice)", 1_000, ["code": "anna", "occurredAt": .text(Self.instant(day))])
            }
            try await app.installation.doDueWork()
            let states = try await app.get("/commissions")["data"].list.map { $0["state"].text }
            #expect(states.sorted() == ["approved", "pending"], "the second is held for no time")
        }
    }

    private static func instant(_ day: Int) -> String { "2026-01-\(day < 10 ? "0" : "")\(day)T00:00:00Z" }

    private static func expect(_ program: JSONValue, holds fields: JSONValue, _ place: Comment) {
        guard case .object(let members) = fields else { return }
        for member in members {
            if case .object = member.value {
                expect(program[member.name] ?? .null, holds: member.value, place)
            } else {
                #expect((program[member.name] ?? .null) == member.value, "\(member.name), \(place.rawValue)")
            }
        }
    }
}
