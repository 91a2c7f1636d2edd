import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The sentence above a payout names what it says: what is on its way, or not known, is only what nobody has told of yet.
struct PayoutLeadTests {
    @Test(arguments: Engine.allCases)
    func onlyWhatIsOpenIsCalledOpen(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let person = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.post("/payouts/\(id)/dispatch", [:])
            #expect(try await person.get("/payouts/\(id)").text.contains("<b>€6.00</b> is on its way to <b>2 members</b>"))
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            #expect(try await person.get("/payouts/\(id)").text.contains("<b>€3.00</b> is on its way to <b>1 member</b>"))
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "unknown", "bank-2"))
            #expect(try await person.get("/payouts/\(id)").text.contains("What became of <b>€3.00</b> for <b>1 member</b> is not known"))
        }
    }
}
