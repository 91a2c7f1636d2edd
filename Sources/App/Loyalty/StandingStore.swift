import Chronology
import Money
import Persistence

enum StandingStore {
    static let badgesMax = 200
    private static let tierColumns = "id, workspace_id, program_id, name, benefits, rank, measure, entry, keep, days, created_at"
    private static let badgeColumns = "id, workspace_id, program_id, name, description, measure, threshold, unit, amount, archived_at, created_at"

    static func insert(_ tier: MemberTier, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO tier (\(raw: tierColumns))
            VALUES (\(tier.id), \(tier.workspaceID), \(tier.programID), \(tier.name), \(tier.benefits), \(tier.rank), \(tier.measure.rawValue),
                    \(tier.entry), \(tier.keep), \(tier.days), \(tier.createdAt))
            """)
    }

    /// From the lowest; there are no more than ranks.
    static func tiers(of program: ProgramID, on connection: any Connection) throws -> [MemberTier] {
        try connection.rows("SELECT \(raw: tierColumns) FROM tier WHERE program_id = \(program) ORDER BY rank").map(readTier)
    }

    static func tiers(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [MemberTier] {
        try connection.rows(
            "SELECT \(raw: tierColumns) FROM tier WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(Int64(limit))"
        ).map(readTier)
    }

    static func insert(_ badge: Badge, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO badge (\(raw: badgeColumns))
            VALUES (\(badge.id), \(badge.workspaceID), \(badge.programID), \(badge.name), \(badge.description), \(badge.measure.rawValue),
                    \(badge.threshold), \(badge.gift?.unit.code), \(badge.gift?.minor), \(badge.archivedAt), \(badge.createdAt))
            """)
    }

    /// Those that are given.
    static func badges(of program: ProgramID, on connection: any Connection) throws -> [Badge] {
        try connection.rows(
            "SELECT \(raw: badgeColumns) FROM badge WHERE program_id = \(program) AND archived_at IS NULL ORDER BY id LIMIT \(Int64(badgesMax))"
        ).map(readBadge)
    }

    static func badges(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Badge] {
        try connection.rows(
            "SELECT \(raw: badgeColumns) FROM badge WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(Int64(limit))"
        ).map(readBadge)
    }

    static func badge(_ id: BadgeID, in workspace: WorkspaceID, on connection: any Connection) throws -> Badge? {
        try connection.row("SELECT \(raw: badgeColumns) FROM badge WHERE id = \(id) AND workspace_id = \(workspace)").map(readBadge)
    }

    static func archive(_ id: BadgeID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE badge SET archived_at = \(now) WHERE id = \(id)")
    }

    static func badges(awardedTo member: MemberID, on connection: any Connection) throws -> [(badge: Badge, awardedAt: Instant)] {
        try connection.rows(
            """
            SELECT b.id, b.workspace_id, b.program_id, b.name, b.description, b.measure, b.threshold, b.unit, b.amount, b.archived_at, b.created_at,
                a.awarded_at FROM badge_award a JOIN badge b ON b.id = a.badge_id WHERE a.member_id = \(member) ORDER BY a.awarded_at, b.id LIMIT 500
            """
        ).map { (try readBadge($0), try $0.get(at: 11)) }
    }

    static func awarded(to member: MemberID, on connection: any Connection) throws -> Set<BadgeID> {
        Set(try connection.rows("SELECT badge_id FROM badge_award WHERE member_id = \(member)").map { try $0.get(at: 0) })
    }

    static func award(_ badge: BadgeID, to member: MemberID, movement: WalletMovementID?, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO badge_award (badge_id, member_id, movement_id, awarded_at) VALUES (\(badge), \(member), \(movement), \(now))")
    }

    // MARK: Standing

    static func standing(of member: MemberID, in program: ProgramID, on connection: any Connection) throws -> (tier: TierID, since: Instant)? {
        try connection.row("SELECT tier_id, since FROM standing WHERE program_id = \(program) AND member_id = \(member)").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func move(_ move: TierMove, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO tier_move (id, workspace_id, program_id, member_id, from_id, to_id, moved_at)
            VALUES (\(move.id), \(workspace), \(move.programID), \(move.memberID), \(move.from), \(move.to), \(move.movedAt))
            """)
        guard let to = move.to else {
            try connection.execute("DELETE FROM standing WHERE program_id = \(move.programID) AND member_id = \(move.memberID)")
            return
        }
        try connection.execute(
            """
            INSERT INTO standing (program_id, member_id, tier_id, since) VALUES (\(move.programID), \(move.memberID), \(to), \(move.movedAt))
            ON CONFLICT (program_id, member_id) DO UPDATE SET tier_id = excluded.tier_id, since = excluded.since
            """)
    }

    /// The rank that members had reached at an instant. Who had none is left out.
    static func ranks(of members: [MemberID], in program: ProgramID, at instant: Instant, on connection: any Connection) throws -> [String: Int64] {
        guard !members.isEmpty else { return [:] }
        var ranks: [String: Int64] = [:]
        for row in try connection.rows(
            """
            SELECT v.member_id, t.rank FROM tier_move v LEFT JOIN tier t ON t.id = v.to_id
            WHERE v.member_id IN \(list: members) AND v.program_id = \(program) AND v.moved_at <= \(instant) ORDER BY v.member_id, v.moved_at, v.id
            """)
        {
            ranks[try row.get(at: 0)] = try row.get(at: 1, as: Int64?.self)
        }
        return ranks
    }

    /// How many members stand where.
    static func counts(in workspace: WorkspaceID, on connection: any Connection) throws -> [TierID: Int64] {
        let rows = try connection.rows(
            "SELECT s.tier_id, count(*) FROM standing s JOIN tier t ON t.id = s.tier_id WHERE t.workspace_id = \(workspace) GROUP BY s.tier_id")
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Looking

    static func note(_ member: MemberID, _ program: ProgramID, at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO standing_check (program_id, member_id, workspace_id, due_at)
            SELECT p.id, m.id, p.workspace_id, \(now) FROM program p JOIN member m ON m.id = \(member)
            WHERE p.id = \(program) AND p.workspace_id = \(workspace)
                AND (EXISTS (SELECT 1 FROM tier t WHERE t.program_id = p.id) OR EXISTS (SELECT 1 FROM badge b WHERE b.program_id = p.id))
            ON CONFLICT (program_id, member_id) DO UPDATE SET due_at = excluded.due_at
            """)
    }

    /// Everybody of a program: what they did before counts too.
    static func checkAll(of program: ProgramID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO standing_check (program_id, member_id, workspace_id, due_at)
            SELECT e.program_id, e.member_id, m.workspace_id, \(now) FROM enrollment e JOIN member m ON m.id = e.member_id WHERE e.program_id = \(program)
            ON CONFLICT (program_id, member_id) DO UPDATE SET due_at = excluded.due_at
            """)
    }

    static func due(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [(ProgramID, MemberID)] {
        try connection.rows(
            """
            SELECT program_id, member_id FROM standing_check WHERE workspace_id = \(workspace) AND due_at <= \(now)
            ORDER BY due_at, program_id, member_id LIMIT \(Int64(limit))
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func postpone(_ member: MemberID, _ program: ProgramID, until: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE standing_check SET due_at = \(until) WHERE program_id = \(program) AND member_id = \(member)")
    }

    static func forget(_ member: MemberID, _ program: ProgramID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM standing_check WHERE program_id = \(program) AND member_id = \(member)")
    }

    /// `before`: what happened later is still inside the program's hold, and does not count.
    static func value(
        _ measure: Measure, of member: MemberID, in program: Program, since: Instant, before: Instant?, on connection: any Connection
    ) throws -> Int64 {
        switch measure {
        case .points:
            // Points are names in small letters; credit has a colon, money capitals.
            return try connection.value(
                """
                SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM (
                    SELECT amount - reversed_amount AS amount FROM commission WHERE member_id = \(member) AND program_id = \(program.id)
                        AND occurred_at >= \(since) AND unit = lower(unit) AND state IN \(list: before == nil ? ["pending", "approved", "held", "paid"] : ["approved", "paid"])
                    UNION ALL SELECT amount FROM wallet_movement WHERE member_id = \(member) AND program_id = \(program.id) AND made_at >= \(since)
                        AND unit = lower(unit) AND kind IN ('bonus', 'adjustment')) earned
                """) ?? 0
        case .sales, .amount, .referrals:
            let end = before.map { Instant(millisecondsSince1970: $0.millisecondsSince1970 + 1) } ?? .latest
            let row = try connection.row(
                """
                SELECT count(*), CAST(coalesce(sum(s.amount - s.refunded_amount), 0) AS BIGINT), count(DISTINCT s.customer_id)
                FROM sale_credit c CROSS JOIN sale s WHERE s.id = c.sale_id AND c.member_id = \(member) AND s.program_id = \(program.id)
                    AND s.currency = \(program.currency) AND s.occurred_at >= \(since) AND s.occurred_at < \(end) AND s.refunded_amount < s.amount
                """)
            return try row?.get(at: measure == .sales ? 0 : measure == .amount ? 1 : 2) ?? 0
        }
    }

    private static func readTier(_ row: Row) throws -> MemberTier {
        MemberTier(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3), benefits: try row.get(at: 4),
            rank: try row.get(at: 5), measure: Measure(rawValue: try row.get(at: 6)) ?? .points, entry: try row.get(at: 7), keep: try row.get(at: 8),
            days: try row.get(at: 9), createdAt: try row.get(at: 10))
    }

    private static func readBadge(_ row: Row) throws -> Badge {
        let unit: String? = try row.get(at: 7)
        let amount: Int64? = try row.get(at: 8)
        return Badge(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3),
            description: try row.get(at: 4), measure: Measure(rawValue: try row.get(at: 5)) ?? .points, threshold: try row.get(at: 6),
            gift: try unit.flatMap { code in try amount.map { (try UnitCode(code), $0) } }, archivedAt: try row.get(at: 9), createdAt: try row.get(at: 10))
    }
}
