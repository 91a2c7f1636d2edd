import Chronology
import Compensation
import Persistence
import Web

/// Members who wait for a place.
struct WaitingMember: Sendable {
    var programID: ProgramID
    var tree: String
    var memberID: MemberID
    var enrolledAt: Instant
    var dueAt: Instant

    var json: JSONValue {
        [
            "programId": .text(programID.text), "tree": .text(tree), "memberId": .text(memberID.text), "enrolledAt": .text(enrolledAt.rfc3339),
            "dueAt": .text(dueAt.rfc3339),
        ]
    }
}

enum HoldingTankStore {
    /// Lets a new member into the tank of every tree of the program that has rules and no place for them yet.
    static func admit(_ member: Member, to program: ProgramID, at enrolledAt: Instant, in write: Write) throws {
        guard member.kind == .promoter, member.enrollerID != nil else { return }
        let policies = try TreePolicyStore.all(of: program, on: write.connection)
        guard !policies.isEmpty, let known = try ProgramStore.find(program, in: write.workspace.id, at: write.now, on: write.connection),
            let zone = try? PlanZone.offsets(known)
        else { return }
        for (tree, policy) in policies
        where try PlacementStore.all(of: member.id, in: program, tree, on: write.connection).isEmpty {
            try write.connection.execute(
                """
                INSERT INTO placement_waiting (program_id, tree, member_id, enrolled_at, due_at)
                VALUES (\(program), \(tree), \(member.id), \(enrolledAt), \(try policy.dueAt(enrolledAt, zone: zone)))
                ON CONFLICT (program_id, tree, member_id) DO NOTHING
                """)
        }
    }

    static func remove(_ member: MemberID, _ program: ProgramID, _ tree: String, on connection: any Connection) throws {
        try connection.execute("DELETE FROM placement_waiting WHERE program_id = \(program) AND tree = \(tree) AND member_id = \(member)")
    }

    static func postpone(_ waiting: WaitingMember, until: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE placement_waiting SET due_at = \(until)
            WHERE program_id = \(waiting.programID) AND tree = \(waiting.tree) AND member_id = \(waiting.memberID)
            """)
    }

    /// Those whose time is up, in the order of enrolment, in all workspaces with their own clocks.
    static func due(now: Instant, limit: Int, on connection: any Connection) throws -> [(workspace: WorkspaceID, waiting: WaitingMember)] {
        try connection.rows(
            """
            SELECT p.workspace_id, w.program_id, w.tree, w.member_id, w.enrolled_at, w.due_at FROM placement_waiting w
            JOIN program p ON p.id = w.program_id JOIN workspace s ON s.id = p.workspace_id
            WHERE w.due_at <= \(now) + coalesce(s.test_ahead_ms, 0) ORDER BY w.enrolled_at, w.member_id, w.tree LIMIT \(limit)
            """
        ).map { row in
            (
                try row.get(at: 0),
                WaitingMember(
                    programID: try row.get(at: 1), tree: try row.get(at: 2), memberID: try row.get(at: 3), enrolledAt: try row.get(at: 4),
                    dueAt: try row.get(at: 5))
            )
        }
    }

    static func list(_ program: ProgramID, after: String?, limit: Int, on connection: any Connection) throws -> [WaitingMember] {
        try connection.rows(
            """
            SELECT program_id, tree, member_id, enrolled_at, due_at FROM placement_waiting
            WHERE program_id = \(program) AND member_id > \(after ?? "") ORDER BY member_id, tree LIMIT \(limit)
            """
        ).map { row in
            WaitingMember(
                programID: try row.get(at: 0), tree: try row.get(at: 1), memberID: try row.get(at: 2), enrolledAt: try row.get(at: 3),
                dueAt: try row.get(at: 4))
        }
    }
}
