import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A correction makes a commission worth what it says, with all corrections before it; returns and voids take them along.
struct CorrectionTests {
    @Test(arguments: Engine.allCases)
    func eachMakesItWorthWhatItSays(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 3_790)
            #expect(try await one.worth(app) == 379)
            let first = try await one.correct(app, 2_000)
            #expect(first.status == 201)
            #expect(first.json["amount"].integer == 1_621 && first.json["worth"].integer == 2_000)
            #expect(first.json["correctsId"].text == one.commission)
            let again = try await one.correct(app, 2_000)
            #expect(again.status == 200, "it is worth that already")
            #expect(again.json["id"] == .null && again.json["amount"].integer == 0 && again.json["worth"].integer == 2_000)
            #expect(try await one.balance(app) == 2_000)
            #expect(try await one.correct(app, 500).json["amount"].integer == -1_500)
            #expect(try await one.balance(app) == 500)
            #expect(try await one.correct(app, 3_000).json["amount"].integer == 2_500)
            #expect(try await one.balance(app) == 3_000)
            #expect(try await one.worth(app) == 3_000)
            #expect(try await one.correct(app, 100).status == 201, "below what it was at first")
            #expect(try await one.balance(app) == 100)
            #expect(try await one.correct(app, 0).status == 201)
            #expect(try await one.correct(app, 700).status == 201, "a commission that was corrected to nothing can be raised again")
            #expect(try await one.balance(app) == 700)
            let correction = first.json["commissionId"].text
            #expect(try await app.api(.post, "/commissions/\(correction)/corrections", ["amount": 1, "reason": "x"]).code == "commission_is_correction")
            #expect(try await app.api(.post, "/commissions/\(correction)/cancellation", ["reason": "x"]).code == "commission_is_correction")
            #expect(try await app.verified() == [])

