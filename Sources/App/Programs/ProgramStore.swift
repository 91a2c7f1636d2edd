import Chronology
import Persistence
import Web

enum ProgramStore {
    static func insert(_ program: Program, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO program (id, workspace_id, name, slug, currency, time_zone, created_at)
            VALUES (\(program.id), \(program.workspaceID), \(program.name), \(program.slug), \(program.currency), \(program.zone.name),
                    \(program.createdAt))
            """)
    }

    static func insertVersion(
        _ version: ProgramHistory.Version, of program: ProgramID, recordedAt: Instant, author: Actor, on connection: any Connection
    ) throws {
        let hash = HashedTable.programVersion.hash([
            program, version.version, version.effectiveFrom, recordedAt, author.text, version.fields, version.isPartial, version.zone,
        ])
        try connection.execute(
            """
            INSERT INTO program_version (program_id, version, effective_from, recorded_at, author, settings, is_partial, time_zone, row_hash)
            VALUES (\(program), \(version.version), \(version.effectiveFrom), \(recordedAt), \(author.text), \(version.fields),
                    \(version.isPartial), \(version.zone), \(hash))
            """)
    }

    static func newestVersion(of id: ProgramID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT max(version) FROM program_version WHERE program_id = \(id)", as: Int?.self).flatMap { $0 } ?? 0
    }

    /// When the next scheduled change comes into force.
    static func nextChange(of id: ProgramID, after instant: Instant, on connection: any Connection) throws -> Instant? {
        try connection.value(
            """
            SELECT effective_from FROM program_version WHERE program_id = \(id) AND effective_from > \(instant)
            ORDER BY effective_from LIMIT 1
            """)
    }

    static func setName(_ id: ProgramID, _ name: String, on connection: any Connection) throws {
        try connection.execute("UPDATE program SET name = \(name) WHERE id = \(id)")
    }

    static func slugExists(_ slug: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM program WHERE workspace_id = \(workspace) AND slug = \(slug)") != nil
    }

    static func exists(_ id: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try name(of: id, in: workspace, on: connection) != nil
    }

    static func name(of id: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> String? {
        try connection.value("SELECT name FROM program WHERE id = \(id) AND workspace_id = \(workspace)")
    }

    /// The program as it is at an instant, past or to come.
    static func find(_ id: ProgramID, in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws -> Program? {
        try history(id, in: workspace, until: instant, on: connection)?.at(instant)
    }

    static func history(
        _ id: ProgramID, in workspace: WorkspaceID, until instant: Instant, on connection: any Connection
    ) throws -> ProgramHistory? {
        try histories(
            connection.rows(
                """
                SELECT \(raw: columns) FROM program p JOIN program_version v ON v.program_id = p.id
                WHERE p.id = \(id) AND p.workspace_id = \(workspace) AND v.effective_from <= \(instant)
                ORDER BY v.effective_from, v.version
                """)
        ).first
    }

    /// Programs as they are at an instant, the oldest first.
    static func list(
        in workspace: WorkspaceID, at instant: Instant, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Program] {
        try histories(
            connection.rows(
                """
                SELECT \(raw: columns) FROM
                    (SELECT id, workspace_id, name, slug, currency, time_zone, created_at FROM program
                     WHERE workspace_id = \(workspace) AND id > \(after ?? "") AND archived_at IS NULL ORDER BY id LIMIT \(limit)) p
                JOIN program_version v ON v.program_id = p.id
                WHERE v.effective_from <= \(instant) ORDER BY p.id, v.effective_from, v.version
                """)
        ).map { try $0.at(instant) }
    }

    private static let columns = """
        p.id, p.workspace_id, p.name, p.slug, p.currency, p.time_zone, p.created_at, v.version, v.effective_from, v.settings, v.is_partial, \
        v.time_zone
        """

    /// Rows that stand in the order of their programs, and each program's in the order of effect.
    private static func histories(_ rows: [Row]) throws -> [ProgramHistory] {
        var histories: [(ProgramIdentity, [ProgramHistory.Version])] = []
        for row in rows {
            let id: ProgramID = try row.get(at: 0)
            if histories.last?.0.id != id {
                histories.append(
                    (
                        ProgramIdentity(
                            id: id, workspaceID: try row.get(at: 1), name: try row.get(at: 2), slug: try row.get(at: 3),
                            currency: try row.get(at: 4), firstZone: try row.get(at: 5), createdAt: try row.get(at: 6)), []
                    ))
            }
            histories[histories.count - 1].1.append(
                ProgramHistory.Version(
                    version: try row.get(at: 7), effectiveFrom: try row.get(at: 8), fields: try row.get(at: 9), isPartial: try row.get(at: 10),
                    zone: try row.get(at: 11)))
        }
        return histories.map { ProgramHistory($0.0, $0.1) }
    }
}
