import Chronology
import Persistence

/// Money given back for a sale, in part or whole. One that comes before its sale is parked until the sale is there.
struct Refund: Sendable {
    enum State: String, Sendable { case parked, applied, refused }

    var id: RefundID
    var workspaceID: WorkspaceID
    var invoiceID: String
    var refundID: String
    var saleID: SaleID?
    /// Nil: everything that is left.
    var amountMinor: Int64?
    var appliedMinor: Int64?
    var reason: String?
    var state: State
    var factsHash: [UInt8]
    var occurredAt: Instant
    var recordedAt: Instant
}

struct NewRefund: Sendable {
    var invoiceID: String
    var refundID: String
    var amountMinor: Int64?
    var reason: String?
    var occurredAt: Instant?
    var factsHash: [UInt8]
}

enum RefundStore {
    /// Refunds that may wait for one invoice.
    static let parkedMax = 200

    private static let columns =
        "id, workspace_id, invoice_id, refund_id, sale_id, amount, applied_amount, reason, state, facts_hash, occurred_at, recorded_at"

    static func insert(_ refund: Refund, on connection: any Connection) throws {
        let hash = HashedTable.refund.hash([
            refund.id, refund.workspaceID, refund.invoiceID, refund.refundID, refund.amountMinor, refund.factsHash, refund.occurredAt, refund.recordedAt,
        ])
        try connection.executeLater(
            """
            INSERT INTO refund (\(raw: columns), row_hash)
            VALUES (\(refund.id), \(refund.workspaceID), \(refund.invoiceID), \(refund.refundID), \(refund.saleID), \(refund.amountMinor),
                    \(refund.appliedMinor), \(refund.reason), \(refund.state.rawValue), \(refund.factsHash), \(refund.occurredAt), \(refund.recordedAt),
                    \(hash))
            """)
    }

    static func update(_ refund: Refund, on connection: any Connection) throws {
        try connection.executeLater(
            """
            UPDATE refund SET sale_id = \(refund.saleID), applied_amount = \(refund.appliedMinor), state = \(refund.state.rawValue)
            WHERE id = \(refund.id)
            """)
    }

    static func find(_ refundID: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Refund? {
        try connection.row("SELECT \(raw: columns) FROM refund WHERE workspace_id = \(workspace) AND refund_id = \(refundID)").map(read)
    }

    static func of(sale: SaleID, on connection: any Connection) throws -> [Refund] {
        try connection.rows("SELECT \(raw: columns) FROM refund WHERE sale_id = \(sale) ORDER BY occurred_at, refund_id").map(read)
    }

    /// Refunds that wait for an invoice, in an order of their own facts, not of their arrival; whole ones last, for they take what is left.
    static func parked(invoice: String, in workspace: WorkspaceID, on connection: any Connection) throws -> [Refund] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM refund WHERE workspace_id = \(workspace) AND invoice_id = \(invoice) AND state = 'parked'
            ORDER BY CASE WHEN amount IS NULL THEN 1 ELSE 0 END, occurred_at, refund_id LIMIT \(parkedMax)
            """
        ).map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Refund] {
        try connection.rows(
            "SELECT \(raw: columns) FROM refund WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map(read)
    }

    private static func read(_ row: Row) throws -> Refund {
        Refund(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), invoiceID: try row.get(at: 2), refundID: try row.get(at: 3),
            saleID: try row.get(at: 4), amountMinor: try row.get(at: 5), appliedMinor: try row.get(at: 6), reason: try row.get(at: 7),
            state: Refund.State(rawValue: try row.get(at: 8)) ?? .refused, factsHash: try row.get(at: 9), occurredAt: try row.get(at: 10),
            recordedAt: try row.get(at: 11))
    }
}
