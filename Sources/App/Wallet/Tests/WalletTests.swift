import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Points and credit: what is spent is gone once, lapses in order, and lots are the balance at all times.
@Suite struct WalletTests {
    private static let points: JSONValue = ["reward": ["kind": "points", "amount": 100, "unit": "points"]]

    /// Anna gets 100 points for each sale at once.
    private static func shop(_ app: AppHarness) async throws -> (program: String, anna: String, ben: String) {
        let program = try await app.program(["holdDays": 0])
        _ = try await app.rule(program, points)
        let anna = try await app.member(program, "anna")
        let ben = try await app.member(program, "ben")
        try await app.link(program, anna, code: "ANNA")
        return (program, anna, ben)
    }

    static func available(_ app: AppHarness, _ member: String, _ unit: String = "points") async throws -> Int64 { try await app.balance(member, unit)[2] }

    static func verify(_ app: AppHarness) async throws {
        let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
        #expect(findings.isEmpty, "\(findings)")
        try await app.proveBooks()
    }

    @Test(arguments: Engine.allCases)
    func whatIsEarnedIsSpentAndGivenByHand(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, _) = try await Self.shop(app)
            try await app.sale("i1", "c1", 5_000, ["code": "ANNA"])
            try await app.moveClock(days: 1)
            #expect(try await app.balance(anna, "points") == [0, 0, 100, 0, 0, 0])
            let spent = try await app.post("/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 30, "reason": "A mug"])
            #expect(spent["amount"].integer == -30 && spent["kind"].text == "redemption")
            let given = try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 50, "reason": "Helped a customer"])
            #expect(given["amount"].integer == 50)
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": -20, "reason": "Counted twice"])
            #expect(try await app.balance(anna, "points") == [0, 0, 100, 0, 30, 0])
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "credit:EUR", "amount": 1_500, "reason": "Sorry"])
            let wallet = try await app.get("/members/\(anna)/wallet")
            #expect(wallet["units"].list.map { $0["unit"].text } == ["credit:EUR", "points"])
            #expect(wallet["units"].list[1]["spent"].integer == 30)
            #expect(try await app.get("/members/\(anna)/wallet/movements")["data"].list.compactMap { $0["amount"].integer }.sorted() == [-30, -20, 50, 1_500])
            // The sale comes back as a whole: what can't be taken is owed.
            try await app.post("/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 60])
            try await app.refund("i1", "r1")
            #expect(try await app.balance(anna, "points") == [0, 0, 0, 0, 90, 60])
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 75, "reason": "A present"])
            #expect(try await app.balance(anna, "points") == [0, 0, 15, 0, 90, 0], "what is owed is paid off first")
            try await Self.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func refusalsSayWhatHelps(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, ben) = try await Self.shop(app)
            let over = try await app.api(.post, "/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 1])
            #expect(over.status == 409 && over.code == "insufficient_balance")
            for unit in ["EUR", "credit:XXL", "Points!", ""] {
                #expect(try await app.api(.post, "/members/\(anna)/wallet/redemptions", ["unit": .text(unit), "amount": 1]).status == 422, "\(unit)")
            }
            for amount in [0, -5, Wallet.amountMax + 1] as [Int64] {
                #expect(try await app.api(.post, "/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": .integer(amount)]).status == 422)
            }
            #expect(try await app.api(.post, "/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 0, "reason": "x"]).status == 422)
            #expect(try await app.api(.post, "/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 5]).status == 422, "a reason is needed")
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 10, "reason": "x"])
            let to: JSONValue = ["unit": "points", "amount": 4, "toMemberId": .text(ben)]
            #expect(try await app.api(.post, "/members/\(anna)/wallet/transfers", to).code == "transfers_not_allowed")
            _ = try await app.put("/wallet/units/points", ["mayTransfer": true])
            #expect(try await app.api(.post, "/members/\(anna)/wallet/transfers", to.adding("toMemberId", .text(anna))).status == 422)
            #expect(try await app.api(.post, "/members/\(anna)/wallet/transfers", to.adding("amount", 11)).code == "insufficient_balance")
            #expect(try await app.api(.put, "/wallet/units/EUR", ["mayTransfer": true]).status == 422)
            #expect(try await app.api(.get, "/members/mem_nobody/wallet").status == 404)
            #expect(try await Self.available(app, anna) == 10)
            try await Self.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func lotsLapseInTheirOrderAndKeepTheirDays(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, ben) = try await Self.shop(app)
            func give(_ amount: Int64) async throws {
                try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": .integer(amount), "reason": "x"])
            }
            try await give(5)
            _ = try await app.put("/wallet/units/points", ["expiresAfterDays": 30, "mayTransfer": true])
            try await give(40)
            try await app.moveClock(days: 10)
            try await give(60)
            try await app.post("/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 25])
            #expect(try await app.get("/members/\(anna)/wallet")["units"].list[0]["lapses"].list.map { $0["amount"].integer } == [15, 60], "the first to lapse goes first")
            try await app.post("/members/\(anna)/wallet/transfers", ["unit": "points", "amount": 10, "toMemberId": .text(ben)])
            try await app.moveClock(days: 21)
            #expect(try await Self.available(app, anna) == 65)
            #expect(try await Self.available(app, ben) == 0, "what was passed on lapsed on its day")
            try await app.moveClock(days: 10)
            #expect(try await Self.available(app, anna) == 5, "what came before there was a rule stays")
            #expect(try await app.get("/members/\(anna)/wallet/movements")["data"].list.prefix(2).map { $0["amount"].integer } == [-60, -5])
            try await Self.verify(app)
        }
    }

    /// A sale comes back after its points lapsed: nothing is taken twice.
    @Test(arguments: Engine.allCases)
    func whatLapsedIsNotTakenAgain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, _) = try await Self.shop(app)
            _ = try await app.put("/wallet/units/points", ["expiresAfterDays": 5])
            try await app.sale("i1", "c1", 5_000, ["code": "ANNA"])
            try await app.moveClock(days: 1)
            try await app.post("/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 40])
            try await app.moveClock(days: 7)
            #expect(try await app.balance(anna, "points") == [0, 0, 0, 0, 40, 0])
            try await app.refund("i1", "half", 2_500)
            #expect(try await app.balance(anna, "points") == [0, 0, 0, 0, 40, 0], "50 go back, and 60 had lapsed")
            try await app.refund("i1", "rest")
            #expect(try await app.balance(anna, "points") == [0, 0, 0, 0, 40, 40], "what was spent is owed")
            try await Self.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func fiftySpendOneBalanceOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, _) = try await Self.shop(app)
            for _ in 0..<4 { try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 25, "reason": "x"]) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await app.api(.post, "/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 15]).status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 6, 409: 44])
            #expect(try await app.balance(anna, "points") == [0, 0, 10, 0, 90, 0])
            try await Self.verify(app)
        }
    }

    /// Whoever has very many small lots can still spend, and a refund still takes.
    @Test(arguments: Engine.allCases)
    func thousandsOfLotsAreTakenAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna, _) = try await Self.shop(app)
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 1_300, "reason": "x"])
            try await app.installation.main.write { connection in
                // As if 1,300 had come one by one.
                try connection.execute(
                    """
                    INSERT INTO wallet_lot (id, workspace_id, member_id, program_id, unit, cause, amount, remaining, lapsed, received_at, expires_at)
                    SELECT 'wlt_' || n.n, l.workspace_id, l.member_id, l.program_id, l.unit, l.cause, 1, 1, 0, l.received_at, NULL
                    FROM wallet_lot l CROSS JOIN (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1300) SELECT n FROM n) n
                    """)
                try connection.execute("DELETE FROM wallet_lot WHERE amount > 1")
            }
            try await Self.verify(app)
            try await app.post("/members/\(anna)/wallet/redemptions", ["unit": "points", "amount": 1_250])
            #expect(try await Self.available(app, anna) == 50)
            try await Self.verify(app)
            try await app.installation.main.write { connection in
                try connection.execute("UPDATE wallet_lot SET remaining = 0 WHERE id = (SELECT min(id) FROM wallet_lot WHERE remaining > 0)")
            }
            let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(findings.map(\.kind) == ["walletLotsWrong"])
        }
    }
}
