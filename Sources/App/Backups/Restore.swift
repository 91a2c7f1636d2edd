import Crypto
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
            try await PostgresTools.restore(settings.database, path: path, keysPath: keysPath, replaces: replaces)
        }
        let installation = try await Installation.open(settings, logger: Commands.quiet)
        do {
            try await checkSecrets(installation)
            let erased = try await eraseAgain(installation)
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
        var rows = KeyRows()
        if base != other, files.fileExists(atPath: other) {
            let source = try await SQLiteDatabase.open(path: other, readOnly: true)
            rows = try await source.read { connection in try KeyStore.all(on: connection) }
            await source.close()
        }
        let added = rows
        try await target.write { connection in try KeyStore.merge(added, on: connection) }
        try await target.checkpoint()
        await target.close()
        for log in ["-wal", "-shm"] { try? files.removeItem(atPath: path + log) }
    }

    /// The secrets file must be the one that the keys were wrapped with.
    private static func checkSecrets(_ installation: Installation) async throws {
        let (id, key) = try await installation.main.read { connection -> (PersonKeyID?, SymmetricKey?) in
            guard let id = try KeyStore.anyInUse(on: connection) else { return (nil, nil) }
            return (id, try? installation.vault.key(id, on: connection))
        }
        guard id == nil || key != nil else {
            throw Problem.conflict(
                code: "other_secrets", detail: "The secrets file \(installation.settings.secretsPath) is not the one of this backup. Put the right one back.")
        }
    }

    /// Erases the rows of people whose keys were destroyed after the backup was made.
    private static func eraseAgain(_ installation: Installation) async throws -> Int {
        var erased = 0
        let gone = try await installation.vault.tombstones()
        var start = 0
        while start < gone.count {
            let part = Array(gone[start..<min(start + 500, gone.count)])
            start += 500
            let people = try await installation.main.read { connection in try KeyStore.people(with: part, on: connection) }
            for (person, workspace) in people {
                try await installation.erase(person: person, in: workspace, actor: .system("restore"))
                erased += 1
            }
        }
        return erased
    }
}
