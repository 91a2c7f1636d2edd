import Chronology
import Money
import Persistence

enum RunStore {
    private static let columns = """
        id, workspace_id, program_id, plan_id, plan_version, period_start, period_end, starts_at, ends_at, state, unit, previous_id, cutoff, \
        facts_hash, hash, total, summary, audit, disclosure, created_by, created_at, previewed_at, accepted_by, accepted_at, override_reason, \
        funded_by, funded_at, superseded_by, superseded_at, work, work_done, work_total, work_chunks, work_owner, work_until, work_failure
        """

    static func insert(_ run: Run, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO run (id, workspace_id, program_id, plan_id, plan_version, period_start, period_end, starts_at, ends_at, state, unit, created_by, created_at)
            VALUES (\(run.id), \(run.workspaceID), \(run.programID), \(run.planID), \(run.planVersion), \(run.periodStart.iso8601),
                    \(run.periodEnd.iso8601), \(run.startsAt), \(run.endsAt), \(run.state.rawValue), \(run.unit.code), \(run.createdBy),
                    \(run.createdAt))
            """)
    }

    /// Writes all that changes in a run's life.
    static func update(_ run: Run, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE run SET plan_version = \(run.planVersion), state = \(run.state.rawValue), previous_id = \(run.previousID), cutoff = \(run.cutoff),
                facts_hash = \(run.factsHash), hash = \(run.hash), total = \(run.totalMinor), summary = \(run.summary.text),
                audit = \(run.audit.text), disclosure = \(run.disclosure.text), previewed_at = \(run.previewedAt), accepted_by = \(run.acceptedBy),
                accepted_at = \(run.acceptedAt), override_reason = \(run.overrideReason), funded_by = \(run.fundedBy), funded_at = \(run.fundedAt),
                superseded_by = \(run.supersededBy), superseded_at = \(run.supersededAt), work = \(run.progress.work?.rawValue),
                work_done = \(run.progress.done), work_total = \(run.progress.total), work_chunks = \(run.progress.chunks),
                work_owner = \(run.progress.owner), work_until = \(run.progress.until), work_failure = \(run.progress.failure)
            WHERE id = \(run.id)
            """)
    }

    /// Writes how far the work on a run is, and nothing else.
    static func updateProgress(_ run: Run, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE run SET work_done = \(run.progress.done), work_total = \(run.progress.total), work_chunks = \(run.progress.chunks),
                work_owner = \(run.progress.owner), work_until = \(run.progress.until)
            WHERE id = \(run.id)
            """)
    }

    static func find(_ id: RunID, in workspace: WorkspaceID, on connection: any Connection) throws -> Run? {
        try connection.row("SELECT \(raw: columns) FROM run WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(_ id: RunID, on connection: any Connection) throws -> Run? {
        try connection.row("SELECT \(raw: columns) FROM run WHERE id = \(id)").map(read)
    }

    /// The run of a plan and period that is not superseded.
    static func live(of plan: PlanID, startingOn day: LocalDay, on connection: any Connection) throws -> Run? {
        try connection.row(
            "SELECT \(raw: columns) FROM run WHERE plan_id = \(plan) AND period_start = \(day.iso8601) AND state <> 'superseded'"
        ).map(read)
    }

    /// The last run of a plan that starts before a day.
    static func last(of plan: PlanID, before day: LocalDay, on connection: any Connection) throws -> Run? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM run WHERE plan_id = \(plan) AND period_start < \(day.iso8601) AND state <> 'superseded'
            ORDER BY period_start DESC LIMIT 1
            """
        ).map(read)
    }

    /// Runs of a plan that are accepted, the oldest first, before a day.
    static func accepted(of plan: PlanID, before day: LocalDay, on connection: any Connection) throws -> [Run] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM run WHERE plan_id = \(plan) AND period_start < \(day.iso8601) AND state IN ('accepted', 'funded')
            ORDER BY period_start
            """
        ).map(read)
    }

    /// Whether a later run took the carry of this one, or will.
    static func hasLater(_ run: Run, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM run WHERE plan_id = \(run.planID) AND period_start > \(run.periodStart.iso8601) AND state NOT IN ('superseded', 'draft')
            LIMIT 1
            """) != nil
    }

    static func list(
        in workspace: WorkspaceID, plan: PlanID? = nil, state: Run.State? = nil, before cursor: String?, limit: Int,
        on connection: any Connection
    ) throws -> [Run] {
        var sql: SQL = "SELECT \(raw: columns) FROM run WHERE workspace_id = \(workspace)"
        if let plan { sql = "\(sql: sql) AND plan_id = \(plan)" }
        if let state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        if let cursor { sql = "\(sql: sql) AND id < \(cursor)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").map(read)
    }

    /// Runs of programs that are posted, the newest period first.
    static func posted(of programs: [ProgramID], in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Run] {
        guard !programs.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM run WHERE workspace_id = \(workspace) AND program_id IN \(list: programs) AND state IN ('accepted', 'funded')
            ORDER BY period_start DESC, id DESC LIMIT \(limit)
            """
        ).map(read)
    }

    /// The newest run of a program that has statements.
    static func newestComputed(of program: ProgramID, on connection: any Connection) throws -> RunID? {
        try connection.row(
            """
            SELECT id FROM run WHERE program_id = \(program) AND state IN ('previewed', 'accepting', 'accepted', 'funded')
            ORDER BY period_start DESC, id DESC LIMIT 1
            """
        )?.get(at: 0)
    }

    /// Runs whose work stopped in the middle, here or with a process that is gone.
    static func working(on connection: any Connection) throws -> [Run] {
        try connection.rows("SELECT \(raw: columns) FROM run WHERE work IS NOT NULL ORDER BY id").map(read)
    }

    private static func read(_ row: Row) throws -> Run {
        func day(_ column: Int) throws -> LocalDay {
            let text: String = try row.get(at: column)
            guard let day = try? LocalDay(iso8601: text) else { throw DatabaseFailure(.corrupt, "a run has the unknown day \(text)") }
            return day
        }
        let unit: String = try row.get(at: 10)
        let work: String? = try row.get(at: 29)
        return Run(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), planID: try row.get(at: 3),
            planVersion: try row.get(at: 4), periodStart: try day(5), periodEnd: try day(6), startsAt: try row.get(at: 7),
            endsAt: try row.get(at: 8), state: Run.State(rawValue: try row.get(at: 9)) ?? .superseded, unit: try UnitCode(unit),
            previousID: try row.get(at: 11), cutoff: try row.get(at: 12), factsHash: try row.get(at: 13), hash: try row.get(at: 14),
            totalMinor: try row.get(at: 15), summary: JSONText(text: try row.get(at: 16)), audit: JSONText(text: try row.get(at: 17)),
            disclosure: JSONText(text: try row.get(at: 18)), createdBy: try row.get(at: 19), createdAt: try row.get(at: 20),
            previewedAt: try row.get(at: 21), acceptedBy: try row.get(at: 22), acceptedAt: try row.get(at: 23),
            overrideReason: try row.get(at: 24), fundedBy: try row.get(at: 25), fundedAt: try row.get(at: 26),
            supersededBy: try row.get(at: 27), supersededAt: try row.get(at: 28),
            progress: Run.Progress(
                work: work.flatMap { Run.Work(rawValue: $0) }, done: try row.get(at: 30), total: try row.get(at: 31),
                chunks: try row.get(at: 32), owner: try row.get(at: 33), until: try row.get(at: 34), failure: try row.get(at: 35)))
    }
}
