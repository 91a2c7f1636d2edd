import Chronology
import Persistence

enum PlanStore {
    static func insert(_ plan: ProgramPlan, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO plan (id, workspace_id, program_id, name, created_at)
            VALUES (\(plan.id), \(plan.workspaceID), \(plan.programID), \(plan.name), \(plan.createdAt))
            """)
    }

    static func insertVersion(_ plan: ProgramPlan, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO plan_version (plan_id, version, effective_from, recorded_at, author, document, canonical)
            VALUES (\(plan.id), \(plan.version), \(plan.effectiveFrom), \(plan.recordedAt), \(plan.author), \(plan.document), \(plan.canonical))
            """)
    }

    private static let columns = """
        p.id, p.workspace_id, p.program_id, p.name, p.created_at, v.version, v.effective_from, v.recorded_at, v.author, v.document, v.canonical
        """

    static func newest(_ id: PlanID, in workspace: WorkspaceID, on connection: any Connection) throws -> ProgramPlan? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM plan p JOIN plan_version v ON v.plan_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) ORDER BY v.version DESC LIMIT 1
            """
        ).map(read)
    }

    static func find(_ id: PlanID, version: Int, in workspace: WorkspaceID, on connection: any Connection) throws -> ProgramPlan? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM plan p JOIN plan_version v ON v.plan_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) AND v.version = \(version)
            """
        ).map(read)
    }

    /// The version that holds for a period that starts at an instant.
    static func inForce(_ id: PlanID, at start: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> ProgramPlan? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM plan p JOIN plan_version v ON v.plan_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) AND v.effective_from <= \(start)
            ORDER BY v.effective_from DESC, v.version DESC LIMIT 1
            """
        ).map(read)
    }

    static func versions(of id: PlanID, in workspace: WorkspaceID, on connection: any Connection) throws -> [ProgramPlan] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM plan p JOIN plan_version v ON v.plan_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) ORDER BY v.version DESC
            """
        ).map(read)
    }

    /// The newest version of each plan.
    static func list(
        in workspace: WorkspaceID, program: ProgramID? = nil, after: String?, limit: Int, on connection: any Connection
    ) throws -> [ProgramPlan] {
        var condition: SQL = "p.workspace_id = \(workspace) AND p.id > \(after ?? "")"
        if let program { condition = "\(sql: condition) AND p.program_id = \(program)" }
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM plan p JOIN plan_version v ON v.plan_id = p.id
            WHERE \(sql: condition) AND v.version = (SELECT max(version) FROM plan_version WHERE plan_id = p.id)
            ORDER BY p.id LIMIT \(limit)
            """
        ).map(read)
    }

    private static func read(_ row: Row) throws -> ProgramPlan {
        ProgramPlan(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3),
            createdAt: try row.get(at: 4), version: try row.get(at: 5), effectiveFrom: try row.get(at: 6), recordedAt: try row.get(at: 7),
            author: try row.get(at: 8), document: try row.get(at: 9), canonical: try row.get(at: 10))
    }
}
