import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A member is their own buyer where the company calls both by the same id, whatever else the sale tells.
@Suite struct OwnBuyerTests {
    @Test(arguments: Engine.allCases)
    func theCompanysOwnIdTellsWhoBuys(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            _ = try await app.rule(program, ["name": "Sharer", "reward": ["kind": "flat", "amount": 1_000, "currency": "EUR"]])
            _ = try await app.rule(program, ["name": "Friend", "for": "friend", "reward": ["kind": "credit", "amount": 500, "currency": "EUR"]])
            let sofia = try await app.member(program, "sofia", ["externalId": "1042"])
            try await app.link(program, sofia, code: "SOFIA")
            try await app.sale("c-1", "1042", 4_200, ["code": "SOFIA"])
            try await app.sale("c-2", "1042", 4_200, ["customerEmail": "else@where.test"])
            #expect(try await app.get("/commissions?programId=\(program)")["data"].list.isEmpty)
            #expect(try await app.balance(sofia, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            let sale = try await app.get("/sales?limit=10")["data"].list.first?["id"].text ?? ""
            #expect(try await app.get("/sales/\(sale)/receipt")["commissions"].list.isEmpty)
            // Somebody else still brings her 10 euros.
            try await app.sale("c-3", "2000", 4_200, ["code": "SOFIA"])
            #expect(try await app.get("/commissions?programId=\(program)&memberId=\(sofia)")["data"].list.count == 1)
        }
    }
}
