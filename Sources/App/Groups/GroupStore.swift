import Chronology
import Persistence
import Web

enum GroupStore {
    private static let columns =
        "g.id, g.workspace_id, g.program_id, g.key, g.name, g.description, g.created_at, r.position, r.metric, r.at_least, r.days, r.falls_back"
    private static let tables = "member_group g LEFT JOIN group_rung r ON r.group_id = g.id"

    static func find(_ id: GroupID, in workspace: WorkspaceID, on connection: any Connection) throws -> MemberGroup? {
        try connection.row("SELECT \(raw: columns) FROM \(raw: tables) WHERE g.id = \(id) AND g.workspace_id = \(workspace)").map(read)
    }

    static func find(key: String, in program: ProgramID, on connection: any Connection) throws -> MemberGroup? {
        try connection.row("SELECT \(raw: columns) FROM \(raw: tables) WHERE g.program_id = \(program) AND g.key = \(key)").map(read)
    }

    static func list(in program: ProgramID, on connection: any Connection) throws -> [MemberGroup] {
        try connection.rows("SELECT \(raw: columns) FROM \(raw: tables) WHERE g.program_id = \(program) ORDER BY g.key LIMIT \(MemberGroup.countMax)").map(read)
    }

    static func page(in workspace: WorkspaceID, program: ProgramID?, after: String?, limit: Int, on connection: any Connection) throws -> [MemberGroup] {
        var sql: SQL = "SELECT \(raw: columns) FROM \(raw: tables) WHERE g.workspace_id = \(workspace) AND g.id > \(after ?? "")"
        if let program { sql = "\(sql: sql) AND g.program_id = \(program)" }
        return try connection.rows("\(sql: sql) ORDER BY g.id LIMIT \(limit)").map(read)
    }

    static func count(in program: ProgramID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT count(*) FROM member_group WHERE program_id = \(program)") ?? 0
    }

