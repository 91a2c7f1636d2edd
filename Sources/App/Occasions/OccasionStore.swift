import Chronology
import Persistence
import Web

enum OccasionStore {
    private static let columns = """
        o.id, o.workspace_id, o.program_id, o.title, o.description, o.place, o.zone, o.starts_at, o.ends_at, o.places, o.invited, o.earn_action_id,
        o.canceled_at, o.created_at
        """

    static func insert(_ occasion: Occasion, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO occasion (id, workspace_id, program_id, title, description, place, zone, starts_at, ends_at, places, invited, earn_action_id,
                invited_through, reminded_through, created_at)
            VALUES (\(occasion.id), \(occasion.workspaceID), \(occasion.programID), \(occasion.title), \(occasion.description), \(occasion.place),
                    \(occasion.zone.name), \(occasion.startsAt), \(occasion.endsAt), \(occasion.places), \(JSONText(occasion.invited.json).text),
                    \(occasion.earnActionID), '', '', \(occasion.createdAt))
            """)
    }

    static func update(_ occasion: Occasion, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE occasion SET description = \(occasion.description), place = \(occasion.place), places = \(occasion.places) WHERE id = \(occasion.id)")
    }

    static func cancel(_ id: OccasionID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE occasion SET canceled_at = \(now) WHERE id = \(id)")
    }

    static func find(_ id: OccasionID, in workspace: WorkspaceID, on connection: any Connection) throws -> Occasion? {
        try connection.row("SELECT \(raw: columns) FROM occasion o WHERE o.id = \(id) AND o.workspace_id = \(workspace)").map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Occasion] {
        try connection.rows(
            "SELECT \(raw: columns) FROM occasion o WHERE o.workspace_id = \(workspace) AND o.id > \(after ?? "") ORDER BY o.id LIMIT \(Int64(limit))"
        ).map(read)
    }

    static func newest(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Occasion] {
        try connection.rows("SELECT \(raw: columns) FROM occasion o WHERE o.workspace_id = \(workspace) ORDER BY o.id DESC LIMIT \(Int64(limit))").map(read)
    }

    static func open(in program: ProgramID, at now: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM occasion WHERE program_id = \(program) AND starts_at > \(now) AND canceled_at IS NULL") ?? 0
    }

    /// What a member's programs have ahead, the next first.
    static func ahead(in programs: [ProgramID], at now: Instant, limit: Int, on connection: any Connection) throws -> [Occasion] {
        guard !programs.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM occasion o WHERE o.program_id IN \(list: programs) AND o.ends_at > \(now) AND o.starts_at > 0
            ORDER BY o.starts_at, o.id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    // MARK: Whom it is for

    /// Active members whom it is for, in order of ids.
    static func invited(to occasion: Occasion, after: String, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT m.id FROM enrollment e JOIN member m ON m.id = e.member_id
            WHERE e.program_id = \(occasion.programID) AND m.status = 'active' AND m.id > \(after) AND \(sql: fits(occasion))
            ORDER BY m.id LIMIT \(Int64(limit))
            """
        ).map { try $0.get(at: 0) }
    }

    static func isInvited(_ member: MemberID, to occasion: Occasion, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM enrollment e JOIN member m ON m.id = e.member_id
            WHERE e.program_id = \(occasion.programID) AND e.member_id = \(member) AND m.status = 'active' AND \(sql: fits(occasion))
            """) != nil
    }

    private static func fits(_ occasion: Occasion) -> SQL {
        let invited = occasion.invited
        var condition: SQL = "1 = 1"
        if !invited.groups.isEmpty { condition = "\(sql: condition) AND e.group_id IN \(list: invited.groups)" }
        if !invited.stages.isEmpty { condition = "\(sql: condition) AND m.stage IN \(list: invited.stages.map(\.rawValue))" }
        if !invited.tiers.isEmpty {
            condition = """
                \(sql: condition) AND EXISTS (
                    SELECT 1 FROM standing s WHERE s.program_id = e.program_id AND s.member_id = e.member_id AND s.tier_id IN \(list: invited.tiers))
                """
        }
        return condition
    }

    // MARK: Letters

    static func inviting(in workspace: WorkspaceID, on connection: any Connection) throws -> (Occasion, through: String)? {
        try connection.row(
            "SELECT \(raw: columns), o.invited_through FROM occasion o WHERE o.workspace_id = \(workspace) AND o.invited_at IS NULL ORDER BY o.id LIMIT 1"
        ).map { (try read($0), try $0.get(at: 14)) }
    }

    static func setInvited(_ id: OccasionID, through: String, at done: Instant?, on connection: any Connection) throws {
        try connection.execute("UPDATE occasion SET invited_through = \(through), invited_at = \(done) WHERE id = \(id)")
    }

    static func reminding(in workspace: WorkspaceID, before soon: Instant, on connection: any Connection) throws -> (Occasion, through: String)? {
        try connection.row(
            """
            SELECT \(raw: columns), o.reminded_through FROM occasion o
            WHERE o.workspace_id = \(workspace) AND o.reminded_at IS NULL AND o.starts_at <= \(soon) ORDER BY o.starts_at, o.id LIMIT 1
            """
        ).map { (try read($0), try $0.get(at: 14)) }
    }

    static func setReminded(_ id: OccasionID, through: String, at done: Instant?, on connection: any Connection) throws {
        try connection.execute("UPDATE occasion SET reminded_through = \(through), reminded_at = \(done) WHERE id = \(id)")
    }

    private static func read(_ row: Row) throws -> Occasion {
        Occasion(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), title: try row.get(at: 3), description: try row.get(at: 4),
            place: try row.get(at: 5), zone: Zone(try row.get(at: 6, as: String.self)) ?? .utc, startsAt: try row.get(at: 7), endsAt: try row.get(at: 8),
            places: try row.get(at: 9), invited: Occasion.Invited(JSONText(text: try row.get(at: 10)).value), earnActionID: try row.get(at: 11),
            canceledAt: try row.get(at: 12), createdAt: try row.get(at: 13))
    }
}

enum OccasionAnswerStore {
    static func find(_ occasion: OccasionID, _ member: MemberID, on connection: any Connection) throws -> OccasionAnswer? {
        try connection.row(
            "SELECT occasion_id, member_id, answer, answered_at, attended_at FROM occasion_answer WHERE occasion_id = \(occasion) AND member_id = \(member)"
        ).map(read)
    }

    static func put(_ answer: OccasionAnswer, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO occasion_answer (occasion_id, member_id, answer, answered_at, attended_at)
            VALUES (\(answer.occasionID), \(answer.memberID), \(answer.kind.rawValue), \(answer.answeredAt), \(answer.attendedAt))
            ON CONFLICT (occasion_id, member_id) DO UPDATE SET answer = excluded.answer, answered_at = excluded.answered_at, attended_at = excluded.attended_at
            """)
    }

    /// Those who come first, then those who wait, as they answered.
    static func list(of occasion: OccasionID, limit: Int, on connection: any Connection) throws -> [OccasionAnswer] {
        try connection.rows(
            """
            SELECT occasion_id, member_id, answer, answered_at, attended_at FROM occasion_answer WHERE occasion_id = \(occasion)
            ORDER BY CASE answer WHEN 'yes' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END, answered_at, member_id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    static func page(of occasion: OccasionID, after: String?, limit: Int, on connection: any Connection) throws -> [OccasionAnswer] {
        try connection.rows(
            """
            SELECT occasion_id, member_id, answer, answered_at, attended_at FROM occasion_answer
            WHERE occasion_id = \(occasion) AND member_id > \(after ?? "") ORDER BY member_id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    /// In the order in which they answered.
    static func members(of occasion: OccasionID, _ kinds: [OccasionAnswer.Kind], limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT member_id FROM occasion_answer WHERE occasion_id = \(occasion) AND answer IN \(list: kinds.map(\.rawValue))
            ORDER BY answered_at, member_id LIMIT \(Int64(limit))
            """
        ).map { try $0.get(at: 0) }
    }

    static func coming(to occasion: OccasionID, after: String, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT member_id FROM occasion_answer WHERE occasion_id = \(occasion) AND answer = 'yes' AND member_id > \(after)
            ORDER BY member_id LIMIT \(Int64(limit))
            """
        ).map { try $0.get(at: 0) }
    }

    static func counts(_ occasions: [OccasionID], on connection: any Connection) throws -> [OccasionID: [OccasionAnswer.Kind: Int64]] {
        guard !occasions.isEmpty else { return [:] }
        var counts: [OccasionID: [OccasionAnswer.Kind: Int64]] = [:]
        for row in try connection.rows(
            "SELECT occasion_id, answer, count(*) FROM occasion_answer WHERE occasion_id IN \(list: occasions) GROUP BY occasion_id, answer")
        {
            if let kind = OccasionAnswer.Kind(rawValue: try row.get(at: 1)) { counts[try row.get(at: 0), default: [:]][kind] = try row.get(at: 2) }
        }
        return counts
    }

    static func of(_ member: MemberID, _ occasions: [OccasionID], on connection: any Connection) throws -> [OccasionID: OccasionAnswer] {
        guard !occasions.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT occasion_id, member_id, answer, answered_at, attended_at FROM occasion_answer
            WHERE member_id = \(member) AND occasion_id IN \(list: occasions)
            """
        ).map(read)
        return Dictionary(rows.map { ($0.occasionID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func read(_ row: Row) throws -> OccasionAnswer {
        OccasionAnswer(
            occasionID: try row.get(at: 0), memberID: try row.get(at: 1), kind: OccasionAnswer.Kind(rawValue: try row.get(at: 2)) ?? .no,
            answeredAt: try row.get(at: 3), attendedAt: try row.get(at: 4))
    }
}
