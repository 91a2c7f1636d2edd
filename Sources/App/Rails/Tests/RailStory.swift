import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A program with members who can be paid by one rail, an approved batch of them, and a worker that calls the fake.
struct RailStory: Sendable {
    let app: AppHarness
    let worker: RailWorker
    var program = ""
    var members: [String] = []
    var payout = ""
    let secondKey: String

    static let accounts: [RailKind: @Sendable (Int) -> JSONValue] = [
        .paypal: { number in
            number % 2 == 0
                ? ["kind": "paypal", "email": .text("payee\(number)@pp.test")] : ["kind": "paypal", "payerId": .text("ABCDEFGHIJK\(10 + number % 90)")]
        },
        .stripe: { ["kind": "stripe", "stripeAccount": .text("acct_1Test\(1_000 + $0)")] },
        .external: { ["kind": "external", "reference": .text("wallet-\($0)")] },
        .nacha: {
            [
                "kind": "ach", "routingNumber": "011000015", "accountNumber": .text("00012345\(10 + $0)"), "holder": .text("Zoë Müller \($0)"),
                "accountType": .text($0 % 2 == 0 ? "checking" : "savings"),
            ]
        },
        .wise: { ["kind": "wise", "email": .text("payee\($0)@wise.test"), "currency": .text($0 % 2 == 0 ? "EUR" : "GBP"), "holder": .text("=Payee \($0)")] },
    ]

    /// A workspace with the rail connected and a batch that a second person approved.
    static func with(
        _ engine: Engine, _ rail: RailKind, members count: Int = 3, url: String = "http://127.0.0.1:9", currency: String = "EUR", timeoutMs: Int = 10_000,
        _ body: @Sendable (RailStory) async throws -> Void
    ) async throws {
        try await AppHarness.with(
            engine,
            settings: { settings in
                settings.egressAllow = ["127.0.0.0/8"]
                settings.payPalURL = url
                settings.stripeURL = url
                settings.railTimeoutMs = timeoutMs
            }
        ) { app in
            var story = RailStory(app: app, worker: RailWorker(installation: app.installation), secondKey: try await app.secondPersonsKey())
            try await story.begin(rail, count, currency)
            switch rail {
            case .paypal: try await app.put("/rails/paypal", ["clientId": "client-id-1234", "secret": "client-secret", "sandbox": true])
            case .stripe: try await app.put("/rails/stripe", ["secret": "sk_test_fake"])
            case .external, .nacha, .wise: break
            }
            try await body(story)
        }
    }

    private mutating func begin(_ rail: RailKind, _ count: Int, _ currency: String) async throws {
        program = try await app.program(["currency": .text(currency), "holdDays": 30])
        _ = try await app.percentRule(program, "0.10")
        for number in 0..<count {
            let member = try await app.member(program, "payee\(number)")
            members.append(member)
            try await app.link(program, member, code: "PAY\(number)")
            try await app.post(
                "/track/sale",
                [
                    "invoiceId": .text("i\(number)"), "customerExternalId": .text("buyer\(number)"), "amount": .integer(10_000 + Int64(number) * 1_230),
                    "currency": .text(currency), "code": .text("PAY\(number)"),
                ])
            if let account = Self.accounts[rail]?(number) { try await app.put("/members/\(member)/payout-account", account) }
        }
        try await app.moveClock(days: 31)
        payout = try await batch()
    }

    /// A new batch of what is due, approved.
    func batch() async throws -> String {
        let cutoff = try await app.get("/workspace")["now"].text
        let id = try await app.post("/payouts", ["programId": .text(program), "cutoff": .text(cutoff)])["id"].text
        try await app.api(.post, "/payouts/\(id)/approval", nil, as: secondKey).success("approval")
        return id
    }

    @discardableResult
    func send(_ rail: RailKind) async throws -> JSONValue { try await app.post("/payouts/\(payout)/sending", ["rail": .text(rail.rawValue)]) }

    func state() async throws -> String { try await app.get("/payouts/\(payout)")["state"].text }

    /// States of the payments, in the order of the members.
    func items() async throws -> [String] {
        let items = try await app.get("/payouts/\(payout)")["items"].list
        return members.map { member in items.first { $0["memberId"].text == member }?["state"].text ?? "none" }
    }

    func lines() async throws -> [JSONValue] {
        let lines = try await app.get("/payouts/\(payout)/lines?limit=100")["data"].list
        return members.compactMap { member in lines.first { $0["memberId"].text == member } }
    }

    /// Time passes, and the worker calls what is due; some steps of it at once.
    func wait(minutes: Int64, times: Int = 1) async throws {
        for _ in 0..<times {
            app.clock.advance(ms: minutes * 60_000)
            try await worker.workDue()
        }
    }

    /// What the ledger says left, and what is still set aside, of all members.
    func ledger(_ unit: String = "EUR") async throws -> (paid: Int64, setAside: Int64, available: Int64) {
        var sums: (Int64, Int64, Int64) = (0, 0, 0)
        for member in members {
            let balance = try await app.balance(member, unit)
            sums = (sums.0 + balance[4], sums.1 + balance[3], sums.2 + balance[2])
        }
        return sums
    }

    func findings() async throws -> [Verification.Found] {
        try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
    }
}