            let void = try await app.post("/commissions/\(one.commission)/cancellation", ["reason": "All wrong"])
            #expect(void["amount"].integer == -700)
            #expect(try await app.balance(one.member) == [0, 0, 0, 0, 0, 0])
            #expect(try await one.states(app) == ["canceled"], "and none of its corrections is worth anything")
            #expect(try await one.correct(app, 5).code == "commission_settled")
            #expect(try await app.verified() == [])
            try await app.proveBooks()
        }
    }

    @Test(arguments: Engine.allCases)
    func twentyAtOnceAreOne(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 1_780)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await one.correct(app, 1_178) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.count { $0.status == 201 } == 1)
            #expect(replies.count { $0.status == 200 } == 19)
            #expect(try await one.balance(app) == 1_178)
            // To different amounts: the last stands, and nothing is paid twice.
            let others = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 0..<20 { group.addTask { try await one.correct(app, Int64(100 * number)) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(others.allSatisfy { $0.status == 201 || $0.status == 200 })
            #expect(try await one.balance(app) == one.worth(app))
            #expect((0..<20).contains(try await one.worth(app) / 100))
            #expect(try await app.verified() == [])
        }
    }

    /// Whoever says what they believe it is worth is refused when it is worth something else.
    @Test(arguments: Engine.allCases)
    func whatHasChangedSinceIsNotOverwritten(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 3_790)
            let path = "/commissions/\(one.commission)/corrections"
            #expect(try await app.api(.post, path, ["amount": 2_000, "reason": "a", "worthNow": 378]).code == "worth_changed")
            #expect(try await app.api(.post, path, ["amount": 2_000, "reason": "a", "worthNow": 379]).status == 201)
            let stale = try await app.api(.post, path, ["amount": 2_500, "reason": "b", "worthNow": 379])
            #expect(stale.status == 409 && stale.code == "worth_changed")
            #expect(try await app.api(.post, path, ["amount": 2_000, "reason": "b", "worthNow": 379]).status == 200, "what both want is so already")
            #expect(try await one.balance(app) == 2_000)
            let dry = try await app.api(.post, path, ["amount": 2_500, "reason": "b", "dryRun": true])
            #expect(dry.status == 200 && dry.json["transactions"].list.count == 2)
            #expect(try await one.balance(app) == 2_000)
        }
    }

    /// A return takes its share of what was added as of what was given, however it is cut up.
    @Test(arguments: Engine.allCases)
    func returnsTakeTheirShare(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let whole = try await Earner.make(in: app, saleMinor: 1_000)
            _ = try await whole.correct(app, 131)
            let halved = try await app.refund(whole.invoice, "half", 500)
            #expect(halved["reversals"].list.count == 2, "the commission and its correction")
            // 50 of 100, and half-even(15.5) = 16 of 31.
            #expect(try await whole.balance(app) == 65)
            _ = try await whole.correct(app, 40)
            #expect(try await app.verified() == [])
            try await app.refund(whole.invoice, "quarter", 250)
            #expect(try await whole.balance(app) == 20, "half of what had not come back: half of what it was worth then")
            #expect(try await app.verified() == [])
            try await app.refund(whole.invoice, "rest")
            #expect(try await app.balance(whole.member) == [0, 0, 0, 0, 0, 0])
            #expect(try await whole.states(app) == ["reversed"])
            #expect(try await app.verified() == [])

            let pieces: [[Int64]] = [[900], [1, 2, 897], [300, 300, 300], [450, 1, 449]]
            var left: Set<Int64> = []
            for (number, cut) in pieces.enumerated() {
                let one = try await Earner.make(in: app, saleMinor: 997, name: "cut\(number)")
                _ = try await one.correct(app, 777)
                _ = try await one.correct(app, 233)
                for (part, amount) in cut.enumerated() { try await app.refund(one.invoice, "part-\(number)-\(part)", amount) }
                left.insert(try await one.balance(app))
            }
            #expect(left.count == 1, "\(left)")
            #expect(try await app.verified() == [])
        }
    }

    /// Random corrections and returns: it is always worth what was said last, less its share; all of it goes with all of the sale.
    @Test(arguments: Engine.allCases, [UInt64(1), 2, 3])
    func anyOrderKeepsTheBooks(_ engine: Engine, _ seed: UInt64) async throws {
        try await AppHarness.with(engine) { app in
            var state = seed &* 0x9E37_79B9_7F4A_7C15
            func below(_ limit: Int64) -> Int64 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int64((state >> 33) % UInt64(limit))
            }
            let sold = 500 + below(9_000)
            let one = try await Earner.make(in: app, saleMinor: sold)
            var returned: Int64 = 0
            for step in 0..<14 {
                if below(3) > 0 {
                    let wanted = below(1_500)
                    _ = try await one.correct(app, wanted)
                    #expect(try await one.worth(app) == wanted, "seed \(seed) step \(step)")
                } else if returned < sold - 20 {
                    let amount = 1 + below((sold - returned) / 3)
                    let before = try await one.worth(app)
                    try await app.refund(one.invoice, "r\(step)", amount)
                    let exact = Double(before) * Double(sold - returned - amount) / Double(sold - returned)
                    // Each of its parts is rounded once.
                    #expect(abs(Double(try await one.worth(app)) - exact) <= 8, "seed \(seed) step \(step)")
                    returned += amount
                }
                #expect(try await one.balance(app) == one.worth(app))
                #expect(try await app.verified() == [], "seed \(seed) step \(step)")
            }
            try await app.refund(one.invoice, "all")
            #expect(try await app.balance(one.member) == [0, 0, 0, 0, 0, 0])
            #expect(try await one.states(app) == ["reversed"])
            #expect(try await app.verified() == [])
            try await app.proveBooks()
        }
    }

    /// What is added goes where the commission lies, and stays beside it.
    @Test(arguments: Engine.allCases)
    func whatIsAddedWaitsAsLong(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 1_000, days: 0)
            let made = try await one.correct(app, 150)
            #expect(try await app.balance(one.member) == [150, 0, 0, 0, 0, 0], "pending, not available")
            let root = try await app.get("/commissions/\(one.commission)")
            let added = try await app.get("/commissions/\(made.json["commissionId"].text)")
            #expect(added["state"].text == "pending")
            #expect(added["holdUntil"].text == root["holdUntil"].text, "the same hold")
            try await app.installation.doDueWork()
            #expect(try await app.balance(one.member) == [150, 0, 0, 0, 0, 0])
            // Deciding about it decides about all that it is worth.
            try await app.post("/commission-decisions", ["action": "hold", "commissionIds": .array([.text(one.commission)]), "reason": "Wait"])
            #expect(try await app.balance(one.member) == [0, 150, 0, 0, 0, 0])
            _ = try await one.correct(app, 180)
            #expect(try await app.balance(one.member) == [0, 180, 0, 0, 0, 0], "held, as it is")
            try await app.post("/commission-decisions", ["action": "release", "commissionIds": .array([.text(one.commission)])])
            #expect(try await app.balance(one.member) == [180, 0, 0, 0, 0, 0])
            try await app.moveClock(days: 31)
            #expect(try await app.balance(one.member) == [0, 0, 180, 0, 0, 0])
            _ = try await one.correct(app, 200)
            #expect(try await app.balance(one.member) == [0, 0, 200, 0, 0, 0], "approved at once, as it is")
            #expect(try await one.states(app) == ["approved"])
            #expect(try await app.verified() == [])
        }
    }

    @Test(arguments: Engine.allCases)
    func whatIsPaidIsCorrectedByMoreOrADebt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let id = try await app.post("/payouts", shop.batch())["id"].text
            let commission = try await app.get("/commissions?memberId=\(member)")["data"].list[0]["id"].text
            #expect(try await app.api(.post, "/commissions/\(commission)/corrections", ["amount": 1, "reason": "no"]).code == "commission_in_payout")
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            let path = "/commissions/\(commission)/corrections"
            try await app.post(path, ["amount": 150, "reason": "More"])
            #expect(try await app.balance(member) == [0, 0, 50, 0, 300, 0])
            try await app.post(path, ["amount": 80, "reason": "Less"])
            #expect(try await app.balance(member) == [0, 0, 0, 0, 300, 20], "what was added goes first, then a debt")
            try await app.post(path, ["amount": 110, "reason": "More after all"])
            #expect(try await app.balance(member) == [0, 0, 10, 0, 300, 0], "it pays off the debt first")
            try await app.refund("i0-0", "all-0")
            try await app.refund("i0-1", "all-1")
            try await app.refund("i0-2", "all-2")
            let parts = try await app.balance(member)
            #expect(parts[0] + parts[1] + parts[2] + parts[4] - parts[5] == 0, "\(parts)")
            #expect(try await app.verified() == [])
            try await app.proveBooks()
        }
    }

    @Test(arguments: Engine.allCases)
    func receiptsShowCorrectionsBesideWhatTheyCorrect(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 3_790)
            let made = try await one.correct(app, 2_000, "Agreed at the fair")
            let sale = try await app.get("/commissions/\(one.commission)")["saleId"].text
            let receipt = try await app.get("/sales/\(sale)/receipt")
            #expect(receipt["lines"].list.map { $0["id"].text } == [one.commission, made.json["commissionId"].text])
            #expect(receipt["lines"].list[1]["correctsId"].text == one.commission)
            let correction = receipt["corrections"].list[0]
            #expect(correction["commissionId"].text == one.commission && correction["worth"].integer == 2_000 && correction["amount"].integer == 1_621)
            #expect(correction["reason"].text == "Agreed at the fair")
            #expect(receipt["journal"].list.contains { $0["cause"].text == made.json["id"].text })
            #expect(try await app.get("/commissions/\(one.commission)/receipt")["corrections"].list.count == 1)
            #expect(try await app.get("/commissions?saleId=\(sale)")["data"].list.count == 2)
            let person = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            let page = try await person.get("/sales/\(sale)/receipt").text
            #expect(page.contains("corrected by hand") && page.contains("Agreed at the fair") && page.contains("made €20.00 in all by hand"))
            let show = try await person.get("/commissions/\(one.commission)").text
            #expect(show.contains("€20.00") && show.contains("Made €20.00 in all") && show.contains("Agreed at the fair"))
            let other = try await person.get("/commissions/\(made.json["commissionId"].text)").text
            #expect(other.contains("/commissions/\(one.commission)") && !other.contains("/correction\""))
            // Erasing takes the words, not the numbers.
            #expect(try await app.verified() == [])
        }
    }

    /// Two people, or two tabs, that mend the same mistake.
    @Test(arguments: Engine.allCases)
    func thePageKnowsWhatItShowed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 3_790)
            let person = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            let path = "/commissions/\(one.commission)/correction"
            let shown = try PageVisitor.field("worth", in: try await person.get(path).text)
            #expect(shown == "379")
            let first = try await person.submit(path, from: path, ["amount": "20.00", "reason": "Mistake", "worth": shown])
            let second = try await person.submit(path, from: path, ["amount": "25.00", "reason": "Mistake", "worth": shown])
            #expect(first.text.contains("€20.00") && first.text.contains("€3.79"))
            func press(_ preview: Reply, _ amount: String) async throws -> Reply {
                let sent = [
                    "amount": amount, "reason": "Mistake", "worth": try PageVisitor.field("worth", in: preview.text), "do": "1",
                    "key": try PageVisitor.field("key", in: preview.text),
                ]
                return try await person.submit(path, from: "/account", sent)
            }
            #expect(try await press(first, "20.00").status == 303)
            #expect(try await press(first, "20.00").status == 303, "sent twice is done once")
            let refused = try await press(second, "25.00")
            #expect(refused.status == 422)
            #expect(refused.text.contains("Somebody changed it in the meantime") && refused.text.contains("€20.00"))
            #expect(try PageVisitor.field("worth", in: refused.text) == "2000")
            #expect(try await one.balance(app) == 2_000)
            let same = try await person.submit(path, from: path, ["amount": "20.00", "reason": "Mistake", "worth": "2000"])
            #expect(same.status == 422 && same.text.contains("It is worth that much already"))
            let void = "/commissions/\(one.commission)/void"
            let taking = try await person.submit(void, from: void, ["reason": "All of it"])
            #expect(taking.text.contains("loses €20.00"))
            let sent = ["reason": "All of it", "do": "1", "key": try PageVisitor.field("key", in: taking.text)]
            #expect(try await person.submit(void, from: "/account", sent).status == 303)
            #expect(try await person.get("/commissions/\(one.commission)").text.contains("gets nothing"))
            #expect(try await app.balance(one.member) == [0, 0, 0, 0, 0, 0])
        }
    }

    /// “It is approved at once”: the preview, the page after it and the state agree.
    @Test(arguments: Engine.allCases)
    func payByHandIsApprovedAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 1_000, days: 0)
            let dry = try await app.post(
                "/commissions", ["programId": .text(one.program), "memberId": .text(one.member), "amount": 500, "reason": "Thanks", "dryRun": true])
            #expect(dry["transactions"].list.map { $0["purpose"].text } == ["commission", "approval"])
            let made = try await app.post(
                "/commissions", ["programId": .text(one.program), "memberId": .text(one.member), "amount": 500, "reason": "Thanks"])
            #expect(try await app.get("/commissions/\(made["commissionId"].text)")["state"].text == "approved")
            #expect(try await app.balance(one.member) == [100, 0, 500, 0, 0, 0])
            #expect(try await app.verified() == [])
        }
    }

    /// What an export holds, an import has again.
    @Test(arguments: Engine.allCases)
    func booksFromBeforeHold(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let one = try await Earner.make(in: app, saleMinor: 1_000)
            _ = try await one.correct(app, 40)
            // As it was written before corrections said what they correct.
            try await app.installation.main.write { connection in
                try connection.execute("DELETE FROM correction_part")
                try connection.execute("UPDATE adjustment SET corrects_id = NULL, worth = NULL")
            }
            #expect(try await app.verified() == [])
            _ = try await one.correct(app, 90)
            #expect(try await one.balance(app) == 90)
            try await app.refund(one.invoice, "all")
            #expect(try await app.balance(one.member) == [0, 0, 0, 0, 0, 0])
            #expect(try await app.verified() == [])
        }
    }
}

