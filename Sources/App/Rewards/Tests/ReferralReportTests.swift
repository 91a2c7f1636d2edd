import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What both sides got adds up to what each reward says, month by month.
@Suite struct ReferralReportTests {
    @Test(arguments: Engine.allCases) func monthsAddUp(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, [
                ["reward": ["kind": "percent", "rate": "0.10"]], ["reward": ["kind": "credit", "amount": 500, "currency": "EUR"], "for": "friend"],
                ["reward": ["kind": "gift", "description": "A mug", "value": 900]], ["reward": ["kind": "points", "amount": 7, "unit": "points"]],
            ])
            try await app.sale("inv-1", "c-1", 10_000, ["code": "anna", "customerEmail": "f1@friends.test"])
            try await app.sale("inv-2", "c-1", 2_000, ["code": "anna", "customerEmail": "f1@friends.test"])
            try await app.sale("inv-3", "c-2", 4_000, ["code": "anna", "customerEmail": "f2@friends.test"])
            try await app.sale("inv-4", "c-3", 9_900, ["programId": .text(shop.program)])
            try await app.refund("inv-3", "r-1")
            let report = try await app.get("/programs/\(shop.program)/referral-report?months=2")
            #expect(report["months"].list.count == 2 && report["currency"].text == "EUR")
            let month = report["months"].list[0]
            #expect(month["orders"] == 3 && month["newFriends"] == 2 && month["sharers"] == 1 && month["revenue"] == 12_000, "\(month)")
            // 10 % of 120.00 and two mugs; 5.00 for each order that stands.
            #expect(month["memberCost"] == 3_000 && month["friendCost"] == 1_000 && month["costPerNewFriend"] == 2_000, "\(month)")
            let given = month["given"].list
            func line(_ side: String, _ kind: String) -> JSONValue { given.first { $0["side"].text == side && $0["kind"].text == kind } ?? .null }
            #expect(line("member", "money")["amount"] == 1_200 && line("member", "money")["undone"] == 1 && line("member", "money")["waiting"] == 2)
            #expect(line("friend", "credit")["amount"] == 1_000 && line("member", "points")["amount"] == 14)
            #expect(line("member", "gift")["amount"] == 1_800 && line("member", "gift")["count"] == 2 && line("member", "gift")["undone"] == 1)
            #expect(report["months"].list[1]["orders"] == 0 && report["months"].list[1]["given"].list.isEmpty)
            let page = try await app.page("/programs/\(shop.program)/referral-report").text
            for words in ["2 new customers", "€30.00", "€12.00", "Store credit", "Gift"] { #expect(page.contains(words), "\(words)") }
            for bad in ["0", "25", "x"] { #expect(try await app.api(.get, "/programs/\(shop.program)/referral-report?months=\(bad)").status == 422) }
            #expect(try await app.api(.get, "/programs/prog_00000000000000000000000000/referral-report").status == 404)
            let empty = try await app.program(["name": "Empty"])
            #expect(try await app.page("/programs/\(empty)/referral-report").text.contains("Nothing to report yet"))
        }
    }

    /// Ben comes as a friend, shares himself, and is let in as a promoter: each order pays each of them once, on one balance for each unit.
    @Test(arguments: Engine.allCases) func onTheWayFromCustomerToPromoterNothingIsPaidTwice(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, hold: 0, [
                ["reward": ["kind": "percent", "rate": "0.10"]], ["reward": ["kind": "credit", "amount": 500, "currency": "EUR"], "for": "friend", "conditions": ["field": "saleNumber", "op": "eq", "value": 1]],
                ["reward": ["kind": "percent", "rate": "0.02"], "level": 1],
            ])
            // A customer: anna's friend. The credit makes him a member of her team.
            let first = try await app.sale("inv-1", "ben", 10_000, ["code": "anna", "customerEmail": "ben@friends.test"])
            #expect(AppHarness.amounts(first).sorted() == [500, 1_000])
            let ben = try #require(first["commissions"].list.first { $0["currency"].text == "credit:EUR" })["memberId"].text
            // A sharer: his own link, his own friend. Anna earns on the level above, once.
            try await app.link(shop.program, ben, code: "ben")
            let second = try await app.sale("inv-2", "cleo", 5_000, ["code": "ben", "customerEmail": "cleo@friends.test"])
            #expect(AppHarness.amounts(second).sorted() == [100, 500, 500], "\(second)")
            // He buys by his own link, and by anna's: nobody pays him for himself, and his first order's credit does not come again. Anna, who
            // brought him, is paid for each order once.
            let own = try await app.sale("inv-3", "ben", 8_000, ["code": "ben"])
            #expect(AppHarness.amounts(own) == [800] && own["commissions"].list.allSatisfy { $0["memberId"].text == shop.anna }, "\(own)")
            let again = try await app.sale("inv-4", "ben", 8_000, ["code": "anna"])
            #expect(AppHarness.amounts(again) == [800] && again["commissions"].list.allSatisfy { $0["memberId"].text == shop.anna })
            // A promoter: the company calls him one, under the same person; nothing he was given comes again.
            try await app.patch("/members/\(ben)", ["status": "active"])
            _ = try await app.api(.post, "/members", ["programId": .text(shop.program), "externalId": "ben", "email": "ben@friends.test"])
            for invoice in ["inv-1", "inv-2"] {
                let customer = invoice == "inv-1" ? "ben" : "cleo"
                let repeated = try await app.api(.post, "/track/sale", AppHarness.saleBody(invoice, customer, invoice == "inv-1" ? 10_000 : 5_000, ["code": invoice == "inv-1" ? "anna" : "ben", "customerEmail": .text("\(customer)@friends.test")]))
                #expect(repeated.status == 200, "\(repeated.text)")
            }
            for unit in ["EUR", "credit:EUR"] {
                let sum = try await app.balance(ben, unit).prefix(3).reduce(0, +)
                #expect(sum == 500, "\(unit)")
            }
            let annas = try await app.balance(shop.anna, "EUR")
            let sum = annas.prefix(3).reduce(0, +)
            #expect(sum == 2_700, "\(annas) \(own)")
            try await app.proveAll()
        }
    }
}
