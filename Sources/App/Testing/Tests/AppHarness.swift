import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// A whole Kith on a database of its own, called in process as programs would call it over HTTP.
final class AppHarness: Sendable {
    /// Loaded once for all tests: it never changes, and loading it takes longer than most of them.
    static let site = Result { try Site.load() }
    /// Where time begins in every test.
    static let start = Instant(millisecondsSince1970: 1_767_225_600_000)  // 2026-01-01T00:00:00Z

    let engine: Engine
    let installation: Installation
    let operations: [Web.Operation<Access>]
    let api: OperationTable<Access>
    let workspace: NewWorkspace
    let location: String
    let clock: TestClock
    private let client: any TestClientProtocol

    /// The key of the test twin, which calls use unless they name another.
    var key: String { workspace.testKeys.secret }
    var publishableKey: String { workspace.testKeys.publishable }
    var liveKey: String { workspace.liveKeys.secret }
    var twinID: WorkspaceID { workspace.twin.id }

    private init(
        engine: Engine, installation: Installation, api: OperationTable<Access>, workspace: NewWorkspace, location: String, clock: TestClock,
        client: any TestClientProtocol
    ) {
        self.engine = engine
        self.installation = installation
        self.api = api
        operations = api.operations
        self.workspace = workspace
        self.location = location
        self.clock = clock
        self.client = client
    }

    /// Opens an installation, makes a workspace with its test twin, runs `body`, proves the books and takes all away.
    static func with(
        _ engine: Engine, seed: UInt64 = 1, storage: @escaping @Sendable (any Database) -> any Database = { $0 },
        settings change: @Sendable (inout Settings) -> Void = { _ in }, _ body: @Sendable (AppHarness) async throws -> Void
    ) async throws {
        try await HarnessSlots.shared.use {
            let place = try await Place.make(engine)
            do {
                try await run(place, seed: seed, storage, change, body)
            } catch {
                try? await place.remove()
                throw error
            }
            try await place.remove()
        }
    }

    private static func run(
        _ place: Place, seed: UInt64, _ storage: @escaping @Sendable (any Database) -> any Database,
        _ change: @Sendable (inout Settings) -> Void, _ body: @Sendable (AppHarness) async throws -> Void
    ) async throws {
        var settings = Settings()
        settings.database = place.url
        settings.secretsFile = place.folder + "/kith.secrets"
        settings.rateLimit = 0
        settings.connections = 4
        settings.lanes = 2
        change(&settings)
        let clock = TestClock(start)
        let world = World(now: { clock.now }, random: RandomSource(SeededGenerator(state: seed)), storage: storage)
        var logger = Logger(label: "kith-test")
        logger.logLevel = .critical
        let installation = try await Installation.open(settings, world: world, logger: logger)
        do {
            let made = try await installation.writeAnywhere { connection in
                try Workspace.create(
                    name: "Harness", ownerEmail: "owner@example.test", ownerPasswordHash: "none", world: installation.world,
                    vault: installation.vault, on: connection)
            }
            let (router, calls) = Routes.build(installation, site: try site.get())
            let table = calls.table
            let application = Application(router: router, logger: logger)
            try await application.test(.router) { client in
                let app = AppHarness(
                    engine: place.engine, installation: installation, api: table, workspace: made, location: place.location, clock: clock,
                    client: client)
                try await body(app)
                try await app.proveBooks()
            }
            await installation.close()
        } catch {
            await installation.close()
            throw error
        }
    }

    /// Opens the same PostgreSQL database once more, as a second server beside the first would.
    func withSecondServer(settings change: @Sendable (inout Settings) -> Void = { _ in }, _ body: @Sendable (AppHarness) async throws -> Void) async throws {
        var settings = installation.settings
        change(&settings)
        let second = try await Installation.open(settings, world: installation.world, logger: installation.logger)
        do {
            let (router, calls) = Routes.build(second, site: try Self.site.get())
            let table = calls.table
            try await Application(router: router, logger: installation.logger).test(.router) { client in
                try await body(
                    AppHarness(
                        engine: self.engine, installation: second, api: table, workspace: self.workspace, location: self.location, clock: self.clock,
                        client: client))
            }
            await second.close()
        } catch {
            await second.close()
            throw error
        }
    }

