internal import Foundation
internal import Persistence

/// The PostgreSQL server of the tests: the one `KITH_TEST_POSTGRES` names, or a throwaway one that this process starts.
actor PostgresCluster {
    static let shared = PostgresCluster()

    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    private var opening: Task<String, any Error>?

    /// A new empty database, sorted by bytes.
    func createDatabase() async throws -> String {
        let server = try await server()
        let name = "kith_\(UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: ""))"
        try await PostgresDatabase.outsideTransaction(url: server, "CREATE DATABASE \(name) TEMPLATE template0")
        guard var parts = URLComponents(string: server) else { throw Missing(description: "\(server) is not a URL") }
        parts.path = "/\(name)"
        guard let url = parts.string else { throw Missing(description: "\(server) is not a URL") }
        return url
    }

    func dropDatabase(_ url: String) async throws {
        guard let name = URLComponents(string: url)?.path.dropFirst() else { return }
        try await PostgresDatabase.outsideTransaction(url: try await server(), "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    private func server() async throws -> String {
        if let opening { return try await opening.value }
        let task = Task { try Self.findOrStart() }
        opening = task
        return try await task.value
    }

    private static func findOrStart() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let url = environment["KITH_TEST_POSTGRES"], !url.isEmpty { return url }
        if environment["KITH_TEST_REQUIRE_POSTGRES"] == "1" {
            throw Missing(description: "KITH_TEST_REQUIRE_POSTGRES is 1 but KITH_TEST_POSTGRES names no server")
        }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent("bin/postgres")
        process.arguments = ["start", "--until", String(ProcessInfo.processInfo.processIdentifier)]
        process.environment = environment.merging(
            ["KITH_POSTGRES_DIR": "/tmp/kith-postgres-test-\(ProcessInfo.processInfo.processIdentifier)"]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        // No waitUntilExit: Foundation takes the server, which lives on, for a part of the process.
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("KITH_TEST_POSTGRES=") }) else {
            throw Missing(description: "bin/postgres did not start a server")
        }
        return String(line.dropFirst("KITH_TEST_POSTGRES=".count))
    }
}
