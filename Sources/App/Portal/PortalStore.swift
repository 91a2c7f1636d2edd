import Chronology
import Money
import Persistence

/// What the portal shows of one member's money. Every question names the member.
enum PortalStore {
    struct Line: Sendable {
        var id: CommissionID
        var cause: Commission.Cause
        var level: Int
        var unit: UnitCode
        var amountMinor: Int64
        var keptMinor: Int64
        var state: Commission.State
        var holdUntil: Instant
        var occurredAt: Instant
        var programName: String
        var country: String?
    }

    struct LineFilter: Sendable {
        var unit: UnitCode?
        var state: Commission.State?
        var before: CommissionID?
        /// These only.
        var ids: [CommissionID]?
    }

    /// What a member earned, the newest first.
    static func lines(of member: MemberID, _ filter: LineFilter, limit: Int, on connection: any Connection) throws -> [Line] {
        var sql: SQL = """
            SELECT c.id, c.cause_kind, c.level, c.unit, c.amount, c.reversed_amount, c.state, c.hold_until, c.occurred_at, p.name, s.country
            FROM commission c JOIN program p ON p.id = c.program_id LEFT JOIN sale s ON s.id = c.sale_id
            WHERE c.member_id = \(member)
            """
        if let unit = filter.unit { sql = "\(sql: sql) AND c.unit = \(unit.code)" }
        if let state = filter.state { sql = "\(sql: sql) AND c.state = \(state.rawValue)" }
        if let ids = filter.ids {
            guard !ids.isEmpty else { return [] }
            sql = "\(sql: sql) AND c.id IN \(list: ids)"
        }
        if let before = filter.before { sql = "\(sql: sql) AND c.id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY c.id DESC LIMIT \(limit)").map { row in
            let unit: String = try row.get(at: 3)
            let amount: Int64 = try row.get(at: 4)
            let reversed: Int64 = try row.get(at: 5)
            return Line(
                id: try row.get(at: 0), cause: Commission.Cause(rawValue: try row.get(at: 1)) ?? .sale, level: try row.get(at: 2),
                unit: try UnitCode(unit), amountMinor: amount, keptMinor: amount - reversed,
                state: Commission.State(rawValue: try row.get(at: 6)) ?? .held, holdUntil: try row.get(at: 7), occurredAt: try row.get(at: 8),
                programName: try row.get(at: 9), country: try row.get(at: 10))
        }
    }

    struct Payment: Sendable {
        var id: PayoutID
        var at: Instant
        var unit: UnitCode
        var amountMinor: Int64
        var state: Payout.Item.State
        var reference: String?
    }

    /// What was paid to a member, or is on its way, the newest first.
    static func payments(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Payment] {
        try connection.rows(
            """
            SELECT p.id, coalesce(i.settled_at, p.sent_at, p.created_at), p.unit, i.amount, i.state, i.reference
            FROM payout_item i JOIN payout p ON p.id = i.payout_id
            WHERE i.member_id = \(member) AND p.state NOT IN ('draft', 'canceled') ORDER BY p.id DESC LIMIT \(limit)
            """
        ).map { row in
            let unit: String = try row.get(at: 2)
            return Payment(
                id: try row.get(at: 0), at: try row.get(at: 1), unit: try UnitCode(unit), amountMinor: try row.get(at: 3),
                state: Payout.Item.State(rawValue: try row.get(at: 4)) ?? .unknown, reference: try row.get(at: 5))
        }
    }

    /// The programs a member takes part in, the oldest first.
    static func programs(of member: MemberID, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> [Program] {
        try connection.rows("SELECT program_id FROM enrollment WHERE member_id = \(member) ORDER BY program_id LIMIT 100").compactMap { row in
            try ProgramStore.find(try row.get(at: 0), in: workspace, at: now, on: connection)
        }
    }
}
