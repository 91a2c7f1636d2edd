import Chronology
import HTTPTypes
import Testing
import Web

@testable import App

/// What a company, its members and their friends do for some months, drawn from a seed and told over the API. Whoever gets a 503 tells
/// again under the same key, as a careful program does.
struct SimulatedCompany: ~Copyable {
    /// Tries of one call at most: with the faults of this suite, eight refusals in a row are one in a million.
    static let triesMax = 12

    struct Told {
        var method: HTTPRequest.Method
        var path: String
        var body: JSONValue?
        var who: String?
        var key: String
        var reply: Reply
    }
    struct Sold { var invoice: String; var body: JSONValue; var amount: Int64 }

    let app: AppHarness
    private var chance: SeededGenerator
    private(set) var told: [Told] = []
    private(set) var retries = 0
    /// What each id stands for in this story, so that two runs can be compared.
    private(set) var names: [String: String] = [:]

    private var program = ""
    private var members: [String] = []
    private var codes: [String] = []
    private(set) var sold: [Sold] = []
    private(set) var refunded: Set<String> = []
    private var commissions: [String] = []
    private var customers: [String] = []
    private var payouts: [String] = []
    private var secondKey = ""
    private var hasErased = false

    init(_ app: AppHarness, seed: UInt64) {
        self.app = app
        chance = SeededGenerator(state: seed)
    }

    mutating func open() async throws {
        secondKey = try await app.secondPersonsKey()
        program = try await make("p", "/programs", [
            "name": "Shop", "currency": "EUR", "holdDays": .integer(pick([0, 7, 30])), "minimumPayout": .integer(pick([0, 500])),
            "attribution": ["model": .text(pick(["last", "first", "linear", "position", "timeDecay"])), "windowDays": 30],
        ])
        for rule in [pick(Self.rewards), pick(Self.rewards), pick(Self.rewards)] {
            _ = try await tell(.post, "/programs/\(program)/rules", rule)
        }
        for _ in 0..<4 {
            app.clock.advance(ms: 1_000)
            try await enrol()
        }
    }

    /// One thing that somebody does.
    mutating func step() async throws {
        app.clock.advance(ms: 1_000)
        switch below(100) {
        case 0..<6: try await enrol()
        case 6..<12: try await makeCode()
        case 12..<20: try await click()
        case 20..<26: try await lead()
        case 26..<52: try await sell()
        case 52..<62: try await refund()
        case 62..<66: try await assign()
        case 66..<70: try await changeMember()
        case 70..<76: try await passDays()
        case 76..<84: try await payOut()
        case 84..<90: try await byHand()
        case 90..<92: try await ask()
        case 92..<93: try await merge()
        case 93..<94: try await erase()
        default: try await tellAgain()
        }
    }

    // MARK: What they do

    private mutating func enrol() async throws {
        let number = members.count
        var body: JSONValue = [
            "programId": .text(program), "email": .text("m\(number)@members.test"), "name": .text("Member \(number)"), "externalId": .text("m\(number)"),
        ]
        if let enroller = any(members) { body = body.adding("enrollerId", .text(enroller)) }
        let member = try await make("m\(number)", "/members", body)
        members.append(member)
        _ = try await tell(
            .put, "/members/\(member)/payout-account", ["kind": "iban", "iban": .text(pick(["DE89370400440532013000", "AT611904300234573201", "NL91ABNA0417164300"]))])
        try await makeCode(of: member)
    }

    private mutating func makeCode(of member: String? = nil) async throws {
        guard let member = member ?? any(members) else { return }
        let code = "CODE\(codes.count)"
        var body: JSONValue = ["programId": .text(program), "memberId": .text(member), "destination": "https://shop.test/", "code": .text(code)]
        if below(4) == 0 { body = body.adding("kind", "friendCode").adding("codeRate", .text(pick(["0.05", "0.125"]))) }
        if try await tell(.post, "/links", body).status == 201 { codes.append(code) }
    }

    private mutating func click() async throws {
        guard let code = any(codes) else { return }
        _ = try await tell(
            .post, "/track/click",
            ["code": .text(code), "visitorId": .text("v\(below(8))"), "userAgent": .text(Browser.chromeAgent), "ip": .text("198.51.100.\(below(250))")])
    }

    private mutating func lead() async throws {
        let customer = below(10)
        _ = try await tell(
            .post, "/track/lead",
            [
                "code": .text(any(codes) ?? "NONE"), "eventName": .text(pick(["signup", "trial"])), "customerExternalId": .text("c\(customer)"),
                "customerEmail": .text("c\(customer)@friends.test"), "mode": .text(pick(["async", "deferred"])),
            ])
    }

