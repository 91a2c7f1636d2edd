import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// To whom a customer belongs, from when and until when.
@Suite struct BindingTests {
    /// An older sale that is told late is credited to whom it came by, and takes the customer from nobody.
    @Test(arguments: Engine.allCases) func aLateOlderSaleTakesNobodyAway(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers()
            try await app.moveClock(days: 20)
            let first = try await app.sale("inv-1", "c-1", 1_000, ["code": "anna", "occurredAt": "2026-01-15T00:00:00Z"])
            #expect(app.shares(first, members) == ["anna": 1_000_000])
            let late = try await app.sale("inv-2", "c-1", 1_000, ["code": "bert", "occurredAt": "2026-01-10T00:00:00Z"])
            #expect(app.shares(late, members) == ["bert": 1_000_000])
            let next = try await app.sale("inv-3", "c-1", 1_000, ["code": "carla", "occurredAt": "2026-01-16T00:00:00Z"])
            #expect(app.shares(next, members) == ["anna": 1_000_000])
            let bindings = try await app.get("/customers")["data"].list.first["bindings"].list
            #expect(bindings.map { $0["boundAt"].text } == ["2026-01-15T00:00:00.000Z"] || bindings.map { $0["boundAt"].text } == ["2026-01-15T00:00:00Z"])
        }
    }

    /// What a person of the team decided no sale undoes.
    @Test(arguments: Engine.allCases) func noSaleUndoesAnAssignment(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers(["customerBinding": ["months": 1]])
            try await app.moveClock(days: 20)
            try await app.sale("inv-1", "c-1", 1_000)
            let customer = try await app.get("/customers")["data"].list.first["id"].text
            try await app.put(
                "/customers/\(customer)/assignment", ["programId": .text(program), "memberId": .text(members["bert"] ?? ""), "reason": "Told us"])
            let older = try await app.sale("inv-2", "c-1", 1_000, ["code": "anna", "occurredAt": "2026-01-02T00:00:00Z"])
            #expect(app.shares(older, members) == ["anna": 1_000_000])
            try await app.moveClock(days: 100)
            let later = try await app.sale("inv-3", "c-1", 1_000, ["code": "carla"])
            #expect(app.shares(later, members) == ["bert": 1_000_000])
        }
    }

    /// A sale told late belongs to whoever had the customer when it was made, whatever was decided since (C10, E2).
    @Test(arguments: Engine.allCases) func aSaleToldLateFindsWhoHadTheCustomerThen(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers()
            try await app.moveClock(days: 20)
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna", "occurredAt": "2026-01-10T00:00:00Z"])
            let kept = try await app.sale("inv-2", "c-1", 1_000, ["code": "bert", "occurredAt": "2026-01-11T00:00:00Z"])
            #expect(app.shares(kept, members) == ["anna": 1_000_000])
            let customer = try await app.get("/customers")["data"].list.first["id"].text
            try await app.put(
                "/customers/\(customer)/assignment", ["programId": .text(program), "memberId": .text(members["carla"] ?? ""), "reason": "Told us"])
            let late = try await app.sale("inv-3", "c-1", 1_000, ["occurredAt": "2026-01-15T00:00:00Z"])
            #expect(app.shares(late, members) == ["anna": 1_000_000])
            #expect(app.shares(try await app.sale("inv-4", "c-1", 1_000), members) == ["carla": 1_000_000])
            #expect(try await app.get("/customers")["data"].list.first["bindings"].list.map { $0["source"].text } == ["assignment"])
        }
    }

    /// A binding that ended and was followed by another still holds for its own time.
    @Test(arguments: Engine.allCases) func anEndedBindingStillHoldsForItsTime(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["customerBinding": ["months": 1], "attribution": ["model": "last", "windowDays": 10]])
            try await app.moveClock(days: 100)
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna", "occurredAt": "2026-01-31T00:00:00Z"])
            try await app.sale("inv-2", "c-1", 1_000, ["code": "bert", "occurredAt": "2026-03-10T00:00:00Z"])
            let late = try await app.sale("inv-3", "c-1", 1_000, ["code": "carla", "occurredAt": "2026-02-21T00:00:00Z"])
            #expect(app.shares(late, members) == ["anna": 1_000_000])
            let later = try await app.sale("inv-4", "c-1", 1_000, ["code": "carla", "occurredAt": "2026-03-20T00:00:00Z"])
            #expect(app.shares(later, members) == ["bert": 1_000_000])
        }
    }

    /// What stood in the table of one binding each stands in that of all, and a customer may have a second one then.
    @Test(arguments: Engine.allCases) func bindingsOfOldAreKept(_ engine: Engine) async throws {
        let place = try await TestDatabase.make(engine, connections: 1)
        let all = Schema.migrations(Embedded.files(.schema))
        if engine == .postgres {
            try await Migrator.migrate(place.database, timeline: "clicks", migrations: Schema.migrations(Embedded.files(.clickSchema)))
        }
        try await Migrator.migrate(place.database, timeline: "main", migrations: all.filter { $0.number < 23 })
        let insert: @Sendable (String) -> SQL = { at in
            "INSERT INTO customer_binding (program_id, customer_id, workspace_id, shares, source, source_id, bound_at) VALUES ('prog_1', 'cus_1', 'ws_1', '[]', 'sale', 'sale_1', \(raw: at))"
        }
        try await place.database.write { connection in
            try connection.executeScript(
                """
                INSERT INTO workspace (id, name, slug, time_zone, locale, created_at) VALUES ('ws_1', 'Old', 'old', 'UTC', 'en', 1);
                INSERT INTO person (id, workspace_id, key_id, created_at) VALUES ('per_1', 'ws_1', 'key_1', 1);
                INSERT INTO program (id, workspace_id, name, slug, currency, time_zone, created_at) VALUES ('prog_1', 'ws_1', 'Shop', 'shop', 'EUR', 'UTC', 1);
                INSERT INTO customer (id, workspace_id, person_id, created_at) VALUES ('cus_1', 'ws_1', 'per_1', 1);
                """)
            try connection.execute(insert("5"))
        }
        try await Migrator.migrate(place.database, timeline: "main", migrations: all)
        let times = try await place.database.write { connection -> [Int64] in
            try connection.execute(insert("9"))
            return try connection.rows("SELECT bound_at FROM customer_binding ORDER BY bound_at").map { try $0.get(at: 0) }
        }
        #expect(times == [5, 9])
        try await place.remove()
    }

    /// Months are counted on the wall: a binding made at noon ends at noon, also when the clocks went forward or back in between.
    static let months: [(zone: String, bound: String, months: Int64, last: String, free: String)] = [
        // Forward on 29 March 2026: noon is 11:00 before and 10:00 after.
        ("Europe/Berlin", "2026-02-10T11:00:00Z", 2, "2026-04-10T09:59:59Z", "2026-04-10T10:00:00Z"),
        // Back on 25 October 2026.
        ("Europe/Berlin", "2026-09-10T10:00:00Z", 2, "2026-11-10T10:59:59Z", "2026-11-10T11:00:00Z"),
        // The day is the zone's: 23:30 UTC on 31 January is 1 February in Berlin.
        ("Europe/Berlin", "2026-01-31T23:30:00Z", 1, "2026-02-28T23:29:59Z", "2026-02-28T23:30:00Z"),
        // 31 January and a month: the end of February.
        ("UTC", "2026-01-31T12:00:00Z", 1, "2026-02-28T11:59:59Z", "2026-02-28T12:00:00Z"),
        // South of the equator, back on 5 April 2026.
        ("Australia/Sydney", "2026-03-10T01:00:00Z", 1, "2026-04-10T01:59:59Z", "2026-04-10T02:00:00Z"),
        // 02:30 is skipped on 29 March 2026: just after the gap.
        ("Europe/Berlin", "2026-01-29T01:30:00Z", 2, "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"),
    ]

    @Test(arguments: Engine.allCases) func monthsEndByTheClockOnTheWall(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.moveClock(days: 360)
            for (number, wanted) in Self.months.enumerated() {
                let program = try await app.program([
                    "name": .text("P\(number)"), "timezone": .text(wanted.zone), "customerBinding": ["months": .integer(wanted.months)],
                ])
                _ = try await app.percentRule(program, "0.10")
                var members: [String: String] = [:]
                for name in ["anna", "bert"] {
                    members[name] = try await app.member(program, "\(name)\(number)")
                    try await app.link(program, members[name], code: "\(name)\(number)")
                }
                func sale(_ invoice: String, _ seller: String, _ at: String) async throws -> [String: Int64] {
                    app.shares(
                        try await app.sale(
                            "\(invoice)-\(number)", "c-\(number)", 1_000,
                            ["programId": .text(program), "code": .text("\(seller)\(number)"), "occurredAt": .text(at)]), members)
                }
                #expect(try await sale("first", "anna", wanted.bound) == ["anna": 1_000_000])
                #expect(try await sale("last", "bert", wanted.last) == ["anna": 1_000_000], "\(wanted)")
                #expect(try await sale("free", "bert", wanted.free) == ["bert": 1_000_000], "\(wanted)")
            }
        }
    }
}
