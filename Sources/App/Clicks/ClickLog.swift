import Persistence
import Synchronization

/// Appends clicks to the click file. Clicks that arrive while a commit is under way share the next one: one sync for many.
final class ClickLog: Sendable {
    /// Clicks in one commit at most.
    static let batchMax = 1_024
    /// Clicks waiting at most; more are refused, and their visitors are sent on without a click id.
    static let queueMax = 16_384

    struct Full: Error {}

    private struct Entry: Sendable {
        let click: Click
        let done: (@Sendable ((any Error)?) -> Void)?
    }
    private struct State {
        var waiting: [Entry] = []
        var isDraining = false
    }

    let database: any Database
    private let state = Mutex(State())

    init(_ database: any Database) { self.database = database }

    /// Returns when the click is on disk.
    func append(_ click: Click) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            add(
                Entry(click: click) { error in
                    if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                })
        }
    }

    /// Takes the click and returns at once; it is on disk a few milliseconds later. A failure is counted, not told.
    func appendLater(_ click: Click) { add(Entry(click: click, done: nil)) }

    private func add(_ entry: Entry) {
        let (refused, starts) = state.withLock { state -> (Bool, Bool) in
            guard state.waiting.count < Self.queueMax else { return (true, false) }
            state.waiting.append(entry)
            guard !state.isDraining else { return (false, false) }
            state.isDraining = true
            return (false, true)
        }
        if refused { entry.done?(Full()) }
        if starts { Task { await drain() } }
    }

    private func drain() async {
        while let batch = next() {
            do {
                try await database.write { connection in try ClickStore.append(batch.map(\.click), on: connection) }
                for entry in batch { entry.done?(nil) }
            } catch {
                for entry in batch { entry.done?(error) }
            }
        }
    }

    private func next() -> [Entry]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchMax))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    /// Waits until everything taken so far is on disk.
    func flush() async {
        while state.withLock({ $0.isDraining }) { await Task.yield() }
    }
}
