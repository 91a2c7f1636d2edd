import Chronology
import HTTPTypes
import Ledger
import Money
import Persistence
import Testing
import Web

@testable import App

/// What browsers send.
enum Browser {
    static let chromeAgent =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"

    static let chrome = agent(chromeAgent)

    static func agent(_ text: String) -> HTTPFields {
        var fields: HTTPFields = [.userAgent: text]
        for (name, value) in [("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "cross-site")] {
            if let field = HTTPField.Name(name) { fields[field] = value }
        }
        return fields
    }
}

/// A program with members, as tests begin with.
struct Shop: Sendable {
    var program: String
    var anna: String
    var links: [String: String] = [:]
}

extension AppHarness {
    /// A program with the settings given over the harness's own: EUR, 30 days of hold.
    func program(_ settings: JSONValue = .object([])) async throws -> String {
        var body: JSONValue = ["name": "Shop", "currency": "EUR", "holdDays": 30]
        if case .object(let members) = settings { for member in members { body = body.adding(member.name, member.value) } }
        return try await post("/programs", body)["id"].text
    }

    func rule(_ program: String, _ rule: JSONValue) async throws -> String {
        var body: JSONValue = ["name": "Rule", "event": "sale"]
        if case .object(let members) = rule { for member in members { body = body.adding(member.name, member.value) } }
        return try await post("/programs/\(program)/rules", body)["id"].text
    }

    func percentRule(_ program: String, _ rate: String, level: Int64 = 0) async throws -> String {
        try await rule(program, ["reward": ["kind": "percent", "rate": .text(rate)], "level": .integer(level)])
    }

    func member(_ program: String, _ name: String, enroller: String? = nil, _ more: JSONValue = .object([])) async throws -> String {
        var body: JSONValue = ["programId": .text(program), "email": .text("\(name)@members.test"), "name": .text(name)]
        if let enroller { body = body.adding("enrollerId", .text(enroller)) }
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await post("/members", body)["id"].text
    }

    /// Makes a link or code and answers its code.
    @discardableResult
    func link(_ program: String, _ member: String?, code: String, _ more: JSONValue = .object([])) async throws -> String {
        var body: JSONValue = ["programId": .text(program), "destination": "https://shop.test/", "code": .text(code)]
        if let member { body = body.adding("memberId", .text(member)) }
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await post("/links", body)["id"].text
    }

    /// A click told by a program; answers its id.
    func click(_ code: String, visitor: String? = nil, _ more: JSONValue = .object([])) async throws -> String {
        var body: JSONValue = ["code": .text(code), "userAgent": .text(Browser.chromeAgent)]
        if let visitor { body = body.adding("visitorId", .text(visitor)) }
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await post("/track/click", body)["clickId"].text
    }

    static func saleBody(_ invoice: String, _ customer: String, _ amount: Int64, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = [
            "invoiceId": .text(invoice), "customerExternalId": .text(customer), "amount": .integer(amount), "currency": "EUR",
        ]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    @discardableResult
    func sale(_ invoice: String, _ customer: String, _ amount: Int64, _ more: JSONValue = .object([])) async throws -> JSONValue {
        try await post("/track/sale", Self.saleBody(invoice, customer, amount, more))
    }

    @discardableResult
    func refund(_ invoice: String, _ refund: String, _ amount: Int64? = nil) async throws -> JSONValue {
        var body: JSONValue = ["invoiceId": .text(invoice), "refundId": .text(refund)]
        if let amount { body = body.adding("amount", .integer(amount)) }
        return try await post("/track/refund", body)
    }

    /// A member's balances in a unit as (pending, held, available, inPayout, paid, debt).
    func balance(_ member: String, _ unit: String = "EUR") async throws -> [Int64] {
        guard let row = try await get("/members/\(member)/balances").elements.first(where: { $0["unit"].text == unit }) else {
            return [0, 0, 0, 0, 0, 0]
        }
        return ["pending", "held", "available", "inPayout", "paid", "debt"].map { row[$0].integer ?? .min }
    }

    /// What members got by a sale's answer: amounts in the order of the answer.
    static func amounts(_ sale: JSONValue) -> [Int64] { sale["commissions"].list.map { $0["amount"].integer ?? .min } }

    /// The journal and audit chains of both workspaces hold, and every member's parts are what they earned (P1).
    func proveBooks(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let ids = [workspace.workspace.id, workspace.twin.id]
        let findings = try await installation.main.read { connection in
            try ids.flatMap { id in
                try Journal.verify(workspace: id.text, on: connection).map { "\($0)" }
                    + AuditChain.verify(workspace: id.text, on: connection).map { "\($0)" }
            }
        }
        #expect(findings == [], sourceLocation: sourceLocation)
        let earned = try await installation.main.read { connection in
            try connection.rows(
                """
                SELECT member_id, unit, CAST(sum(amount) AS BIGINT) FROM (
                    SELECT member_id, unit, amount - reversed_amount AS amount FROM commission
                    UNION ALL SELECT member_id, unit, amount FROM run_payable WHERE state <> 'reversed'
                    UNION ALL SELECT member_id, unit, amount FROM wallet_movement WHERE kind NOT IN ('redemption', 'return')) earned
                GROUP BY member_id, unit ORDER BY 1, 2
                """
            ).map {
                row -> (member: String, unit: String, sum: Int64) in (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
            }
        }
        for row in earned {
            let parts = try await installation.main.read { connection in
                try ids.flatMap { try Journal.balances(workspace: $0.text, member: row.member, on: connection) }.first { $0.unit.code == row.unit }
            }
            let sum = parts.map { $0.pending.minor + $0.held.minor + $0.available.minor + $0.inPayout.minor + $0.paid.minor - $0.debt.minor }
            #expect(sum ?? 0 == row.sum, "P1 of \(row.member) in \(row.unit)", sourceLocation: sourceLocation)
        }
    }
}
