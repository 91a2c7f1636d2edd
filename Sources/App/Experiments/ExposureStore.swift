import Chronology
import Persistence

enum ExposureStore {
    /// Exposures of one experiment that its analysis reads, the earliest.
    static let analysedMax = 200_000
    /// Sales and leads that are read for one analysis.
    static let outcomesMax = 500_000
    private static let partRows = 500

    static func find(_ hash: [UInt8], of id: ExperimentID, on connection: any Connection) throws -> ExperimentExposure? {
        try connection.row(
            "SELECT position, is_mismatched, is_crossed, at FROM experiment_exposure WHERE experiment_id = \(id) AND subject_hash = \(hash)"
        ).map { row in
            ExperimentExposure(
                position: try row.get(at: 0), isMismatched: try row.get(at: 1), isCrossed: try row.get(at: 2), at: try row.get(at: 3), isNew: false)
        }
    }

    static func insert(
        _ exposure: ExperimentExposure, _ hash: [UInt8], of id: ExperimentID, member: MemberID?, segment: String, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO experiment_exposure (experiment_id, subject_hash, position, member_id, segment, is_mismatched, is_crossed, at)
            VALUES (\(id), \(hash), \(exposure.position), \(member), \(segment), \(exposure.isMismatched), \(exposure.isCrossed), \(exposure.at))
            """)
    }

    static func markCrossed(_ hash: [UInt8], of id: ExperimentID, on connection: any Connection) throws {
        try connection.execute("UPDATE experiment_exposure SET is_crossed = 1 WHERE experiment_id = \(id) AND subject_hash = \(hash)")
    }

    static func count(of ids: [ExperimentID], on connection: any Connection) throws -> [ExperimentID: Int] {
        guard !ids.isEmpty else { return [:] }
        let rows = try connection.rows(
            "SELECT experiment_id, COUNT(*) FROM experiment_exposure WHERE experiment_id IN \(list: ids) GROUP BY experiment_id")
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    struct Seen: Sendable {
        var hash: [UInt8]
        var position: Int
        var segment: String
        var isMismatched: Bool
        var isCrossed: Bool
        var at: Instant
    }

    static func all(of id: ExperimentID, on connection: any Connection) throws -> [Seen] {
        try connection.rows(
            """
            SELECT subject_hash, position, segment, is_mismatched, is_crossed, at FROM experiment_exposure
            WHERE experiment_id = \(id) ORDER BY at, subject_hash LIMIT \(analysedMax)
            """
        ).map { row in
            Seen(
                hash: try row.get(at: 0), position: try row.get(at: 1), segment: try row.get(at: 2), isMismatched: try row.get(at: 3),
                isCrossed: try row.get(at: 4), at: try row.get(at: 5))
        }
    }

    struct Sold: Sendable {
        var hash: [UInt8]
        var sale: SaleID
        var minor: Int64
        var refundedMinor: Int64
        var currency: String
        var at: Instant
    }

    /// Sales of the customers who were exposed under the company's id of them, and those credited to members who were.
    static func sales(of id: ExperimentID, in workspace: WorkspaceID, on connection: any Connection) throws -> [Sold] {
        let customers = try connection.rows(
            """
            SELECT e.subject_hash, s.id, s.amount, s.refunded_amount, s.currency, s.occurred_at FROM experiment_exposure e
            JOIN customer c ON c.workspace_id = \(workspace) AND c.external_hash = e.subject_hash JOIN sale s ON s.customer_id = c.id
            WHERE e.experiment_id = \(id) AND e.member_id IS NULL LIMIT \(outcomesMax)
            """)
        let members = try connection.rows(
            """
            SELECT e.subject_hash, s.id, s.amount, s.refunded_amount, s.currency, s.occurred_at FROM experiment_exposure e
            JOIN sale_credit k ON k.member_id = e.member_id JOIN sale s ON s.id = k.sale_id
            WHERE e.experiment_id = \(id) AND e.member_id IS NOT NULL AND k.share_ppm > 0 LIMIT \(outcomesMax)
            """)
        return try (customers + members).map { row in
            Sold(
                hash: try row.get(at: 0), sale: try row.get(at: 1), minor: try row.get(at: 2), refundedMinor: try row.get(at: 3), currency: try row.get(at: 4),
                at: try row.get(at: 5))
        }
    }

    struct Visited: Sendable {
        var visitor: String
        var sale: SaleID
        var minor: Int64
        var refundedMinor: Int64
        var currency: String
        var at: Instant
    }

    /// Sales since then of customers whose browsers are known.
    static func visitorSales(in workspace: WorkspaceID, since: Instant, on connection: any Connection) throws -> [Visited] {
        try connection.rows(
            """
            SELECT v.visitor_id, s.id, s.amount, s.refunded_amount, s.currency, s.occurred_at FROM sale s
            JOIN customer_visitor v ON v.customer_id = s.customer_id
            WHERE s.workspace_id = \(workspace) AND s.occurred_at >= \(since) LIMIT \(outcomesMax)
            """
        ).map { row in
            Visited(
                visitor: try row.get(at: 0), sale: try row.get(at: 1), minor: try row.get(at: 2), refundedMinor: try row.get(at: 3), currency: try row.get(at: 4),
                at: try row.get(at: 5))
        }
    }

    /// When exposed customers, and customers who came by links of exposed members, became leads.
    static func leads(of id: ExperimentID, in workspace: WorkspaceID, on connection: any Connection) throws -> [(hash: [UInt8], at: Instant)] {
        let customers = try connection.rows(
            """
            SELECT e.subject_hash, l.occurred_at FROM experiment_exposure e
            JOIN customer c ON c.workspace_id = \(workspace) AND c.external_hash = e.subject_hash JOIN lead l ON l.workspace_id = \(workspace) AND l.customer_id = c.id
            WHERE e.experiment_id = \(id) AND e.member_id IS NULL AND l.counted_at IS NOT NULL LIMIT \(outcomesMax)
            """)
        let members = try connection.rows(
            """
            SELECT e.subject_hash, l.occurred_at FROM lead l JOIN link k ON k.id = l.link_id
            JOIN experiment_exposure e ON e.experiment_id = \(id) AND e.member_id = k.member_id
            WHERE l.workspace_id = \(workspace) AND l.counted_at IS NOT NULL LIMIT \(outcomesMax)
            """)
        return try (customers + members).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func visitorLeads(in workspace: WorkspaceID, since: Instant, on connection: any Connection) throws -> [(visitor: String, at: Instant)] {
        try connection.rows(
            """
            SELECT v.visitor_id, l.occurred_at FROM lead l JOIN customer_visitor v ON v.customer_id = l.customer_id
            WHERE l.workspace_id = \(workspace) AND l.occurred_at >= \(since) AND l.counted_at IS NOT NULL LIMIT \(outcomesMax)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    /// Pay for sales in a unit, and which of them have some of it held.
    static func pay(for sales: [SaleID], unit: String, on connection: any Connection) throws -> [SaleID: (minor: Int64, isHeld: Bool)] {
        var found: [SaleID: (minor: Int64, isHeld: Bool)] = [:]
        var start = 0
        while start < sales.count {
            let part = Array(sales[start..<min(start + partRows, sales.count)])
            start += partRows
            let rows = try connection.rows(
                """
                SELECT sale_id, amount - reversed_amount, state, unit FROM commission WHERE sale_id IN \(list: part)
                """)
            for row in rows {
                let id: SaleID = try row.get(at: 0)
                let (minor, state, paidIn): (Int64, String, String) = (try row.get(at: 1), try row.get(at: 2), try row.get(at: 3))
                let known = found[id] ?? (0, false)
                found[id] = (known.minor + (paidIn == unit ? minor : 0), known.isHeld || state == "held")
            }
        }
        return found
    }
}
