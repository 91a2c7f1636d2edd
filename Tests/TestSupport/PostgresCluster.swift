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
        // An installation has put its keys into a database of their own beside it.
        for each in [String(name), "\(name)_keys"] {
            try await PostgresDatabase.outsideTransaction(url: try await server(), "DROP DATABASE IF EXISTS \(each) WITH (FORCE)")
        }
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
        return try TestPostgresServer(folder: "/tmp/kith-postgres-test-\(ProcessInfo.processInfo.processIdentifier)").start()
    }
}

/// A throwaway server that a test may stop, in a folder of its own. It ends with the test process at the latest.
public struct TestPostgresServer: Sendable {
    let folder: String

    init(folder: String) { self.folder = folder }

    public init() { folder = "/tmp/kith-postgres-test-\(UUID().uuidString.prefix(8))" }

    /// Starts it and answers its URL.
    public func start() throws -> String {
        let text = try run(["start", "--until", String(ProcessInfo.processInfo.processIdentifier)])
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("KITH_TEST_POSTGRES=") }) else {
            throw PostgresCluster.Missing(description: "bin/postgres did not start a server")
        }
        return String(line.dropFirst("KITH_TEST_POSTGRES=".count))
    }

    /// Stops it as a crash would; `start` brings it back with its data.
    public func crash() throws { _ = try run(["stop", "--immediate"]) }

    /// Stops it and deletes its folder.
    public func remove() throws { _ = try run(["stop"]) }

    private func run(_ arguments: [String]) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent("bin/postgres")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["KITH_POSTGRES_DIR": folder]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // No waitUntilExit: Foundation takes the server, which lives on, for a part of the process.
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