    // MARK: Calls

    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, key: String? = nil, idempotencyKey: String? = nil, headers: HTTPFields = [:],
        bytes: [UInt8]? = nil
    ) async throws -> Reply {
        var fields = headers
        if let key { fields[.authorization] = "Bearer \(key)" }
        if let idempotencyKey, let name = HTTPField.Name("Idempotency-Key") { fields[name] = idempotencyKey }
        if bytes != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        return try await client.execute(uri: path, method: method, headers: fields, body: bytes.map { ByteBuffer(bytes: $0) }) { response in
            Reply(status: response.status.code, headers: response.headers, body: Array(buffer: response.body))
        }
    }

    /// Calls the API with the test twin's key, or another.
    @discardableResult
    func api(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, as other: String? = nil, idempotencyKey: String? = nil
    ) async throws -> Reply {
        try await call(method, API.base + path, key: other ?? key, idempotencyKey: idempotencyKey, bytes: body?.bytes)
    }

    /// Posts and expects success.
    @discardableResult
    func post(_ path: String, _ body: JSONValue, as other: String? = nil, idempotencyKey: String? = nil) async throws -> JSONValue {
        try await api(.post, path, body, as: other, idempotencyKey: idempotencyKey).success("POST \(path)")
    }

    @discardableResult
    func put(_ path: String, _ body: JSONValue) async throws -> JSONValue { try await api(.put, path, body).success("PUT \(path)") }

    @discardableResult
    func patch(_ path: String, _ body: JSONValue) async throws -> JSONValue { try await api(.patch, path, body).success("PATCH \(path)") }

    func get(_ path: String, as other: String? = nil) async throws -> JSONValue { try await api(.get, path, as: other).success("GET \(path)") }

    /// A visitor follows a link.
    func visit(_ path: String, _ fields: HTTPFields = Browser.chrome, method: HTTPRequest.Method = .get) async throws -> Reply {
        try await call(method, path, headers: fields)
    }

    // MARK: State

    /// Moves the test twin's clock and does what is due then.
    func moveClock(days: Int64) async throws {
        let now = try await get("/workspace")["now"].instant()
        try await post("/test-clock", ["now": .text(try now.adding(milliseconds: days * 86_400_000).rfc3339)])
    }

    /// The rows of every table of the main database.
    func rowCounts() async throws -> [String: Int64] { try await Self.rowCounts(installation.main) }

    static func rowCounts(_ database: any Database) async throws -> [String: Int64] {
        let dialect = database.dialect
        return try await database.read { connection in
            let names =
                switch dialect {
                case .sqlite:
                    try connection.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
                case .postgres:
                    try connection.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name")
                }
            var counts: [String: Int64] = [:]
            for row in names {
                let name: String = try row.get(at: 0)
                counts[name] = try connection.value("SELECT count(*) FROM \(raw: name)") ?? 0
            }
            return counts
        }
    }
}

/// Time that moves when a test says so.
final class TestClock: Sendable {
    private let time: Mutex<Instant>

    init(_ start: Instant) { time = Mutex(start) }

    var now: Instant { time.withLock { $0 } }
    func advance(ms: Int64) { time.withLock { $0 = (try? $0.adding(milliseconds: ms)) ?? $0 } }
}

/// Few installations at a time: each opens three databases.
actor HarnessSlots {
    static let shared = HarnessSlots()
    static let slotsMax = 4

    private var free = slotsMax
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func use(_ body: @Sendable () async throws -> Void) async throws {
        await take()
        do {
            try await body()
        } catch {
            await giveBack()
            throw error
        }
        await giveBack()
    }

    private func take() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Where a test's database lies.
private struct Place: Sendable {
    let engine: Engine
    let url: String
    /// The file, or the URL.
    let location: String
    let folder: String
    private let postgres: TestDatabase?

    static func make(_ engine: Engine) async throws -> Place {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-app-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        switch engine {
        case .sqlite:
            let path = folder + "/kith.sqlite"
            return Place(engine: engine, url: "sqlite:\(path)", location: path, folder: folder, postgres: nil)
        case .postgres:
            let made = try await TestDatabase.make(.postgres, connections: 1)
            return Place(engine: engine, url: made.location, location: made.location, folder: folder, postgres: made)
        }
    }

    func remove() async throws {
        try await postgres?.remove()
        try FileManager.default.removeItem(atPath: folder)
    }
}
