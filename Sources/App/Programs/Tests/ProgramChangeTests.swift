import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A program's name and zone change; what was reckoned before stays.
@Suite struct ProgramChangeTests {
    @Test(arguments: Engine.allCases) func nameAndZoneChangeAndAreTold(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["timezone": "Europe/Berlin"])
            app.clock.advance(ms: 1_000)
            let changed = try await app.patch("/programs/\(program)", ["name": "Friends", "timezone": "Asia/Tokyo", "holdDays": 7])
            #expect(changed["name"].text == "Friends" && changed["timezone"].text == "Asia/Tokyo" && changed["holdDays"].integer == 7)
            #expect(changed["version"].integer == 2)
            let shown = try await app.get("/programs/\(program)")
            #expect(shown["name"].text == "Friends" && shown["timezone"].text == "Asia/Tokyo")
            #expect(try await app.get("/programs")["data"].list.first["timezone"].text == "Asia/Tokyo")

            let events = try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "program.changed" }
            #expect(events.count == 1)
            let changes = events.first["changes"]
            #expect(changes.map(\.names).map(Set.init) == ["name", "timezone", "holdDays"])
            #expect(changes["timezone"]["before"].text == "Europe/Berlin" && changes["timezone"]["after"].text == "Asia/Tokyo")
            #expect(changes["name"]["before"].text == "Shop" && changes["holdDays"]["after"].integer == 7)
            #expect(events.first["data"]["id"].text == program)
            let entries = try await app.get("/audit?limit=100")["data"].list.filter { $0["action"].text == "program.change" }
            #expect(entries.count == 1)
            #expect(entries.first["detail"]["changes"]["timezone"]["after"].text == "Asia/Tokyo")

            // The same again is no change; neither is it told.
            try await app.patch("/programs/\(program)", ["name": "Friends", "timezone": "Asia/Tokyo"])
            #expect(try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "program.changed" }.count == 1)
            // A new name alone makes no version.
            #expect(try await app.patch("/programs/\(program)", ["name": "Pals"])["version"].integer == 2)
        }
    }

    @Test(arguments: Engine.allCases) func whatIsNoZoneOrNameIsRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for zone in ["Mars/Olympus", "CET+1", "", "+02:00"] as [JSONValue] + [.null, 7] {
                let reply = try await app.api(.patch, "/programs/\(program)", ["timezone": zone])
                if zone == .null { #expect(reply.status == 200) } else { #expect(reply.status == 422 && reply.fields == ["timezone"], "\(zone): \(reply.text)") }
            }
            for name in ["", .text(String(repeating: "x", count: 201)), 7] as [JSONValue] {
                #expect(try await app.api(.patch, "/programs/\(program)", ["name": name]).fields == ["name"], "\(name)")
            }
            let past = try await app.api(.patch, "/programs/\(program)", ["timezone": "Asia/Tokyo", "effectiveFrom": "2025-12-31T00:00:00Z"])
            #expect(past.code == "zone_in_past" && past.fields == ["effectiveFrom"])
            #expect(try await app.get("/programs/\(program)")["timezone"].text == "UTC")
            // Settings may be written for the past: they bring no zone with them.
            try await app.patch("/programs/\(program)", ["holdDays": 3, "effectiveFrom": "2025-12-31T00:00:00Z"])
        }
    }

    /// A cap of a day: days before the change are those of the zone before, also for sales that come late and refunds that give back.
    @Test(arguments: Engine.allCases) func pastPeriodsStay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["timezone": "UTC", "customerBinding": "none"])
            _ = try await app.rule(
                program, ["reward": ["kind": "flat", "amount": 100, "currency": "EUR"], "cap": ["count": 1, "per": "member", "period": "day"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            func amounts(_ invoice: String, _ at: String) async throws -> [Int64] {
                AppHarness.amounts(try await app.sale(invoice, "c-\(invoice)", 1_000, ["code": "anna", "occurredAt": .text(at)]))
            }
            try await app.moveClock(days: 10)  // 11 January
            #expect(try await amounts("a", "2026-01-05T13:00:00Z") == [100])
            try await app.moveClock(days: 10)  // 21 January
            try await app.patch("/programs/\(program)", ["timezone": "Asia/Tokyo"])
            // In Tokyo 13:00 and 16:00 UTC are two days, and in UTC one: the fifth of January keeps being a day of UTC.
            #expect(try await amounts("b", "2026-01-05T16:00:00Z") == [])
            // A refund finds the day that the cap was used on, and frees it.
            try await app.refund("a", "r-a")
            #expect(try await amounts("c", "2026-01-05T16:30:00Z") == [100])
            // From the change on, days are Tokyo's.
            try await app.moveClock(days: 10)
            #expect(try await amounts("d", "2026-01-25T13:00:00Z") == [100])
            #expect(try await amounts("e", "2026-01-25T16:00:00Z") == [100])
            #expect(try await amounts("f", "2026-01-25T23:00:00Z") == [])
            // Settings that are written afterwards, for then and for now, leave the zones where they are.
            try await app.patch("/programs/\(program)", ["holdDays": 3, "effectiveFrom": "2026-01-02T00:00:00Z"])
            try await app.patch("/programs/\(program)", ["holdDays": 4])
            #expect(try await app.get("/programs/\(program)")["timezone"].text == "Asia/Tokyo")
            #expect(try await amounts("g", "2026-01-05T17:00:00Z") == [])
            #expect(try await amounts("h", "2026-01-25T22:00:00Z") == [])
        }
    }

    @Test(arguments: Engine.allCases) func aZoneMayChangeLater(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.patch("/programs/\(program)", ["timezone": "Asia/Tokyo", "effectiveFrom": "2026-02-01T00:00:00Z"])
            let twin = app.twinID
            for (at, zone) in [("2026-01-31T23:59:59Z", "UTC"), ("2026-02-01T00:00:00Z", "Asia/Tokyo")] {
                let instant = try Instant(rfc3339: at)
                let found = try await app.installation.main.read { connection in
                    try ProgramStore.find(ProgramID(stored: program), in: twin, at: instant, on: connection)
                }
                #expect(found?.zone.name == zone)
            }
        }
    }

    /// Whom sales go to that nobody brought is a member of this workspace, enrolled in this program.
    @Test(arguments: Engine.allCases) func theDefaultMemberIsOneOfTheProgram(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let other = try await app.program(["name": "Other"])
            let foreign = try await app.api(
                .post, "/programs", ["name": "Live", "currency": "EUR", "orphanMemberId": .text(anna)], as: app.liveKey)
            #expect(foreign.status == 422 && foreign.fields == ["orphanMemberId"] && foreign.code == "unknown_member")
            #expect(try await app.get("/programs", as: app.liveKey)["data"].list.isEmpty)
            let live = try await app.post("/programs", ["name": "Live", "currency": "EUR"], as: app.liveKey)["id"].text
            let changed = try await app.api(.patch, "/programs/\(live)", ["orphanMemberId": .text(anna)], as: app.liveKey)
            #expect(changed.status == 422 && changed.code == "unknown_member")
            #expect(try await app.api(.patch, "/programs/\(other)", ["orphanMemberId": .text(anna)]).fields == ["orphanMemberId"])
            #expect(try await app.patch("/programs/\(program)", ["orphanMemberId": .text(anna)])["orphanMemberId"].text == anna)
        }
    }
}
