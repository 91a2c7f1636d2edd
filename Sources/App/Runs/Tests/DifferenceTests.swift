import Chronology
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Facts that come after a period was accepted change nothing about its run: the open run pays or takes the difference, once.
struct DifferenceTests {
    @Test(arguments: Engine.allCases)
    func aLateSaleIsPaidByTheOpenRunAndOnlyOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            let january = try await line.accept(in: app)
            let hash = try await app.get("/runs/\(january)")["hash"].text
            try await app.sale("inv-late", "cus-1", 2_000, ["code": "carla", "occurredAt": "2026-01-20T10:00:00Z"])
            try await app.moveClock(days: 30)
            let february = try await line.accept("2026-02-01", in: app)
            let lines = try await app.get("/runs/\(february)/lines?memberId=\(line.carla)")["data"].list
            #expect(lines.map { $0["reason"].text } == ["adjustment"])
            #expect(lines.map { $0["amount"].integer } == [200])
            let receipt = try await app.get("/runs/\(february)/lines/\(lines[0]["number"].integer ?? -1)/receipt")
            #expect(receipt["overrides"].list.first?["reason"].text.hasPrefix("\(january): sale_") == true, "linked to its cause")
            #expect(try await app.get("/runs/\(january)")["hash"].text == hash)
            #expect(try await app.balance(line.carla) == [1_200, 0, 0, 0, 0, 0])
            try await app.moveClock(days: 31)
            let march = try await line.accept("2026-03-01", in: app)
            #expect(try await app.get("/runs/\(march)/lines")["data"].list.isEmpty, "the difference was paid before")
            for id in [january, february, march] {
                let archived = try await app.installation.archive.result(of: RunID(stored: id), in: app.twinID, app.installation)
                #expect(try archived.isSame, "computed again from what is stored, also with a carry that late facts changed")
            }
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func aMoveThatIsRecordedLateChangesWhatWasPaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(
                in: app, document: Upline.document.replacing("rates: [10%, 5%, 3%]", with: "tree: placement\n    rates: [10%, 5%, 3%]"))
            let outsider = try await app.member(line.program, "outsider")
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            _ = try await line.accept(in: app)
            #expect(try await app.balance(line.berta) == [500, 0, 0, 0, 0, 0])
            // Carla stood below the outsider from the 10th on, as is known only now.
            try await app.post(
                "/members/\(line.carla)/placements", ["parentId": .text(outsider), "effectiveAt": "2026-01-10T00:00:00Z"])
            try await app.moveClock(days: 30)
            _ = try await line.accept("2026-02-01", in: app)
            #expect(try await app.balance(outsider) == [500, 0, 0, 0, 0, 0])
            #expect(try await app.balance(line.berta) == [500, 0, 0, 0, 0, 500], "what was paid too much is owed")
            #expect(try await app.balance(line.carla) == [1_000, 0, 0, 0, 0, 0])
            try await app.proveAll()
        }
    }
}
