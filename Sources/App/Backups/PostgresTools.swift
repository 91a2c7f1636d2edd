import Foundation
import Persistence
import Web

/// PostgreSQL's own programs for backups. The password goes by the environment, where other users of the machine don't see it.
enum PostgresTools {
    static func dump(_ url: String, to path: String) async throws {
        try await run("pg_dump", url, ["-Fc", "--no-owner", "-f", path])
    }

    /// A server that was stopped a moment ago takes a moment to leave.
    private static let leavingMs = 3_000

    private static func waitForOthersToLeave(_ database: any Database) async throws {
        for _ in 0..<(leavingMs / 100) {
            if try await database.read({ connection in try PostgresStore.otherClients(on: connection) }) == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Problem.conflict(code: "database_in_use", detail: "Other programs are connected to this database. Stop the server first.")
    }

    /// Whether a restore may go on: nobody else is connected, and the database is empty or may be replaced.
    static func checkTarget(_ url: String, replaces: Bool) async throws {
        let database = try await PostgresDatabase.open(url: url, connections: 2)
        do {
            try await waitForOthersToLeave(database)
            let isEmpty = try await database.read { connection in try PostgresStore.tableCount(on: connection) } == 0
            guard replaces || isEmpty else {
                throw Problem.conflict(
                    code: "target_exists", detail: "The database has tables already. Name an empty one, or add --force to replace them.")
            }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    static func restore(_ url: String, path: String, replaces: Bool) async throws {
        let clean = replaces ? ["--clean", "--if-exists"] : []
        try await run("pg_restore", url, ["--no-owner", "--exit-on-error", "--single-transaction"] + clean + [path])
    }

    private static func run(_ program: String, _ url: String, _ arguments: [String]) async throws {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init)
        guard let path = folders.map({ "\($0)/\(program)" }).first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Problem.conflict(code: "program_missing", detail: "The program \(program) is missing. Install it (Debian: apt install postgresql-client).")
        }
        var environment = ProcessInfo.processInfo.environment
        var parts = URLComponents(string: url)
        if let password = parts?.password { environment["PGPASSWORD"] = password }
        parts?.password = nil
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["--dbname=\(parts?.string ?? url)"] + arguments
        process.environment = environment
        let errors = Pipe()
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        let (status, text): (Int32, String) = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        try process.run()
                        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                        process.waitUntilExit()
                        return (process.terminationStatus, text)
                    })
            }
        }
        guard status == 0 else {
            let reason = text.split(separator: "\n").first.map(String.init) ?? "exit status \(status)"
            throw Problem.conflict(code: "program_failed", detail: "\(program) failed: \(reason)")
        }
    }
}

enum PostgresStore {
    static func tableCount(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()") ?? 0
    }

    /// Connections of other programs to this database.
    static func otherClients(on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """) ?? 0
    }
}