    private mutating func sell() async throws {
        let customer = below(10)
        var body: JSONValue = [
            "programId": .text(program), "invoiceId": .text("inv-\(below(4) == 0 ? below(40) : UInt64(100 + sold.count))"),
            "customerExternalId": .text("c\(customer)"), "amount": .integer(pick([0, 1, 99, 1_000, 12_345, 1_000_000])),
            "currency": .text(below(12) == 0 ? "JPY" : "EUR"), "country": .text(pick(["DE", "FR"])),
        ]
        if below(2) == 0, let code = any(codes) { body = body.adding("code", .text(code)) }
        if below(2) == 0 { body = body.adding("visitorId", .text("v\(below(8))")) }
        if below(5) == 0 { body = body.adding("metadata", ["plan": .text(pick(["pro", "free"]))]) }
        let reply = try await tell(.post, "/track/sale", body)
        guard reply.status < 300 else { return }
        if !sold.contains(where: { $0.invoice == body["invoiceId"].text }) {
            names[reply.json["saleId"].text] = "sale \(body["invoiceId"].text)"
            sold.append(Sold(invoice: body["invoiceId"].text, body: body, amount: body["amount"].integer ?? 0))
            commissions += inStoryOrder(reply.json["commissions"].list).map { $0["id"].text }
        }
        let found = try await app.get("/customers?limit=100")["data"].list.sorted { $0["externalId"].text < $1["externalId"].text }
        for customer in found where !customers.contains(customer["id"].text) {
            names[customer["id"].text] = "customer \(customer["externalId"].text)"
            customers.append(customer["id"].text)
        }
    }

    private mutating func refund() async throws {
        // Some come before their sale, and some twice.
        let invoice = below(3) == 0 ? "inv-\(below(40))" : any(sold.map(\.invoice)) ?? "inv-1"
        let amount = sold.first { $0.invoice == invoice }?.amount ?? 1_000
        var body: JSONValue = ["invoiceId": .text(invoice), "refundId": .text("r\(below(60))")]
        if below(3) > 0, amount > 1 { body = body.adding("amount", .integer(1 + Int64(below(UInt64(amount))))) }
        if try await tell(.post, "/track/refund", body).status < 300 { refunded.insert(body["refundId"].text) }
    }

    private mutating func assign() async throws {
        guard let customer = any(customers), let member = any(members) else { return }
        _ = try await tell(
            .put, "/customers/\(customer)/assignment", ["programId": .text(program), "memberId": .text(member), "reason": "They said so."])
    }

    private mutating func changeMember() async throws {
        guard let member = any(members) else { return }
        _ = try await tell(.patch, "/members/\(member)", ["status": .text(pick(["active", "active", "suspended", "inactive"]))])
    }

    private mutating func passDays() async throws {
        let now = try await app.get("/workspace")["now"].instant()
        let later = try now.adding(milliseconds: Int64(1 + below(12)) * 86_400_000)
        _ = try await tell(.post, "/test-clock", ["now": .text(later.rfc3339)])
    }

    private mutating func payOut() async throws {
        guard let payout = any(payouts), below(3) > 0 else {
            let now = try await app.get("/workspace")["now"].text
            let reply = try await tell(.post, "/payouts", ["programId": .text(program), "cutoff": .text(now)])
            if reply.status == 201 {
                names[reply.json["id"].text] = "payout \(payouts.count)"
                payouts.append(reply.json["id"].text)
            }
            return
        }
        switch below(5) {
        case 0: _ = try await tell(.post, "/payouts/\(payout)/cancellation")
        case 1, 2:
            _ = try await tell(.post, "/payouts/\(payout)/approval", as: secondKey)
            _ = try await tell(.post, "/payouts/\(payout)/dispatch")
        default:
            for item in try await app.get("/payouts/\(payout)")["items"].list {
                _ = try await tell(
                    .post, "/payouts/\(payout)/outcomes",
                    [
                        "memberId": .text(item["memberId"].text), "outcome": .text(pick(["paid", "paid", "failed"])),
                        "reference": .text("bank-\(told.count)"),
                    ])
            }
        }
    }

    private mutating func byHand() async throws {
        guard let member = any(members) else { return }
        let reply: Reply
        switch (below(3), any(commissions)) {
        case (0, let commission?):
            reply = try await tell(.post, "/commissions/\(commission)/corrections", ["amount": .integer(Int64(below(5_000))), "reason": "Counted again."])
        case (1, let commission?): reply = try await tell(.post, "/commissions/\(commission)/cancellation", ["reason": "Not due."])
        default:
            reply = try await tell(
                .post, "/commissions",
                ["programId": .text(program), "memberId": .text(member), "amount": .integer(1 + Int64(below(2_000))), "reason": "Thanks."])
            if reply.status == 201 { commissions.append(reply.json["commissionId"].text) }
        }
        if reply.status == 201 { names[reply.json["id"].text] = "adjustment" }
    }

