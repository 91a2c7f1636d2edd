import Chronology
import Persistence

/// A company's tenant, or its test twin.
struct Workspace: Sendable, Hashable {
    var id: WorkspaceID
    var name: String
    var slug: String
    /// Set on a test twin: the live workspace it belongs to.
    var liveID: WorkspaceID?
    /// How far the movable clock of a test workspace is ahead of real time.
    var testAheadMs: Int64?
    var timeZone: String
    var locale: String
    var hue: Int
    /// 0 while there is no theme but the hue.
    var themeRevision = 0
    var logoKind: String?

    var isTest: Bool { liveID != nil }

    /// The workspace whose team works here.
    var teamID: WorkspaceID { liveID ?? id }

    /// What this workspace calls now. A test clock goes on by itself and can be moved forward.
    func now(_ world: World) -> Instant { Self.now(world, aheadMs: testAheadMs ?? 0) }

    static func now(_ world: World, aheadMs: Int64) -> Instant {
        let real = world.now()
        return (try? real.adding(milliseconds: aheadMs)) ?? real
    }
}

enum WorkspaceStore {
    private static let columns = "id, name, slug, live_id, test_ahead_ms, time_zone, locale, hue, theme_revision, logo_kind"

    static func find(_ id: WorkspaceID, on connection: any Connection) throws -> Workspace? {
        try connection.row("SELECT \(raw: columns) FROM workspace WHERE id = \(id)").map(read)
    }

    /// What a workspace calls now.
    static func now(of id: WorkspaceID, _ world: World, on connection: any Connection) throws -> Instant {
        Workspace.now(world, aheadMs: try find(id, on: connection)?.testAheadMs ?? 0)
    }

    static func twin(of id: WorkspaceID, on connection: any Connection) throws -> Workspace? {
        try connection.row("SELECT \(raw: columns) FROM workspace WHERE live_id = \(id)").map(read)
    }

    static func all(on connection: any Connection) throws -> [Workspace] {
        try connection.rows("SELECT \(raw: columns) FROM workspace ORDER BY id").map(read)
    }

    static func slugExists(_ slug: String, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM workspace WHERE slug = \(slug)") != nil
    }

    static func insert(_ workspace: Workspace, createdAt: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO workspace (id, name, slug, live_id, test_ahead_ms, time_zone, locale, hue, created_at)
            VALUES (\(workspace.id), \(workspace.name), \(workspace.slug), \(workspace.liveID), \(workspace.testAheadMs),
                    \(workspace.timeZone), \(workspace.locale), \(workspace.hue), \(createdAt))
            """)
    }

    static func setClock(_ id: WorkspaceID, aheadMs: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE workspace SET test_ahead_ms = \(aheadMs) WHERE id = \(id) AND live_id IS NOT NULL")
    }

    private static func read(_ row: Row) throws -> Workspace {
        Workspace(
            id: try row.get(at: 0), name: try row.get(at: 1), slug: try row.get(at: 2), liveID: try row.get(at: 3),
            testAheadMs: try row.get(at: 4), timeZone: try row.get(at: 5), locale: try row.get(at: 6), hue: try row.get(at: 7),
            themeRevision: try row.get(at: 8), logoKind: try row.get(at: 9))
    }
}
