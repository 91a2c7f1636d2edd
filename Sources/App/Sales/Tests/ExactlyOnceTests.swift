import Chronology
import HTTPTypes
import Ledger
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// What is told twice, at once or again happens once.
@Suite struct ExactlyOnceTests {
    @Test(arguments: Engine.allCases) func oneInvoiceFromFiftyCallers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let replies = try await app.atOnce(50) { _ in
                try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"]))
            }
            #expect(Set(replies.map(\.status)).isSubset(of: [200, 201]))
            #expect(replies.filter { $0.status == 201 }.count == 1)
            #expect(Set(replies.map { $0.json["saleId"].text }).count == 1)
            #expect(try await app.get("/sales")["data"].list.count == 1)
            #expect(try await app.get("/ledger/transactions")["data"].list.count == 1)
            #expect(try await app.balance(anna) == [100, 0, 0, 0, 0, 0])
            #expect(try await app.get("/customers")["data"].list.count == 1)
            _ = program
        }
    }

    @Test(arguments: Engine.allCases) func oneKeyFiftyTimes(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let body = AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"])
            let replies = try await app.atOnce(50) { _ in try await app.api(.post, "/track/sale", body, idempotencyKey: "k-1") }
            // While the first runs the others may be told to wait.
            #expect(Set(replies.map(\.status)).isSubset(of: [201, 409]))
            let accepted = replies.filter { $0.status == 201 }
            #expect(accepted.filter { !$0.isReplayed }.count == 1)
            #expect(Set(accepted.map(\.text)).count == 1)
            for reply in replies where reply.status == 409 { #expect(reply.code != "invoice_conflict") }
            let again = try await app.api(.post, "/track/sale", body, idempotencyKey: "k-1")
            #expect(again.status == 201)
            #expect(again.isReplayed)
            #expect(again.text == accepted.first?.text)
            #expect(try await app.balance(anna)[0] == 100)

            let other = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-2", "c-1", 1_000), idempotencyKey: "k-1")
            #expect(other.status == 422)
            #expect(try await app.get("/sales")["data"].list.count == 1)
        }
    }

    /// A click told twice with one key is one click.
    @Test(arguments: Engine.allCases) func aClickWithAKeyIsOneClick(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let body: JSONValue = ["code": "anna", "userAgent": .text(Browser.chromeAgent)]
            let first = try await app.api(.post, "/track/click", body, idempotencyKey: "k-1")
            let second = try await app.api(.post, "/track/click", body, idempotencyKey: "k-1")
            #expect(second.isReplayed)
            #expect(first.text == second.text)
            let link = try await app.get("/links")["data"].list.first["id"].text
            #expect(try await app.get("/links/\(link)")["clicksLogged"].integer == 1)
        }
    }

    @Test(arguments: Engine.allCases) func refusalsAreReplayed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let body: JSONValue = ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": "bert"]
            try await app.link(program, anna, code: "bert")
            let first = try await app.api(.post, "/links", body, idempotencyKey: "k-1")
            #expect(first.status == 422)
            #expect(first.fields == ["code"])
            #expect(!first.json["requestId"].text.isEmpty, "every problem names its request")
            let again = try await app.api(.post, "/links", body, idempotencyKey: "k-1")
            #expect(again.status == 422)
            #expect(again.isReplayed)
            #expect(again.code == first.code)
            #expect(again.fields == first.fields)
            #expect(try await app.get("/links")["data"].list.count == 2)
        }
    }

    @Test(arguments: Engine.allCases) func secretsAreBlankWhenReplayed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let key = try await app.api(.post, "/api-keys", ["name": "K", "role": "viewer"], idempotencyKey: "k-1")
            #expect(key.json["secretKey"].text.hasPrefix("kith_sk_"))
            let again = try await app.api(.post, "/api-keys", ["name": "K", "role": "viewer"], idempotencyKey: "k-1")
            #expect(again.isReplayed)
            #expect(again.json["id"].text == key.json["id"].text)
            #expect(again.json["secretKey"] == .some(.null))
            let invited = try await app.api(.post, "/team", ["email": "two@example.test", "role": "viewer"], idempotencyKey: "k-2")
            #expect(!invited.json["invitationUrl"].text.isEmpty)
            #expect(try await app.api(.post, "/team", ["email": "two@example.test", "role": "viewer"], idempotencyKey: "k-2").json["invitationUrl"] == .some(.null))
        }
    }

    /// E2: the books are a function of the set of events, not of their order or number.
    @Test(arguments: Engine.allCases) func everyOrderOfEventsGivesTheSameBooks(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            _ = try await app.percentRule(program, "0.033", level: 1)
            for (number, order) in Self.permutations(4).enumerated() {
                let top = try await app.member(program, "top\(number)")
                let seller = try await app.member(program, "seller\(number)", enroller: top)
                try await app.link(program, seller, code: "code\(number)")
                let invoice = "inv-\(number)"
                // Each event twice, the duplicate right behind it or at the end.
                for event in order + (number.isMultiple(of: 2) ? order.reversed() : order) {
                    switch event {
                    case 0: try await app.sale(invoice, "c-\(number)", 9_999, ["code": .text("code\(number)")])
                    case 1: try await app.refund(invoice, "\(invoice)-a", 1_111)
                    case 2: try await app.refund(invoice, "\(invoice)-b", 2_222)
                    default: try await app.refund(invoice, "\(invoice)-c")
                    }
                }
                let sales = try await app.get("/sales?memberId=\(seller)")["data"].list
                #expect(sales.map { $0["refundedAmount"].integer } == [9_999], "order \(order)")
                #expect(try await app.balance(seller) == [0, 0, 0, 0, 0, 0], "order \(order)")
                #expect(try await app.balance(top) == [0, 0, 0, 0, 0, 0], "order \(order)")
            }
            #expect(try await app.get("/refunds?limit=100")["data"].list.allSatisfy { $0["state"].text == "applied" })
        }
    }

    @Test(arguments: Engine.allCases) func partialRefundsInEveryOrder(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.0777")
            var seen: Set<[Int64]> = []
            for (number, order) in Self.permutations(4).enumerated() {
                let seller = try await app.member(program, "seller\(number)")
                try await app.link(program, seller, code: "code\(number)")
                let invoice = "inv-\(number)"
                for event in order {
                    switch event {
                    case 0: try await app.sale(invoice, "c-\(number)", 9_999, ["code": .text("code\(number)")])
                    case 1: try await app.refund(invoice, "\(invoice)-a", 1)
                    case 2: try await app.refund(invoice, "\(invoice)-b", 3_333)
                    default: try await app.refund(invoice, "\(invoice)-c", 1_234)
                    }
                }
                seen.insert(try await app.balance(seller))
            }
            #expect(seen.count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func aParkedRefundWaitsForItsSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let parked = try await app.refund("inv-1", "r-1", 400)
            #expect(parked["state"].text == "parked")
            let tooMuch = try await app.refund("inv-1", "r-2", 5_000)
            #expect(tooMuch["state"].text == "parked")
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            #expect(AppHarness.amounts(sale) == [100])
            #expect(sale["commissions"].list.map { $0["reversedAmount"].integer } == [40])
            #expect(try await app.balance(anna)[0] == 60)
            let states = try await app.get("/refunds")["data"].list.map { "\($0["refundId"].text) \($0["state"].text)" }
            #expect(states.sorted() == ["r-1 applied", "r-2 refused"])
        }
    }

    /// E4: each change has its row in the outbox, once.
    @Test(arguments: Engine.allCases) func eachChangeIsToldOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            for _ in 0..<2 {
                try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
                try await app.refund("inv-1", "r-1", 100)
            }
            let types = try await app.get("/events?limit=100")["data"].list.map { $0["type"].text }
            #expect(
                types.sorted() == [
                    "commission.created", "commission.reversed", "member.created", "sale.created", "sale.refunded",
                ])
        }
    }

    /// All orders of 0..<count.
    static func permutations(_ count: Int) -> [[Int]] {
        var all: [[Int]] = [[]]
        for next in 0..<count {
            all = all.flatMap { order in (0...order.count).map { place in Array(order[..<place]) + [next] + Array(order[place...]) } }
        }
        return all
    }
}

extension AppHarness {
    /// A program that pays 10 % and its member anna with the link `anna`.
    func shopWithAnna(_ settings: JSONValue = .object([])) async throws -> (program: String, anna: String) {
        let program = try await program(settings)
        _ = try await percentRule(program, "0.10")
        let anna = try await member(program, "anna")
        try await link(program, anna, code: "anna")
        return (program, anna)
    }

    /// Runs `count` calls at the same time.
    func atOnce<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> T) async throws -> [T] {
        try await withThrowingTaskGroup(of: T.self) { group in
            for number in 0..<count { group.addTask { try await body(number) } }
            var results: [T] = []
            for try await result in group { results.append(result) }
            return results
        }
    }
}
