import Chronology
import Money
import Persistence
import Rules
import Web

/// What happened in a period, to work rules out on again.
enum PastFactsStore {
    struct Row: Sendable {
        var id: String
        var isLead = false
        var customerID: CustomerID
        var amountMinor: Int64
        var currency: Currency
        var saleNumber: Int64
        var country: String?
        var couponUsed: Bool
        var items: [Sale.Item]
        var refundedMinor: Int64
        var attribution: JSONText
        var occurredAt: Instant
        var metadataSealed: [UInt8]?
    }

    static func count(
        _ table: String, of program: Program, from: Instant, until: Instant, on connection: any Connection
    ) throws -> Int64 {
        try connection.value("SELECT count(*) FROM \(raw: table) WHERE \(sql: period(table, program, from, until))") ?? 0
    }

    /// The newest.
    static func keys(
        _ table: String, of program: Program, from: Instant, until: Instant, limit: Int, on connection: any Connection
    ) throws -> [PastFacts.Key] {
        var keys: [PastFacts.Key] = []
        try connection.forEachRow(
            """
            SELECT id, occurred_at, recorded_at FROM \(raw: table) WHERE \(sql: period(table, program, from, until))
            ORDER BY occurred_at DESC, id DESC LIMIT \(limit)
            """
        ) { row in
            keys.append(PastFacts.Key(id: try row.get(at: 0), isLead: table == "lead", occurredAt: try row.get(at: 1), recordedAt: try row.get(at: 2)))
        }
        return keys
    }

    private static func period(_ table: String, _ program: Program, _ from: Instant, _ until: Instant) -> SQL {
        table == "lead"
            ? """
            workspace_id = \(program.workspaceID) AND occurred_at >= \(from) AND occurred_at < \(until) AND program_id = \(program.id)
                AND counted_at IS NOT NULL
            """ : "program_id = \(program.id) AND occurred_at >= \(from) AND occurred_at < \(until)"
    }

    static func sales(_ ids: [String], on connection: any Connection) throws -> [Row] {
        guard !ids.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT id, customer_id, amount, currency, sale_number, country, coupon_used, items, refunded_amount, attribution, occurred_at,
                metadata_sealed
            FROM sale WHERE id IN \(list: ids)
            """
        ).compactMap { row in
            guard let currency = Currency(code: try row.get(at: 3)) else { return nil }
            return Row(
                id: try row.get(at: 0), customerID: try row.get(at: 1), amountMinor: try row.get(at: 2), currency: currency,
                saleNumber: try row.get(at: 4), country: try row.get(at: 5), couponUsed: try row.get(at: 6),
                items: try Sale.Item.list(row.get(at: 7, as: String.self)), refundedMinor: try row.get(at: 8),
                attribution: JSONText(text: try row.get(at: 9)), occurredAt: try row.get(at: 10), metadataSealed: try row.get(at: 11))
        }
    }

    static func leads(_ ids: [String], of program: Program, on connection: any Connection) throws -> [Row] {
        guard !ids.isEmpty, let currency = Currency(code: program.currency) else { return [] }
        return try connection.rows(
            "SELECT id, customer_id, attribution, occurred_at, metadata_sealed FROM lead WHERE id IN \(list: ids)"
        ).map { row in
            Row(
                id: try row.get(at: 0), isLead: true, customerID: try row.get(at: 1), amountMinor: 0, currency: currency, saleNumber: 1,
                country: nil, couponUsed: false, items: [], refundedMinor: 0, attribution: JSONText(text: try row.get(at: 2)),
                occurredAt: try row.get(at: 3), metadataSealed: try row.get(at: 4))
        }
    }

    /// The counted clicks of members' links on local days of the program.
    static func clicks(of program: Program, _ days: ClosedRange<LocalDay>, on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT CAST(coalesce(sum(d.clicks), 0) AS BIGINT) FROM click_day d JOIN link l ON l.id = d.link_id
            WHERE d.workspace_id = \(program.workspaceID) AND d.day >= \(days.lowerBound.iso8601) AND d.day <= \(days.upperBound.iso8601)
                AND d.program_id = \(program.id) AND l.member_id IS NOT NULL
            """) ?? 0
    }

    /// Members who are, as far as the company's own id, mailbox, address, device or payment means tell, one of the customers.
    static func buyers(behind customers: [CustomerID], on connection: any Connection) throws -> [CustomerID: Set<MemberID>] {
        guard !customers.isEmpty else { return [:] }
        var buyers: [CustomerID: Set<MemberID>] = [:]
        for row in try connection.rows(
            """
            SELECT DISTINCT c.id, m.id FROM customer c
            JOIN person_lookup b ON b.person_id = c.person_id AND b.kind <> 'email'
            JOIN person_lookup a ON a.workspace_id = b.workspace_id AND a.kind = b.kind AND a.hash = b.hash
            JOIN member m ON m.person_id = a.person_id WHERE c.id IN \(list: customers)
            UNION SELECT l.customer_id, l.member_id FROM customer_member l WHERE l.customer_id IN \(list: customers)
            """)
        {
            buyers[try row.get(at: 0), default: []].insert(try row.get(at: 1))
        }
        let selves = try MemberMergeStore.selves(Array(buyers.values.reduce(into: Set()) { $0.formUnion($1) }), on: connection)
        for (me, others) in selves { for (customer, known) in buyers where !known.isDisjoint(with: others) { buyers[customer]?.insert(me) } }
        return buyers
    }

    /// The code that was used with a sale.
    static func code(of sale: String, customer: CustomerID, on connection: any Connection) throws -> String? {
        let code: String? = try connection.row(
            """
            SELECT l.code_folded FROM touch t JOIN link l ON l.id = t.link_id
            WHERE t.customer_id = \(customer) AND t.cause_id = \(sale) AND t.kind IN ('friendCode', 'coupon') ORDER BY t.at DESC LIMIT 1
            """)?.get(at: 0)
        return code
    }

    /// What a rule gave since an instant, by member and customer: what is left of it, and how often.
    static func given(
        by rule: RuleID, in workspace: WorkspaceID, since: Instant, on connection: any Connection
    ) throws -> [(member: MemberID, customer: CustomerID?, occurredAt: Instant, keptMinor: Int64)] {
        try connection.rows(
            """
            SELECT c.member_id, s.customer_id, c.occurred_at, c.amount - c.reversed_amount FROM commission c LEFT JOIN sale s ON s.id = c.sale_id
            WHERE c.workspace_id = \(workspace) AND c.occurred_at >= \(since) AND c.rule_id = \(rule)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2), try $0.get(at: 3)) }
    }
}
