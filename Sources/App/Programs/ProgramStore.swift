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

    /// `newZone`: the zone that is in force from then on, when the version changes it.
    static func insertVersion(
        of program: Program, effectiveFrom: Instant, newZone: Zone? = nil, recordedAt: Instant, author: Actor, on connection: any Connection
    ) throws {
        let settings = String(decoding: program.settings.json.bytes, as: UTF8.self)
        try connection.execute(
            """
            INSERT INTO program_version (program_id, version, effective_from, recorded_at, author, settings, time_zone)
            VALUES (\(program.id), \(program.version), \(effectiveFrom), \(recordedAt), \(author.text), \(settings), \(newZone?.name))
            """)
    }

    static func setName(_ id: ProgramID, _ name: String, on connection: any Connection) throws {
        try connection.execute("UPDATE program SET name = \(name) WHERE id = \(id)")
    }

    static func slugExists(_ slug: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM program WHERE workspace_id = \(workspace) AND slug = \(slug)") != nil
    }

    /// The program as it was at an instant: of the versions in force then, the one recorded last.
    static func find(_ id: ProgramID, in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws -> Program? {
        try connection.row(
            """
            SELECT \(raw: columns), \(sql: zone(of: "z.effective_from <= \(instant)", newest: "z.effective_from DESC, z.version DESC"))
            FROM program p JOIN program_version v ON v.program_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) AND v.effective_from <= \(instant)
            ORDER BY v.effective_from DESC, v.version DESC LIMIT 1
            """
        ).map(read)
    }

    static func newest(_ id: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> Program? {
        try connection.row(
            """
            SELECT \(raw: columns), \(sql: newestZone) FROM program p JOIN program_version v ON v.program_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) ORDER BY v.version DESC LIMIT 1
            """
        ).map(read)
    }

    static func list(
        in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Program] {
        try connection.rows(
            """
            SELECT \(raw: columns), \(sql: newestZone) FROM program p JOIN program_version v ON v.program_id = p.id
            WHERE p.workspace_id = \(workspace) AND p.id > \(after ?? "") AND p.archived_at IS NULL
              AND v.version = (SELECT max(version) FROM program_version WHERE program_id = p.id)
            ORDER BY p.id LIMIT \(limit)
            """
        ).map(read)
    }

    private static let columns = "p.id, p.workspace_id, p.name, p.slug, p.currency, p.time_zone, p.created_at, v.version, v.settings"

    /// The zone changes on its own: settings written for the past or the future bring none with them.
    private static func zone(of versions: SQL, newest order: SQL) -> SQL {
        """
        (SELECT z.time_zone FROM program_version z
         WHERE z.program_id = p.id AND z.time_zone IS NOT NULL AND \(sql: versions) ORDER BY \(sql: order) LIMIT 1)
        """
    }

    private static var newestZone: SQL { zone(of: "z.version <= v.version", newest: "z.version DESC") }

    private static let parsed = Memo<String, ProgramSettings>(limit: 2_000)

    private static func read(_ row: Row) throws -> Program {
        let text: String = try row.get(at: 8)
        let settings = try parsed.value(text) {
            let reader = try JSONReader(JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000))
            let settings = ProgramSettings.read(reader)
            try reader.finish()
            return settings
        }
        return Program(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), name: try row.get(at: 2), slug: try row.get(at: 3),
            currency: try row.get(at: 4), zone: Zone(try row.get(at: 9, as: String?.self) ?? row.get(at: 5)) ?? .utc, createdAt: try row.get(at: 6), version: try row.get(at: 7),
            settings: settings)
    }
}
