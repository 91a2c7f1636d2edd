internal import Foundation
public import Persistence

/// The engines every test of stored things runs on: `@Test(arguments: Engine.allCases)`.
public enum Engine: String, Sendable, CaseIterable {
    case sqlite
    case postgres
}

/// A database of one test's own, gone when the test is.
public struct TestDatabase: Sendable {
    public let database: any Database
    /// Where it is: a file's path, or a URL. A second opening of it takes this.
    public let location: String
    public let engine: Engine

    /// Makes an empty database, runs `body` on it, and takes it away.
    public static func with<T: Sendable>(
        _ engine: Engine, connections: Int = 8, migrations: [Migration] = [], _ body: (TestDatabase) async throws -> T
    ) async throws -> T {
        let made = try await make(engine, connections: connections)
        do {
            try await Migrator.migrate(made.database, timeline: "main", migrations: migrations)
            let result = try await body(made)
            try await made.remove()
            return result
        } catch {
            try? await made.remove()
            throw error
        }
    }

    /// Makes an empty database. Its maker calls ``remove()``.
    public static func make(_ engine: Engine, connections: Int = 8) async throws -> TestDatabase {
        switch engine {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let path = folder.appendingPathComponent("kith.sqlite").path
            return TestDatabase(database: try await SQLiteDatabase.open(path: path), location: path, engine: engine)
        case .postgres:
            let url = try await PostgresCluster.shared.createDatabase()
            let database = try await PostgresDatabase.open(url: url, connections: connections)
            return TestDatabase(database: database, location: url, engine: engine)
        }
    }

    /// Opens the same database once more, as another process of the same installation would.
    public func openAgain(connections: Int = 4, readOnly: Bool = false) async throws -> any Database {
        switch engine {
        case .sqlite: try await SQLiteDatabase.open(path: location, readOnly: readOnly, mayCreate: false)
        case .postgres: try await PostgresDatabase.open(url: location, connections: connections)
        }
    }

    public func remove() async throws {
        await database.close()
        switch engine {
        case .sqlite: try FileManager.default.removeItem(at: URL(fileURLWithPath: location).deletingLastPathComponent())
        case .postgres: try await PostgresCluster.shared.dropDatabase(location)
        }
    }
}
