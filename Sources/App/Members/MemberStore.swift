import Chronology
import Persistence

enum MemberStore {
    private static let columns = "id, workspace_id, person_id, kind, status, stage, enroller_id, country, locale, time_zone, joined_at, created_at"

    static func insert(_ member: Member, externalHash: [UInt8]?, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member (id, workspace_id, person_id, external_hash, kind, status, stage, enroller_id, country, locale, time_zone, joined_at, created_at,
                    row_hash)
            VALUES (\(member.id), \(member.workspaceID), \(member.personID), \(externalHash), \(member.kind.rawValue), \(member.status.rawValue),
                    \(member.stage.rawValue), \(member.enrollerID), \(member.country), \(member.locale), \(member.timeZone), \(member.joinedAt),
                    \(member.createdAt), \(member.rowHash))
            """)
    }

    static func update(_ member: Member, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE member SET kind = \(member.kind.rawValue), status = \(member.status.rawValue), stage = \(member.stage.rawValue),
                enroller_id = \(member.enrollerID), row_hash = \(member.rowHash), country = \(member.country), locale = \(member.locale), time_zone = \(member.timeZone)
            WHERE id = \(member.id)
            """)
    }

    static func find(_ id: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> Member? {
        try connection.row("SELECT \(raw: columns) FROM member WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    /// The first member that a person is.
    static func find(person: PersonID, in workspace: WorkspaceID, on connection: any Connection) throws -> Member? {
        try connection.row("SELECT \(raw: columns) FROM member WHERE person_id = \(person) AND workspace_id = \(workspace) ORDER BY id LIMIT 1").map(read)
    }

    static func find(externalHash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> Member? {
        try connection.row("SELECT \(raw: columns) FROM member WHERE workspace_id = \(workspace) AND external_hash = \(externalHash)").map(read)
    }

    static func find(
        _ reference: MemberReference, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> Member? {
        switch reference {
        case .id(let id): try find(id, in: workspace, on: connection)
        case .external(let text):
            try find(externalHash: vault.lookupHash(workspace, "member", text), in: workspace, on: connection)
        }
    }

    static func find(_ ids: [MemberID], on connection: any Connection) throws -> [MemberID: Member] {
        guard !ids.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT \(raw: columns) FROM member WHERE id IN \(list: ids)")
        return Dictionary(try rows.map(read).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    static func list(
        in workspace: WorkspaceID, program: ProgramID?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Member] {
        let member = columns.split(separator: ", ").map { "m.\($0)" }.joined(separator: ", ")
        if let program {
            return try connection.rows(
                """
                SELECT \(raw: member) FROM enrollment e JOIN member m ON m.id = e.member_id
                WHERE e.program_id = \(program) AND m.workspace_id = \(workspace) AND e.member_id > \(after ?? "") ORDER BY e.member_id LIMIT \(limit)
                """
            ).map(read)
        }
        return try connection.rows(
            "SELECT \(raw: member) FROM member m WHERE m.workspace_id = \(workspace) AND m.id > \(after ?? "") ORDER BY m.id LIMIT \(limit)"
        ).map(read)
    }

    static func isEnrolled(_ member: MemberID, in program: ProgramID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM enrollment WHERE program_id = \(program) AND member_id = \(member)") != nil
    }

    static func enroll(
        _ member: MemberID, in program: ProgramID, group: String?, at: Instant, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO enrollment (program_id, member_id, group_id, enrolled_at) VALUES (\(program), \(member), \(group), \(at))
            ON CONFLICT (program_id, member_id) DO NOTHING
            """)
    }

    static func group(of member: MemberID, in program: ProgramID, on connection: any Connection) throws -> String? {
        try connection.row("SELECT group_id FROM enrollment WHERE program_id = \(program) AND member_id = \(member)")?.get(at: 0)
    }

    static func programs(of member: MemberID, on connection: any Connection) throws -> [ProgramID] {
        try connection.rows("SELECT program_id FROM enrollment WHERE member_id = \(member) ORDER BY program_id").map { try $0.get(at: 0) }
    }

    /// The enrollers above a member, the nearest first, at most `limit` of them.
    static func enrollers(above member: MemberID, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            WITH RECURSIVE above (id, enroller_id, level) AS (
                SELECT id, enroller_id, 0 FROM member WHERE id = \(member)
                UNION ALL
                SELECT m.id, m.enroller_id, above.level + 1 FROM member m JOIN above ON m.id = above.enroller_id WHERE above.level < \(limit)
            )
            SELECT id FROM above WHERE level > 0 ORDER BY level
            """
        ).map { try $0.get(at: 0) }
    }

    static func hasRecruits(_ member: MemberID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM member WHERE enroller_id = \(member) LIMIT 1") != nil
    }

    /// Whether `member` stands anywhere above `other` (or is them). The walk ends at the root; the tree has no cycles.
    static func isAbove(_ member: MemberID, _ other: MemberID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            WITH RECURSIVE above (id, enroller_id) AS (
                SELECT id, enroller_id FROM member WHERE id = \(other)
                UNION ALL
                SELECT m.id, m.enroller_id FROM member m JOIN above ON m.id = above.enroller_id
            )
            SELECT 1 FROM above WHERE id = \(member) LIMIT 1
            """) != nil
    }

    static func recordMove(
        _ member: MemberID, from: Member.Stage?, to: Member.Stage, cause: String, in write: Write
    ) throws {
        try write.connection.execute(
            """
            INSERT INTO stage_move (id, workspace_id, member_id, from_stage, to_stage, cause, at)
            VALUES (\(write.world.newID(StageMoveKind.self)), \(write.workspace.id), \(member), \(from?.rawValue), \(to.rawValue), \(cause), \(write.now))
            """)
    }

    static func insertPlacement(
        program: ProgramID, tree: String, member: MemberID, parent: MemberID?, slot: Int64?, from: Instant, recordedAt: Instant,
        on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO placement (program_id, tree, member_id, parent_id, slot, effective_from, recorded_at)
            VALUES (\(program), \(tree), \(member), \(parent), \(slot), \(from), \(recordedAt))
            ON CONFLICT (program_id, tree, member_id, effective_from) DO NOTHING
            """)
    }

    /// Where a member stands in a program's placement tree now; nil when nowhere.
    static func placement(of member: MemberID, in program: ProgramID, on connection: any Connection) throws -> (parent: MemberID?, slot: Int64?)? {
        try connection.row(
            """
            SELECT parent_id, slot FROM placement
            WHERE program_id = \(program) AND member_id = \(member) AND tree = 'placement' AND effective_until IS NULL ORDER BY effective_from DESC LIMIT 1
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func placementParent(of member: MemberID, on connection: any Connection) throws -> MemberID? {
        try connection.row(
            "SELECT parent_id FROM placement WHERE member_id = \(member) AND tree = 'placement' AND effective_until IS NULL ORDER BY effective_from DESC LIMIT 1"
        )?.get(at: 0)
    }

    /// Those of the members who are a customer by the company's own id, or share a mailbox, address, device or payment means with them; whoever
    /// was merged is one person.
    static func buyers(behind customer: CustomerID, among members: [MemberID], on connection: any Connection) throws -> [MemberID] {
        guard !members.isEmpty else { return [] }
        let selves = try MemberMergeStore.selves(members, on: connection)
        let people = Array(selves.keys)
        let found: [MemberID] = try connection.rows(
            """
            SELECT DISTINCT m.id FROM customer c
            JOIN person_lookup b ON b.person_id = c.person_id AND b.kind <> 'email'
            JOIN person_lookup a ON a.workspace_id = b.workspace_id AND a.kind = b.kind AND a.hash = b.hash
            JOIN member m ON m.person_id = a.person_id
            WHERE c.id = \(customer) AND m.id IN \(list: people)
            UNION SELECT l.member_id FROM customer_member l WHERE l.customer_id = \(customer) AND l.member_id IN \(list: people) ORDER BY 1
            """
        ).map { try $0.get(at: 0) }
        return found.reduce(into: Set<MemberID>()) { $0.formUnion(selves[$1] ?? []) }.sorted()
    }

    /// Whether `member` stands anywhere above `other` in the placement tree (or is them).
    static func isPlacedAbove(_ member: MemberID, _ other: MemberID, on connection: any Connection) throws -> Bool {
        var current: MemberID? = other
        while let id = current {
            if id == member { return true }
            current = try placementParent(of: id, on: connection)
        }
        return false
    }

    private static func read(_ row: Row) throws -> Member {
        Member(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), personID: try row.get(at: 2),
            kind: Member.Kind(rawValue: try row.get(at: 3)) ?? .customer, status: Member.Status(rawValue: try row.get(at: 4)) ?? .inactive,
            stage: Member.Stage(rawValue: try row.get(at: 5)) ?? .prospect, enrollerID: try row.get(at: 6), country: try row.get(at: 7),
            locale: try row.get(at: 8), timeZone: try row.get(at: 9), joinedAt: try row.get(at: 10), createdAt: try row.get(at: 11))
    }
}

extension Member {
    fileprivate var rowHash: [UInt8] {
        HashedTable.member.hash([id, workspaceID, personID, enrollerID, joinedAt, createdAt])
    }
}