/// A member with one commission of 10 %.
private struct Earner: Sendable {
    var program: String
    var member: String
    var commission: String
    var invoice: String

    static func make(in app: AppHarness, saleMinor: Int64, name: String = "earner", days: Int64 = 31) async throws -> Earner {
        let program = try await app.program()
        _ = try await app.percentRule(program, "0.10")
        let member = try await app.member(program, name)
        try await app.link(program, member, code: "C\(name)")
        let sale = try await app.sale("order-\(name)", "buyer-\(name)", saleMinor, ["code": .text("C\(name)")])
        if days > 0 { try await app.moveClock(days: days) }
        return Earner(program: program, member: member, commission: sale["commissions"].list[0]["id"].text, invoice: "order-\(name)")
    }

    func correct(_ app: AppHarness, _ amount: Int64, _ reason: String = "Agreed") async throws -> Reply {
        try await app.api(.post, "/commissions/\(commission)/corrections", ["amount": .integer(amount), "reason": .text(reason)])
    }

    func worth(_ app: AppHarness) async throws -> Int64 { try await app.get("/commissions/\(commission)")["worth"].integer ?? .min }

    func balance(_ app: AppHarness) async throws -> Int64 {
        let parts = try await app.balance(member)
        return parts[0] + parts[1] + parts[2] + parts[4] - parts[5]
    }

    /// Of the commission and all its corrections.
    func states(_ app: AppHarness) async throws -> Set<String> {
        Set(try await app.get("/commissions?memberId=\(member)")["data"].list.map { $0["state"].text })
    }
}
