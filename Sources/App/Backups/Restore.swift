import Foundation
import Persistence
import Web

/// Puts a backup in the place of an installation, then erases again whom anybody had erased since.
enum Restore {
    static func run(_ settings: Settings, path: String, keysPath: String, replaces: Bool) async throws -> JSONValue {
        guard FileManager.default.fileExists(atPath: path) else { throw Problem.notFound(detail: "There is no backup at \(path).") }
        guard FileManager.default.fileExists(atPath: settings.secretsPath) else {
            throw Problem.notFound(
                detail: "The secrets file \(settings.secretsPath) is not there. It is in no backup: put it back first, or set KITH_SECRETS_FILE.")
        }
        if let database = settings.sqlitePath {
            try await sqlite(settings, database: database, path: path, keysPath: keysPath, replaces: replaces)
        } else {
            try await postgres(settings, path: path, keysPath: keysPath, replaces: replaces)
        }
        let installation = try await Installation.open(settings, logger: Commands.quiet, settles: false)
        do {
            try await installation.checkKeys()
            try await installation.finishErasures()
            let erased = try await installation.replayTombstones()
            await installation.close()
            return ["restored": .text(path), "erasedAgain": .integer(Int64(erased))]
        } catch {
            await installation.close()
            throw error
        }
    }

    private static func sqlite(_ settings: Settings, database: String, path: String, keysPath: String, replaces: Bool) async throws {
        let files = FileManager.default
        if files.fileExists(atPath: database) {
            // Opening it for writing tells whether a server has it.
            try await SQLiteDatabase.open(path: database, mayCreate: false).close()
            guard replaces else {
                throw Problem.conflict(
                    code: "target_exists", detail: "There is a database at \(database). Name another one, or add --force to replace it.")
            }
        }
        guard files.fileExists(atPath: keysPath) || files.fileExists(atPath: database + ".keys") else {
            throw Problem.notFound(
                detail: "The keys \(keysPath) are not there, and \(database).keys is not either. Without them nobody's name can be read: name them with --keys.")
        }
        let waiting = database + ".restoring"
        for ending in ["", ".clicks", ".keys"] { try? files.removeItem(atPath: waiting + ending) }
        try Tar.read(path, into: [Backup.mainName: waiting, Backup.clicksName: waiting + ".clicks"])
        try await mergeKeys(current: database + ".keys", saved: keysPath, into: waiting + ".keys")
        for ending in ["", ".clicks", ".keys"] {
            for log in ["-wal", "-shm"] { try? files.removeItem(atPath: database + ending + log) }
            try Backup.replace(waiting + ending, to: database + ending)
        }
    }

    /// The keys of both stores, less those that either knows as destroyed.
    private static func mergeKeys(current: String, saved: String, into path: String) async throws {
        let files = FileManager.default
        let base = files.fileExists(atPath: saved) ? saved : current
        let other = base == saved ? current : saved
        try files.copyItem(atPath: base, toPath: path)
        chmod(path, 0o600)
        if base == current, files.fileExists(atPath: current + "-wal") { try files.copyItem(atPath: current + "-wal", toPath: path + "-wal") }
        let target = try await SQLiteDatabase.open(path: path, mayCreate: false)
        if base != other, files.fileExists(atPath: other) {
            let source = try await SQLiteDatabase.open(path: other, readOnly: true)
            try await KeyStore.copy(from: source, to: target)
            await source.close()
        }
        try await target.checkpoint()
        await target.close()
        for log in ["-wal", "-shm"] { try? files.removeItem(atPath: path + log) }
    }

    /// Keys first: they are only ever added or destroyed, so a restore that is cut short leaves no person without theirs.
    private static func postgres(_ settings: Settings, path: String, keysPath: String, replaces: Bool) async throws {
        try await PostgresTools.checkTarget(settings.database, replaces: replaces)
        let main = try await PostgresDatabase.open(url: settings.database, connections: 2)
        do {
            let keys = try await KeysDatabase.open(settings, beside: main, mayCreate: true)
            do {
                try await Schema.migrateKeys(keys)
                try await KeyMove.run(from: main, to: keys)
                try await mergeKeys(saved: keysPath, into: keys)
            } catch {
                await keys.close()
                throw error
            }
            await keys.close()
        } catch {
            await main.close()
            throw error
        }
        await main.close()
        try await PostgresTools.restore(settings.database, path: path, replaces: replaces)
    }

    private static func mergeKeys(saved: String, into keys: any Database) async throws {
        guard FileManager.default.fileExists(atPath: saved) else {
            guard try await keys.read({ connection in try KeyStore.isEmpty(on: connection) }) else { return }
            throw Problem.notFound(
                detail: "The keys \(saved) are not there, and the database of keys holds none. Without them nobody's name can be read: name them with --keys.")
        }
        let source = try await SQLiteDatabase.open(path: saved, readOnly: true)
        do {
            try await KeyStore.copy(from: source, to: keys)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
    }
}