    private mutating func ask() async throws {
        guard let member = any(members) else { return }
        let reply = try await tell(.post, "/members/\(member)/payout-requests", ["programId": .text(program)])
        if reply.status == 201, below(2) == 0 { _ = try await tell(.post, "/payout-requests/\(reply.json["id"].text)/cancellation") }
    }

    private mutating func merge() async throws {
        guard let kept = any(members), let duplicate = any(members), kept != duplicate else { return }
        _ = try await tell(.post, "/members/\(kept)/merges", ["duplicateId": .text(duplicate), "reason": "The same person."])
    }

    private mutating func erase() async throws {
        guard let customer = any(customers) else { return }
        hasErased = try await tell(.delete, "/customers/\(customer)/person").status == 200 || hasErased
    }

    /// An impatient program repeats what was answered long ago: it gets the first answer, or nothing of it when it named who was erased.
    private mutating func tellAgain() async throws {
        guard let before = any(told.filter { $0.method != .delete }) else { return }
        let reply = try await call(before.method, before.path, before.body, as: before.who, key: before.key)
        #expect(reply.status == before.reply.status && reply.isReplayed, "\(before.path) again: \(reply.text)")
        guard reply.status < 400, reply.body != before.reply.body else { return }
        #expect(hasErased && reply.json["id"] == nil, "\(before.path) again: \(reply.text) instead of \(before.reply.text)")
    }

    /// Ids of one moment stand in the order of chance; a story must not depend on it.
    private func inStoryOrder(_ commissions: [JSONValue]) -> [JSONValue] {
        func place(_ commission: JSONValue) -> (Int64, String, String) {
            (commission["amount"].integer ?? 0, names[commission["memberId"].text] ?? "", commission["currency"].text)
        }
        return commissions.sorted { place($0) < place($1) }
    }

    // MARK: Telling

    private mutating func make(_ name: String, _ path: String, _ body: JSONValue) async throws -> String {
        let id = try await tell(.post, path, body).success(path)["id"].text
        names[id] = name
        return id
    }

    private mutating func tell(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, as who: String? = nil) async throws -> Reply {
        let key = "told-\(told.count)"
        let reply = try await call(method, path, body, as: who, key: key)
        #expect(reply.status < 500, "\(method) \(path): \(reply.text)")
        told.append(Told(method: method, path: path, body: body, who: who, key: key, reply: reply))
        return reply
    }

    private mutating func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, as who: String?, key: String
    ) async throws -> Reply {
        for _ in 0..<Self.triesMax {
            let reply = try await app.api(method, path, body, as: who, idempotencyKey: key)
            guard reply.status == 503 else { return reply }
            retries += 1
        }
        throw Unexpected(description: "\(method) \(path) was never answered")
    }

    private mutating func below(_ bound: UInt64) -> UInt64 { chance.next(upperBound: max(1, bound)) }
    private mutating func pick<T>(_ values: [T]) -> T { values[Int(below(UInt64(values.count)))] }
    private mutating func any<T>(_ values: [T]) -> T? { values.isEmpty ? nil : pick(values) }

    private static let rewards: [JSONValue] = [
        ["name": "Percent", "event": "sale", "reward": ["kind": "percent", "rate": "0.10"]],
        ["name": "Above", "event": "sale", "level": 1, "reward": ["kind": "percent", "rate": "0.033"]],
        ["name": "Two above", "event": "sale", "level": 2, "reward": ["kind": "percent", "rate": "0.0125"], "cap": ["amount": 2_000, "per": "member", "period": "month"]],
        ["name": "Flat", "event": "sale", "reward": ["kind": "flat", "amount": 250, "currency": "EUR"], "cap": ["count": 3, "per": "customer", "period": "lifetime"]],
        [
            "name": "Tiers", "event": "sale",
            "reward": ["kind": "tiered", "mode": "marginal", "tiers": [["from": 0, "rate": "0.02"], ["from": 50_000, "rate": "0.05"]]],
        ],
        [
            "name": "Tiers that look back", "event": "sale",
            "reward": ["kind": "tiered", "mode": "retroactive", "tiers": [["from": 0, "rate": "0.01"], ["from": 20_000, "rate": "0.04"]]],
        ],
        ["name": "Points", "event": "sale", "reward": ["kind": "points", "amount": 50, "unit": "points"], "conditions": ["all": [["field": "country", "op": "eq", "value": "DE"]]]],
        ["name": "Lead", "event": "lead", "reward": ["kind": "flat", "amount": 100, "currency": "EUR"], "cap": ["amount": 500, "per": "program", "period": "month"]],
        ["name": "Months", "event": "recurring", "months": 2, "reward": ["kind": "percent", "rate": "0.2"]],
    ]
}
