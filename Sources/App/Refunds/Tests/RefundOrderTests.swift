import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is given back is a function of the set of refunds, never of the order in which they came (E2).
@Suite struct RefundOrderTests {
    /// A sale of 10,000 and refunds that together exceed it; nil gives back what is left; 12,000 alone is more than the sale.
    static let sets: [(amounts: [Int64?], total: Int64)] = [
        ([7_000, 5_000, 1_000], 10_000), ([3_333, 3_333, 3_333, 3_333], 10_000), ([10_000, 3_000, nil], 10_000), ([12_000, 3_000, 4_001], 7_001),
        ([12_000, 9_999, 2], 10_000), ([1, 1, nil], 10_000),
    ]

    /// What one rule split among several goes back as one amount: half of a sale takes half of it, however it was split.
    @Test(arguments: Engine.allCases) func aSplitCommissionIsRoundedOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.threeSellers(["attribution": ["model": "linear"]])
            _ = try await app.rule(program, ["reward": ["kind": "points", "amount": 10, "unit": "points"]])
            try await app.threeClicks()
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["visitorId": "v-1"])
            #expect(sale["commissions"].list.map { $0["amount"].integer ?? 0 }.sorted() == [3, 3, 4, 33, 33, 34])
            func kept(_ unit: String) async throws -> Int64 {
                try await app.get("/commissions")["data"].list.filter { $0["currency"].text == unit }
                    .reduce(0) { $0 + ($1["amount"].integer ?? 0) - ($1["reversedAmount"].integer ?? 0) }
            }
            var points: [Int64] = []
            var money: [Int64] = []
            for part in [500, 250, 249, 1] {
                try await app.refund("inv-1", "r-\(part)", Int64(part))
                points.append(try await kept("points"))
                money.append(try await kept("EUR"))
            }
            #expect(points == [5, 2, 0, 0])
            #expect(money == [50, 25, 0, 0])
        }
    }

    @Test(arguments: Engine.allCases) func anyOrderGivesBackTheSame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.0777")
            _ = try await app.percentRule(program, "0.0333", level: 1)
            for (set, wanted) in Self.sets.enumerated() {
                var seen: Set<[Int64]> = []
                for (number, order) in ExactlyOnceTests.permutations(wanted.amounts.count + 1).enumerated() where number % 5 == 0 || number < 12 {
                    let name = "s\(set)x\(number)"
                    app.clock.advance(ms: 1_000)
                    let above = try await app.member(program, "above\(name)")
                    let seller = try await app.member(program, name, enroller: above)
                    try await app.link(program, seller, code: name)
                    for event in order {
                        if event == wanted.amounts.count {
                            try await app.sale(name, "c-\(name)", 10_000, ["code": .text(name)])
                        } else {
                            let amount = wanted.amounts[event]
                            var body: JSONValue = ["invoiceId": .text(name), "refundId": .text("\(name)-\(event)")]
                            if let amount { body = body.adding("amount", .integer(amount)) }
                            let reply = try await app.api(.post, "/track/refund", body)
                            // Only what exceeds the whole sale is refused; before the sale nobody knows.
                            #expect(reply.status == 201 || (reply.code == "refund_above_sale" && (amount ?? 0) > 10_000), "\(name): \(reply.text)")
                        }
                    }
                    let sale = try await app.get("/sales?limit=1")["data"].list.first
                    #expect(sale["invoiceId"].text == name && sale["refundedAmount"].integer == wanted.total, "\(wanted.amounts) as \(order)")
                    let refunds = try await app.get("/sales/\(sale["id"].text)/receipt")["refunds"].list
                    #expect(refunds.reduce(0) { $0 + ($1["appliedAmount"].integer ?? 0) } == wanted.total)
                    seen.insert([try await app.balance(seller)[0], try await app.balance(above)[0]])
                }
                #expect(seen.count == 1, "\(wanted.amounts): \(seen)")
                if wanted.total == 10_000 { #expect(seen == [[0, 0]]) }
            }
        }
    }

    /// Parked refunds are applied by their own facts: two arrivals, one answer for each refund.
    @Test(arguments: Engine.allCases) func parkedRefundsAreAppliedByTheirFacts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            var applied: Set<[String]> = []
            for (number, order) in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]].enumerated() {
                let facts: [String: (at: String, amount: Int64?)] = [
                    "a": ("2025-12-30T00:00:00Z", 6_000), "b": ("2025-12-29T00:00:00Z", 7_000), "c": ("2025-12-28T00:00:00Z", nil),
                ]
                for name in order {
                    var body: JSONValue = [
                        "invoiceId": .text("inv-\(number)"), "refundId": .text("\(number)-\(name)"), "occurredAt": .text(facts[name]?.at ?? ""),
                    ]
                    if let amount = facts[name]?.amount { body = body.adding("amount", .integer(amount)) }
                    try await app.post("/track/refund", body)
                    app.clock.advance(ms: 10)
                }
                let sale = try await app.sale("inv-\(number)", "c-1", 10_000, ["code": "anna", "occurredAt": "2025-12-27T00:00:00Z"])
                let refunds = try await app.get("/sales/\(sale["saleId"].text)/receipt")["refunds"].list
                applied.insert(refunds.map { "\($0["refundId"].text.suffix(1)) \($0["state"].text) \($0["appliedAmount"].integer ?? -1)" }.sorted())
            }
            #expect(applied == [["a applied 3000", "b applied 7000", "c applied 0"]])
        }
    }
}
