import Persistence
import Web

/// What a member's own pages call the journal's entries: without the buyers' orders, and with the way to what explains each.
struct PortalCauses: Sendable {
    /// The member's own commission behind a cause.
    private var lines: [String: CommissionID] = [:]
    private let language: PageLanguage

    static func load(_ causes: [String], of member: MemberID, language: PageLanguage, on connection: any Connection) throws -> PortalCauses {
        var found = PortalCauses(language: language)
        let all = Array(Set(causes)).sorted()
        // Both engines limit the parameters of a statement.
        for start in stride(from: 0, to: all.count, by: 500) {
            found.lines.merge(
                try PortalStore.commissions(Array(all[start..<min(start + 500, all.count)]), of: member, on: connection)) { one, _ in one }
        }
        return found
    }

    private init(language: PageLanguage) { self.language = language }

    /// What happened: the purpose, without what makes it unique.
    func what(_ purpose: String) -> String {
        let word = String(purpose.prefix { $0 != "." && $0 != "-" && $0 != "/" })
        let key = "portalMovement.\(word)"
        let words = language(key)
        return words == key ? language("portalMovement.other") : words
    }

    /// The receipt of the line, the run with its lines, or the payment.
    func url(_ cause: String) -> String? {
        if let line = lines[cause] { return "/portal/earnings/\(line.text)" }
        if RunID(cause) != nil { return "/portal/rank?run=\(cause)" }
        return PayoutID(cause) != nil || PayoutRequestID(cause) != nil ? "/portal/payments/\(cause)" : nil
    }
}

extension PortalStore {
    /// The member's first commission behind each cause: a sale, its return, a lead, visits, or a step by hand.
    static func commissions(_ causes: [String], of member: MemberID, on connection: any Connection) throws -> [String: CommissionID] {
        guard !causes.isEmpty else { return [:] }
        var found: [String: CommissionID] = [:]
        for sql: SQL in [
            "SELECT cause_id, min(id) FROM commission WHERE member_id = \(member) AND cause_id IN \(list: causes) GROUP BY cause_id",
            "SELECT id, id FROM commission WHERE member_id = \(member) AND id IN \(list: causes)",
            """
            SELECT r.id, min(c.id) FROM refund r JOIN commission c ON c.sale_id = r.sale_id
            WHERE c.member_id = \(member) AND r.id IN \(list: causes) GROUP BY r.id
            """,
            """
            SELECT a.id, c.id FROM adjustment a JOIN commission c ON c.id = a.commission_id
            WHERE c.member_id = \(member) AND a.id IN \(list: causes)
            """,
        ] {
            for row in try connection.rows(sql) { found[try row.get(at: 0)] = try row.get(at: 1) }
        }
        return found
    }
}
