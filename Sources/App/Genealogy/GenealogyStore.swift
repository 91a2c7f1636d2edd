import Chronology
import Persistence

/// Branches of a tree, a few rows at a time: nothing here reads more than what is shown.
enum GenealogyStore {
    struct Node: Sendable {
        var memberID: MemberID
        var kind: Member.Kind
        var status: Member.Status
        var parentID: MemberID?
        var slot: Int64?
    }

    /// Who stands right below a member: promoters first, then by id.
    static func children(
        of parent: MemberID, tree: String, program: ProgramID, after: String?, limit: Int, at now: Instant, on connection: any Connection
    ) throws -> [Node] {
        if tree == "enroller" {
            return try connection.rows(
                """
                SELECT m.id, m.kind, m.status, m.enroller_id FROM member m JOIN enrollment e ON e.member_id = m.id AND e.program_id = \(program)
                WHERE m.enroller_id = \(parent) AND m.id > \(after ?? "") ORDER BY m.id LIMIT \(limit)
                """
            ).map { try node($0, slot: nil) }
        }
        return try connection.rows(
            """
            SELECT m.id, m.kind, m.status, p.parent_id, p.slot FROM placement p JOIN member m ON m.id = p.member_id
            WHERE p.program_id = \(program) AND p.tree = \(tree) AND p.parent_id = \(parent) AND p.member_id > \(after ?? "")
              AND p.effective_from <= \(now) AND (p.effective_until IS NULL OR p.effective_until > \(now)) ORDER BY p.member_id LIMIT \(limit)
            """
        ).map { try node($0, slot: try $0.get(at: 4)) }
    }

    private static func node(_ row: Row, slot: Int64?) throws -> Node {
        Node(
            memberID: try row.get(at: 0), kind: Member.Kind(rawValue: try row.get(at: 1)) ?? .customer,
            status: Member.Status(rawValue: try row.get(at: 2)) ?? .inactive, parentID: try row.get(at: 3), slot: slot)
    }

    /// Members without anybody above them.
    static func roots(
        tree: String, program: ProgramID, after: String?, limit: Int, at now: Instant, on connection: any Connection
    ) throws -> [Node] {
        var sql: SQL = """
            SELECT m.id, m.kind, m.status, m.enroller_id FROM enrollment e JOIN member m ON m.id = e.member_id
            WHERE e.program_id = \(program) AND m.kind = 'promoter' AND m.id > \(after ?? "")
            """
        if tree == "enroller" {
            sql = "\(sql: sql) AND m.enroller_id IS NULL"
        } else {
            sql = """
                \(sql: sql) AND EXISTS (SELECT 1 FROM placement c WHERE c.program_id = \(program) AND c.tree = \(tree) AND c.parent_id = m.id)
                  AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.program_id = \(program) AND p.tree = \(tree) AND p.member_id = m.id
                    AND p.effective_from <= \(now) AND (p.effective_until IS NULL OR p.effective_until > \(now)))
                """
        }
        return try connection.rows("\(sql: sql) ORDER BY m.id LIMIT \(limit)").map { try node($0, slot: nil) }
    }

    /// Those of the members who have somebody below them.
    static func parents(
        among members: [MemberID], tree: String, program: ProgramID, at now: Instant, on connection: any Connection
    ) throws -> Set<MemberID> {
        guard !members.isEmpty else { return [] }
        let sql: SQL =
            tree == "enroller"
            ? "SELECT m.id FROM member m WHERE m.id IN \(list: members) AND EXISTS (SELECT 1 FROM member c WHERE c.enroller_id = m.id)"
            : """
            SELECT m.id FROM member m WHERE m.id IN \(list: members) AND EXISTS (
              SELECT 1 FROM placement p WHERE p.program_id = \(program) AND p.tree = \(tree) AND p.parent_id = m.id
                AND p.effective_from <= \(now) AND (p.effective_until IS NULL OR p.effective_until > \(now)))
            """
        return Set(try connection.rows(sql).map { try $0.get(at: 0) as MemberID })
    }

    static func node(_ member: MemberID, program: ProgramID, tree: String, at now: Instant, on connection: any Connection) throws -> Node? {
        guard
            let row = try connection.row(
                """
                SELECT m.id, m.kind, m.status, m.enroller_id FROM member m JOIN enrollment e ON e.member_id = m.id AND e.program_id = \(program)
                WHERE m.id = \(member)
                """)
        else { return nil }
        var found = try node(row, slot: nil)
        if tree != "enroller" {
            let place = try PlacementStore.all(of: member, in: program, tree, on: connection).last {
                $0.from <= now && ($0.until ?? .latest) > now
            }
            found.parentID = place?.parentID ?? found.parentID
            found.slot = place?.slot
        }
        return found
    }

    static func trees(of program: ProgramID, on connection: any Connection) throws -> [String] {
        // From one tree to the next: a million places are not read for their few names.
        try connection.rows(
            """
            WITH RECURSIVE used (tree) AS (
              SELECT min(tree) FROM placement WHERE program_id = \(program)
              UNION ALL
              SELECT (SELECT min(p.tree) FROM placement p WHERE p.program_id = \(program) AND p.tree > used.tree) FROM used WHERE used.tree IS NOT NULL)
            SELECT tree FROM tree_policy WHERE program_id = \(program) UNION SELECT tree FROM used WHERE tree IS NOT NULL ORDER BY 1
            """
        ).map { try $0.get(at: 0) }
    }
}
