import Chronology
import Crypto
import Foundation
import Persistence
import Web

/// What keeps the main database and the store of keys in step. They have no common transaction, so each change that touches both goes
/// in an order in which a crash between the two loses nothing and brings nobody back: keys are made before people use them, and
/// people are erased before their keys are destroyed.
extension Installation {
    /// Keys that nobody is seen to use are kept this long: longer than an older state of the main database is tried out.
    static let unusedKeysKeptMs: Int64 = 30 * 86_400_000
    /// How far back other processes' erasures are looked for; their clocks may differ.
    static let erasuresLookedForMs: Int64 = 600_000

    /// The store must be the one of this database, and the secrets file the one that its keys were wrapped with.
    func checkKeys() async throws {
        let wanted = try await main.read { connection in try KeyStore.someInUse(on: connection) }
        guard !wanted.isEmpty else { return }
        let found: [PersonKeyID: SymmetricKey]
        do {
            found = try vault.keys(wanted)
        } catch is CryptoKitError {
            throw Problem.conflict(
                code: "other_secrets", detail: "The secrets file \(settings.secretsPath) is not the one of this database. Put the right one back.")
        }
        guard !found.isEmpty else {
            throw Problem.conflict(
                code: "keys_missing",
                detail: "The store of people's keys holds none of the keys of this database: it belongs to another one, or was lost. Name the right one with KITH_KEYS_DATABASE, or put its backup back (kith restore).")
        }
    }

    /// Destroys the keys that a process left behind which died while it erased somebody.
    func finishErasures() async throws {
        while true {
            let left = try await main.read { connection in try KeyStore.toDestroy(on: connection) }
            if left.isEmpty { break }
            try await destroyKeys(left)
            // What was erased may still stand in the logs of the files.
            try await main.checkpoint()
            try await clicks.checkpoint()
        }
        if try await blankClicks() > 0 { try await clicks.checkpoint() }
    }

    func destroyKeys(_ ids: [PersonKeyID]) async throws {
        try await vault.destroy(ids)
        try await writeAnywhere { connection in try KeyStore.noteDestroyed(ids, on: connection) }
    }

    /// Erases the rows of people whose keys were destroyed before: those of an older state of the main database that was put back.
    /// Answers how many.
    @discardableResult
    func replayTombstones() async throws -> Int {
        let count = try await keys.read { connection in try KeyStore.tombstoneCount(on: connection) }
        guard try await main.read({ connection in try KeyStore.tombstonesReplayed(on: connection) }) != count else { return 0 }
        var erased = 0
        var after = ""
        while true {
            let start = after
            let page = try await keys.read { connection in try KeyStore.tombstones(after: start, on: connection) }
            guard let last = page.last else { break }
            after = last.id.text
            for (person, workspace) in try await main.read({ connection in try KeyStore.people(with: page.map(\.id), on: connection) }) {
                try await erase(person: person, in: workspace, actor: .system("restore"))
                erased += 1
            }
        }
        try await writeAnywhere { connection in try KeyStore.setTombstonesReplayed(count, on: connection) }
        return erased
    }

    /// What is due now and then: erasures that other processes began or made, and keys that nobody came to use.
    func keepKeys() async throws {
        try await finishErasures()
        await rewriteErased()
        if let since = try? world.now().adding(milliseconds: -Self.erasuresLookedForMs) { try await vault.forgetErased(since: since) }
        if let before = try? world.now().adding(milliseconds: -Self.unusedKeysKeptMs) { try await sweepKeys(madeBefore: before) }
    }

    /// Takes away keys that were made for people who never came: their process ended first, or the write was rolled back.
    private func sweepKeys(madeBefore: Instant) async throws {
        let old = try await keys.read { connection in try KeyStore.unclaimed(before: madeBefore, on: connection) }
        if old.isEmpty { return }
        let used = try await main.read { connection in try KeyStore.used(old, on: connection) }
        try await keys.write { connection in
            try KeyStore.claim(Array(used), on: connection)
            try KeyStore.delete(old.filter { !used.contains($0) }, on: connection)
        }
    }
}
