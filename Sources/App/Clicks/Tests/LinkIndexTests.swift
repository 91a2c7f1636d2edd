import Persistence
import Synchronization
import TestSupport
import Testing

@testable import App

/// What redirects remember of links is never older than what was changed.
@Suite struct LinkIndexTests {
    /// A database in which something happens after a snapshot was read and before the reader goes on.
    private struct Interrupted: Database {
        let base: any Database
        let afterRead: @Sendable () async throws -> Void

        var dialect: Dialect { base.dialect }
        var writeStop: String? { base.writeStop }
        func read<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
            let value = try await base.read(body)
            try await afterRead()
            return value
        }
        func write<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T { try await base.write(body) }
        func rowsBlocking(_ query: SQL) throws -> [Row] { try base.rowsBlocking(query) }
        func checkpoint() async throws { try await base.checkpoint() }
        func close() async {}
    }

    private final class Place: Sendable {
        private let index = Mutex<LinkIndex?>(nil)
        func put(_ new: LinkIndex?) { index.withLock { $0 = new } }
        func forgetAll() { index.withLock { $0 }?.forgetAll() }
    }

    @Test(arguments: Engine.allCases) func whatWasReadBeforeAChangeIsNotRemembered(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let place = Place()
            let index = LinkIndex(Interrupted(base: app.installation.main) { place.forgetAll() })
            let now = app.installation.world.now()
            place.put(index)
            #expect(try await index.find(host: "", folded: "anna", now: now)?.link.code == "anna")
            #expect(index.remembered(host: "", folded: "anna", now: now)?.link.id == nil)
            place.put(nil)
            #expect(try await index.find(host: "", folded: "anna", now: now)?.link.code == "anna")
            #expect(index.remembered(host: "", folded: "anna", now: now)?.link.code == "anna")
        }
    }
}
