import Persistence

/// The three stores: the main database, the click file and the keys of the vault.
struct Stores: Sendable {
    var main: any Database
    var clicks: any Database
    var keys: any Database

    /// `lockWaitMs`: how long to wait for a process that is ending.
    ///
    /// SQLite: three files side by side. PostgreSQL: a main database, in which clicks have tables and connections of their own, and
    /// another database for the keys.
    static func open(_ settings: Settings, readOnly: Bool = false, lockWaitMs: Int = 0) async throws -> Stores {
        if let path = settings.sqlitePath {
            let keys = try await SQLiteDatabase.open(path: path + ".keys", readOnly: readOnly, lockWaitMs: lockWaitMs)
            // No other process writes here: the opening of the keys has shown it.
            if !readOnly { Rehearsal.removeLeftovers(beside: path) }
            let clicks = try await SQLiteDatabase.open(path: path + ".clicks", readOnly: readOnly, lockWaitMs: lockWaitMs)
            return Stores(
                main: try await SQLiteDatabase.open(path: path, readOnly: readOnly, lockWaitMs: lockWaitMs), clicks: clicks, keys: keys)
        }
        guard Settings.isPostgres(settings.database) else { throw SettingFailure(name: "KITH_DATABASE", allowed: "sqlite:PATH or postgres://…") }
        let main = try await PostgresDatabase.open(url: settings.database, connections: settings.connections)
        do {
            let clicks = try await PostgresDatabase.open(url: settings.database, connections: max(2, settings.connections / 4))
            return Stores(main: main, clicks: clicks, keys: try await KeysDatabase.open(settings, beside: main, mayCreate: !readOnly))
        } catch {
            await main.close()
            throw error
        }
    }

    func close() async {
        await main.close()
        await clicks.close()
        await keys.close()
    }
}
