import Money
import Persistence
import Web

/// What a commission is worth in all: what it keeps itself, and what its corrections keep.
struct CommissionWorth: Sendable {
    var root: Commission
    /// What was added to it by hand, the oldest first.
    var corrections: [Commission]
    var keptMinor: Int64

    static func of(_ root: Commission, on connection: any Connection) throws -> CommissionWorth {
        let corrections = try CommissionStore.corrections(of: root.id, on: connection)
        let kept = try corrections.reduce(Amount(minor: root.keptMinor)) { try $0.adding(Amount(minor: $1.keptMinor)) }
        return CommissionWorth(root: root, corrections: corrections, keptMinor: kept.minor)
    }

    /// Those from which something is taken first come first: what was added last.
    var parts: [Commission] { corrections.reversed() + [root] }
}

extension Commission {
    /// The commission that this one corrects. Its hash covers it.
    var correctsID: CommissionID? { cause == .manual ? explanation.value["corrects"]?.string.map { CommissionID(stored: $0) } : nil }
}

extension CommissionStore {
    static func corrections(of root: CommissionID, on connection: any Connection) throws -> [Commission] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM commission
            WHERE cause_kind = 'manual' AND cause_id IN (SELECT id FROM adjustment WHERE corrects_id = \(root)) ORDER BY id
            """
        ).map(read)
    }

    /// Corrections that are where their commission is: what is decided about it is decided about them.
    static func corrections(beside roots: [CommissionID], limit: Int, on connection: any Connection) throws -> [CommissionID] {
        guard !roots.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT c.id FROM adjustment a JOIN commission c ON c.cause_kind = 'manual' AND c.cause_id = a.id JOIN commission r ON r.id = a.corrects_id
            WHERE a.corrects_id IN \(list: roots) AND c.state = r.state ORDER BY c.id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }
}

/// What a commission kept when somebody's hand changed it last.
struct CorrectionPart: Sendable, Hashable {
    var keptMinor: Int64
    /// How much of its sale had come back by then.
    var refundedMinor: Int64

    /// What it keeps now: its share of what had not come back then, by the rounding of every return.
    func keptMinor(of sale: Sale) throws -> Int64 {
        let whole = try Amount(minor: sale.amountMinor).subtracting(Amount(minor: refundedMinor))
        guard whole > .zero else { return sale.refundedMinor >= sale.amountMinor ? 0 : keptMinor }
        let back = try Allocation.proportion(
            of: Amount(minor: keptMinor), part: max(0, try Amount(minor: sale.refundedMinor).subtracting(Amount(minor: refundedMinor)).minor),
            whole: whole.minor)
        return try Amount(minor: keptMinor).subtracting(back).minor
    }
}

enum CorrectionPartStore {
    static func insert(_ part: CorrectionPart, of commission: CommissionID, by adjustment: AdjustmentID, on connection: any Connection) throws {
        let position =
            try connection.value(
                "SELECT coalesce(max(position), 0) + 1 FROM correction_part WHERE commission_id = \(commission)", as: Int64.self) ?? 1
        let hash = HashedTable.correctionPart.hash([commission, position, adjustment, part.keptMinor, part.refundedMinor])
        try connection.execute(
            """
            INSERT INTO correction_part (commission_id, position, adjustment_id, kept, refunded, row_hash)
            VALUES (\(commission), \(position), \(adjustment), \(part.keptMinor), \(part.refundedMinor), \(hash))
            """)
    }

    /// The last of each.
    static func last(of commissions: [CommissionID], on connection: any Connection) throws -> [CommissionID: CorrectionPart] {
        guard !commissions.isEmpty else { return [:] }
        let rows = try connection.rows(
            "SELECT commission_id, kept, refunded FROM correction_part WHERE commission_id IN \(list: commissions) ORDER BY commission_id, position")
        return Dictionary(
            try rows.map { (try $0.get(at: 0), CorrectionPart(keptMinor: try $0.get(at: 1), refundedMinor: try $0.get(at: 2))) },
            uniquingKeysWith: { _, last in last })
    }
}
