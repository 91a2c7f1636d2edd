import NIOCore
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
        /// Nil for one who waits until what came before is on disk.
        let click: Click?
        let waiter: Waiter?
    }
    private enum Waiter: Sendable {
        case task(CheckedContinuation<Void, any Error>)
        case connection(EventLoopPromise<Void>)
        case flush(CheckedContinuation<Void, Never>)
    }
    private struct State {
        var waiting: [Entry] = []
        var isDraining = false
    }

    let database: any Database
    private let state = Mutex(State())
    private let lost = Atomic<Int>(0)

    init(_ database: any Database) { self.database = database }

    /// Clicks that could not be stored since the process started: the disk was full, the database gone, or too many waited.
    var lostCount: Int { lost.load(ordering: .relaxed) }

    /// Returns when the click is on disk.
    func append(_ click: Click) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            add(Entry(click: click, waiter: .task(continuation)))
        }
    }

    /// The same for a connection: the future of its event loop succeeds when the click is on disk.
    func append(_ click: Click, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        add(Entry(click: click, waiter: .connection(promise)))
        return promise.futureResult
    }

    /// Takes the click and returns at once; it is on disk a few milliseconds later. A failure is counted, not told.
    func appendLater(_ click: Click) { add(Entry(click: click, waiter: nil)) }

    private func add(_ entry: Entry) {
        let (refused, starts) = state.withLock { state -> (Bool, Bool) in
            guard state.waiting.count < Self.queueMax else { return (true, false) }
            state.waiting.append(entry)
            guard !state.isDraining else { return (false, false) }
            state.isDraining = true
            return (false, true)
        }
        if refused { tell([entry], failure: Full()) }
        if starts { Task { await drain() } }
    }

    private func drain() async {
        while let batch = next() {
            do {
                let clicks = batch.compactMap(\.click)
                if !clicks.isEmpty { try await database.write { connection in try ClickStore.append(clicks, on: connection) } }
                tell(batch, failure: nil)
            } catch {
                tell(batch, failure: error)
            }
        }
    }

    /// Tells those who wait; connections of one event loop in one go, so that it is woken once.
    private func tell(_ entries: [Entry], failure: (any Error)?) {
        if failure != nil { lost.wrappingAdd(entries.count { $0.click != nil }, ordering: .relaxed) }
        var promises: [ObjectIdentifier: [EventLoopPromise<Void>]] = [:]
        for entry in entries {
            switch entry.waiter {
            case nil: break
            case .task(let continuation):
                if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
            case .flush(let continuation): continuation.resume()
            case .connection(let promise): promises[ObjectIdentifier(promise.futureResult.eventLoop), default: []].append(promise)
            }
        }
        for group in promises.values {
            group.first?.futureResult.eventLoop.execute {
                for promise in group { if let failure { promise.fail(failure) } else { promise.succeed() } }
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

    /// Waits until everything taken so far is on disk, or has failed.
    func flush() async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state -> Bool in
                guard state.isDraining else { return false }
                state.waiting.append(Entry(click: nil, waiter: .flush(continuation)))
                return true
            }
            if !waits { continuation.resume() }
        }
    }
}
