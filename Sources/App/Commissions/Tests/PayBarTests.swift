import TestSupport
import Testing
import Web

@testable import App

/// Whatever brought the credit: who is suspended, or is the buyer, is not paid, and the receipt says why.
struct PayBarTests {
    @Test(arguments: Engine.allCases)
    func aBoundMemberWhoIsSuspendedIsNotPaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            _ = try await app.percentRule(program, "0.05", level: 1)
            let above = try await app.member(program, "above")
            let anna = try await app.member(program, "anna", enroller: above)
            try await app.link(program, anna, code: "ANNA")
            #expect(AppHarness.amounts(try await app.sale("i1", "c1", 1_000, ["code": "ANNA"])) == [100, 50])
            try await app.patch("/members/\(anna)", ["status": "suspended"])
            let second = try await app.sale("i2", "c1", 1_000)
            #expect(second["attribution"]["shares"].list.count == 1, "the customer stays bound")
            #expect(AppHarness.amounts(second) == [50], "who stands above is paid, the suspended is not")
            let receipt = try await app.get("/sales/\(second["saleId"].text)/receipt")
            #expect(receipt["refusals"].list.map { $0["reason"].text } == ["memberNotActive"])
        }
    }

    @Test(arguments: Engine.allCases)
    func anEnrollerWhoBuysEarnsNothingFromIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            _ = try await app.percentRule(program, "0.05", level: 1)
            let above = try await app.member(program, "above")
            let anna = try await app.member(program, "anna", enroller: above)
            try await app.link(program, anna, code: "ANNA")
            let sale = try await app.sale("i1", "c1", 1_000, ["code": "ANNA", "customerEmail": "Above+shop@members.test"])
            #expect(AppHarness.amounts(sale) == [100])
            let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
            #expect(receipt["refusals"].list.map { $0["reason"].text } == ["ownPurchase"])
        }
    }
}