    static func insert(_ group: MemberGroup, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member_group (id, workspace_id, program_id, key, name, description, created_at)
            VALUES (\(group.id), \(group.workspaceID), \(group.programID), \(group.key), \(group.name), \(group.description), \(group.createdAt))
            """)
    }

    static func update(_ group: MemberGroup, on connection: any Connection) throws {
        try connection.execute("UPDATE member_group SET name = \(group.name), description = \(group.description) WHERE id = \(group.id)")
    }

    static func put(_ rung: MemberGroup.Rung?, of group: MemberGroup, at now: Instant, on connection: any Connection) throws {
        try connection.execute("DELETE FROM group_rung WHERE group_id = \(group.id)")
        guard let rung else { return }
        try connection.execute(
            """
            INSERT INTO group_rung (group_id, position, metric, at_least, days, falls_back, changed_at)
            VALUES (\(group.id), \(rung.position), \(rung.metric.rawValue), \(rung.atLeast), \(rung.days), \(rung.fallsBack), \(now))
            """)
    }

    // MARK: Members

    static func set(_ key: String?, of member: MemberID, in program: ProgramID, on connection: any Connection) throws {
        try connection.execute("UPDATE enrollment SET group_id = \(key) WHERE program_id = \(program) AND member_id = \(member)")
    }

    static func insert(_ move: GroupMove, workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO group_move (id, workspace_id, program_id, member_id, from_key, to_key, cause, reason, evidence, author, at)
            VALUES (\(move.id), \(workspace), \(move.programID), \(move.memberID), \(move.fromKey), \(move.toKey), \(move.cause.rawValue), \(move.reason),
                    \(JSONText(move.evidence?.json ?? .object([])).text), \(move.author), \(move.at))
            """)
    }

    static func members(of group: MemberGroup, after: String?, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT member_id FROM enrollment WHERE program_id = \(group.programID) AND group_id = \(group.key) AND member_id > \(after ?? "")
            ORDER BY member_id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    static func memberCounts(in program: ProgramID, on connection: any Connection) throws -> [String: Int64] {
        let rows = try connection.rows(
            "SELECT group_id, count(*) FROM enrollment WHERE program_id = \(program) AND group_id IS NOT NULL GROUP BY group_id")
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    /// The groups that members were in at an instant; who was in none is left out.
    static func keys(of members: [MemberID], in program: ProgramID, at instant: Instant, on connection: any Connection) throws -> [String: String] {
        guard !members.isEmpty else { return [:] }
        var keys: [String: String] = [:]
        for row in try connection.rows(
            """
            SELECT member_id, to_key FROM group_move WHERE member_id IN \(list: members) AND program_id = \(program) AND at <= \(instant)
            ORDER BY member_id, at, id
            """)
        {
            keys[try row.get(at: 0)] = try row.get(at: 1, as: String?.self)
        }
        return keys
    }

    static func moves(of group: MemberGroup, limit: Int, on connection: any Connection) throws -> [GroupMove] {
        try connection.rows(
            """
            SELECT \(raw: moveColumns) FROM group_move
            WHERE program_id = \(group.programID) AND (to_key = \(group.key) OR from_key = \(group.key)) ORDER BY at DESC, id DESC LIMIT \(limit)
            """
        ).map(readMove)
    }

    static func moves(of member: MemberID, limit: Int, on connection: any Connection) throws -> [GroupMove] {
        try connection.rows("SELECT \(raw: moveColumns) FROM group_move WHERE member_id = \(member) ORDER BY at DESC, id DESC LIMIT \(limit)").map(readMove)
    }

    // MARK: The ladder

    /// Where everybody of a program stands.
    static func standings(in program: ProgramID, on connection: any Connection) throws -> [(MemberID, Ladder.Standing)] {
        try connection.rows(
            """
            SELECT e.member_id, e.group_id, (
                SELECT g.cause FROM group_move g WHERE g.member_id = e.member_id AND g.program_id = e.program_id ORDER BY g.at DESC, g.id DESC LIMIT 1)
            FROM enrollment e WHERE e.program_id = \(program) ORDER BY e.member_id
            """
        ).map { row in
            let cause: String? = try row.get(at: 2)
            return (try row.get(at: 0), Ladder.Standing(key: try row.get(at: 1), cause: cause.flatMap { GroupMove.Cause(rawValue: $0) }))
        }
    }

    /// Who has reached a rung, and with what. Sales that came back whole don't count; of an amount, a member's share of what was kept does.
    static func performance(
        _ rung: MemberGroup.Rung, of program: Program, at now: Instant, on connection: any Connection
    ) throws -> [(MemberID, Int64)] {
        let from = try rung.days.map { try now.adding(milliseconds: -$0 * 86_400_000) } ?? .earliest
        let value: SQL =
            switch rung.metric {
            case .sales: "count(*)"
            case .newCustomers: "sum(CASE WHEN s.sale_number = 1 THEN 1 ELSE 0 END)"
            case .amount: "sum((s.amount - s.refunded_amount) / 1000000 * c.share_ppm + (s.amount - s.refunded_amount) % 1000000 * c.share_ppm / 1000000)"
            }
        let currency: SQL = rung.metric == .amount ? "AND s.currency = \(program.currency)" : ""
        return try connection.rows(
            """
            SELECT c.member_id, CAST(\(sql: value) AS BIGINT) FROM sale s JOIN sale_credit c ON c.sale_id = s.id
            WHERE s.workspace_id = \(program.workspaceID) AND s.program_id = \(program.id) AND s.occurred_at >= \(from) AND s.occurred_at <= \(now)
              AND s.amount > s.refunded_amount AND c.share_ppm > 0 \(sql: currency)
            GROUP BY c.member_id HAVING \(sql: value) >= \(rung.atLeast)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func lookAt(_ program: ProgramID, in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO group_look (program_id, workspace_id, due_at) VALUES (\(program), \(workspace), \(instant))
            ON CONFLICT (program_id) DO UPDATE SET due_at = excluded.due_at
            """)
    }

    static func stopLooking(at program: ProgramID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM group_look WHERE program_id = \(program)")
    }

    /// Programs whose ladder is due. A test workspace's own clock may be ahead.
    static func due(at now: Instant, limit: Int, on connection: any Connection) throws -> [(ProgramID, WorkspaceID)] {
        try connection.rows(
            """
            SELECT l.program_id, l.workspace_id FROM group_look l JOIN workspace w ON w.id = l.workspace_id
            WHERE l.due_at <= \(now) + coalesce(w.test_ahead_ms, 0) ORDER BY l.due_at LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    // MARK: Reading

    private static let moveColumns = "id, program_id, member_id, from_key, to_key, cause, reason, evidence, author, at"

    private static func readMove(_ row: Row) throws -> GroupMove {
        let evidence: String = try row.get(at: 7)
        return GroupMove(
            id: try row.get(at: 0), programID: try row.get(at: 1), memberID: try row.get(at: 2), fromKey: try row.get(at: 3), toKey: try row.get(at: 4),
            cause: GroupMove.Cause(rawValue: try row.get(at: 5)) ?? .byHand, reason: try row.get(at: 6), evidence: GroupMove.Evidence(JSONText(text: evidence).value),
            author: try row.get(at: 8), at: try row.get(at: 9))
    }

    private static func read(_ row: Row) throws -> MemberGroup {
        let metric: String? = try row.get(at: 8)
        return MemberGroup(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), key: try row.get(at: 3), name: try row.get(at: 4),
            description: try row.get(at: 5), createdAt: try row.get(at: 6),
            rung: try metric.flatMap { MemberGroup.Rung.Metric(rawValue: $0) }.map { metric in
                MemberGroup.Rung(
                    position: try row.get(at: 7), metric: metric, atLeast: try row.get(at: 9), days: try row.get(at: 10), fallsBack: try row.get(at: 11))
            })
    }
}
