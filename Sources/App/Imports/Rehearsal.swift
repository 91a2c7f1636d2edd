import Foundation
import Persistence

/// Runs a large write of one workspace on a copy that is thrown away, to know what it would do. Nobody who writes waits for it: the
/// copy is made of a snapshot, and no row of the original is locked.
///
/// SQLite: the copy is a file beside the database, which needs as much room again. PostgreSQL: the copy are temporary tables that
/// stand before the real ones for as long as the transaction lasts, in which the statements of the verbs find themselves unchanged.
enum Rehearsal {
    static func run<T: Sendable>(
        _ workspace: WorkspaceID, of installation: Installation, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        if let file = installation.main as? SQLiteDatabase { return try await onCopy(of: file, body) }
        let timeouts = PostgresDatabase.Timeouts(statementMs: copyingMaxMs)
        let database = try await PostgresDatabase.open(url: installation.settings.database, connections: 2, timeouts: timeouts)
        do {
            let value = try await rolledBack(database) { connection in
                try RehearsalStore.shadow(workspace, on: connection)
                return try body(connection)
            }
            await database.close()
            return value
        } catch {
            await database.close()
            throw error
        }
    }

    /// Copies that a process left behind which was killed.
    static func removeLeftovers(beside path: String) {
        let url = URL(fileURLWithPath: path)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
        for name in names where name.hasPrefix(url.lastPathComponent + ending) {
            try? FileManager.default.removeItem(at: url.deletingLastPathComponent().appendingPathComponent(name))
        }
    }

    /// The longest that copying one table of PostgreSQL may take.
    private static let copyingMaxMs = 30 * 60_000
    private static let ending = ".rehearsal-"

    private struct Done<T: Sendable>: Error { var value: T }

    private static func onCopy<T: Sendable>(of file: SQLiteDatabase, _ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        let place = file.path ?? FileManager.default.temporaryDirectory.appendingPathComponent("kith").path
        let path = place + ending + UUID().uuidString
        defer { for end in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try await file.backup(to: path)
        let copy = try await SQLiteDatabase.open(path: path, mayCreate: false)
        do {
            let value = try await rolledBack(copy, body)
            await copy.close()
            return value
        } catch {
            await copy.close()
            throw error
        }
    }

    private static func rolledBack<T: Sendable>(
        _ database: any Database, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        do {
            return try await database.write { connection -> T in throw Done(value: try body(connection)) }
        } catch let done as Done<T> {
            return done.value
        }
    }
}

enum RehearsalStore {
    /// Written and never read by what is rehearsed: they stay empty in the copy. Clicks have a gate of their own.
    private static let leftEmpty: Set<String> = [
        "journal_entry", "audit_entry", "outbox", "idempotency", "operator_session", "mail", "click", "click_head", "webhook_delivery", "file_import", "insight_day", "fan_stage", "fan",
    ]

    /// Puts temporary copies of all tables, with the rows of one workspace, before the real ones.
    static func shadow(_ workspace: WorkspaceID, on connection: any Connection) throws {
        // One snapshot for all tables. It must be the transaction's first statement.
        try connection.executeScript("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        let schema: String = try connection.value("SELECT quote_ident(current_schema())") ?? "public"
        let names = try connection.rows(
            """
            SELECT tablename FROM pg_tables
            WHERE schemaname = current_schema() AND tablename NOT LIKE 'schema\\_migration%' ORDER BY tablename
            """
        ).map { try $0.get(at: 0, as: String.self) }
        let owned = Set(
            try connection.rows(
                "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'workspace_id'"
            ).map { try $0.get(at: 0, as: String.self) })
        // While rows are copied names mean the real tables, afterwards the copies.
        try connection.executeScript("SET LOCAL search_path = \(schema), pg_temp")
        for name in names {
            try connection.executeScript("CREATE TEMPORARY TABLE \"\(name)\" (LIKE \(schema).\"\(name)\" INCLUDING ALL) ON COMMIT DROP")
            if leftEmpty.contains(name) { continue }
            try connection.execute("INSERT INTO pg_temp.\"\(raw: name)\" SELECT * FROM \(raw: schema).\"\(raw: name)\" WHERE \(sql: filter(name, owned, workspace))")
            try connection.executeScript("ANALYZE pg_temp.\"\(name)\"")
        }
        try connection.executeScript("SET LOCAL search_path = pg_temp, \(schema)")
    }

    /// Which rows of a table the workspace needs.
    private static func filter(_ name: String, _ owned: Set<String>, _ workspace: WorkspaceID) -> SQL {
        if let table = ExportTable.all.first(where: { $0.name == name }) { return table.filter(workspace) }
        if owned.contains(name) { return "workspace_id = \(workspace)" }
        if name == "person_field" { return "person_id IN (SELECT id FROM person WHERE workspace_id = \(workspace))" }
        return "TRUE"
    }
}
