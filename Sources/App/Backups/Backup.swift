import Foundation
import Persistence
import Web

/// Copies of an installation: one file with everything but the keys, and the keys apart.
///
/// Keys are kept apart because erasing a person destroys their key: whoever keeps one key file, written over by each backup, keeps no
/// key of an erased person, and every older backup's sealed names are noise.
enum Backup {
    static let mainName = "main.sqlite"
    static let clicksName = "clicks.sqlite"

    /// Writes `path` and `keysPath`, each replaced in one step when it is whole.
    static func make(_ installation: Installation, path: String, keysPath: String) async throws -> JSONValue {
        if installation.main is SQLiteDatabase {
            try await sqlite(installation, path: path, keysPath: keysPath)
        } else {
            try await postgres(installation, path: path, keysPath: keysPath)
        }
        return [
            "file": .text(path), "bytes": .integer(try length(path)), "keysFile": .text(keysPath), "keysBytes": .integer(try length(keysPath)),
            "notIncluded": .text(installation.settings.secretsPath),
        ]
    }

    private static func sqlite(_ installation: Installation, path: String, keysPath: String) async throws {
        let folder = path + ".making"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // In this order: a copy of the main file never knows a click or a person that the later copies lack.
        try await installation.main.backUp(to: folder + "/main")
        try await installation.clicks.backUp(to: folder + "/clicks")
        try await installation.vault.backUp(to: folder + "/keys")
        chmod(folder + "/keys", 0o600)
        try Tar.write([(mainName, folder + "/main"), (clicksName, folder + "/clicks")], at: installation.world.now(), to: folder + "/tar")
        try replace(folder + "/tar", to: path)
        try replace(folder + "/keys", to: keysPath)
    }

    private static func postgres(_ installation: Installation, path: String, keysPath: String) async throws {
        let making = path + ".making"
        let makingKeys = keysPath + ".making"
        defer { for file in [making, makingKeys, makingKeys + ".lock"] { try? FileManager.default.removeItem(atPath: file) } }
        try await PostgresTools.dump(installation.settings.database, to: making)
        // The keys last: a dump of the main database never knows a person whose key is missing.
        try await writeKeys(of: installation.keys, to: makingKeys)
        for file in [making, makingKeys] { chmod(file, 0o600) }
        try replace(making, to: path)
        try replace(makingKeys, to: keysPath)
    }

    /// The store of keys as a file of SQLite, the same for both databases.
    private static func writeKeys(of keys: any Database, to path: String) async throws {
        for file in [path, path + "-wal", path + "-shm"] { try? FileManager.default.removeItem(atPath: file) }
        let file = try await SQLiteDatabase.open(path: path)
        do {
            try await Schema.migrateKeys(file)
            try await KeyStore.copy(from: keys, to: file)
            try await file.checkpoint()
        } catch {
            await file.close()
            throw error
        }
        await file.close()
        for log in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + log) }
    }

    /// Moves a whole file over another in one step, and keeps it over a power cut.
    static func replace(_ source: String, to target: String) throws {
        guard rename(source, target) == 0 else { throw FileFailure(path: target, reason: String(cString: strerror(errno))) }
        let folder = open((target as NSString).deletingLastPathComponent.isEmpty ? "." : (target as NSString).deletingLastPathComponent, O_RDONLY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func length(_ path: String) throws -> Int64 {
        (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.int64Value ?? 0
    }
}
