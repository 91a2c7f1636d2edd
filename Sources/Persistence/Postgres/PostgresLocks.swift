internal import Synchronization

/// Locks by number that every process on one PostgreSQL database sees: advisory locks of one connection. They end with the
/// process, or with its connection, at the latest. One owner takes a number once: taking it again succeeds.
public final class PostgresLocks: Sendable {
    /// Locks held at a time. The server's table of locks has room for some thousands; further calls are let through unlocked.
    public static let heldLimit = 2_000
    /// Questions sent to the server at once.
    private static let batchLimit = 128

    private struct Question: Sendable {
        let sql: SQL
        let answer: @Sendable (Result<Bool, any Error>) -> Void
    }
    private struct State {
        var held: Set<Int64> = []
        var waiting: [Question] = []
        var isDraining = false
    }

    private let session: PostgresSession
    private let state = Mutex(State())

    /// - Parameter url: as for ``PostgresDatabase/open(url:connections:timeouts:)``. The connection is made when it is first needed.
    public init(url: String) { session = PostgresSession(PostgresSession.Settings(url: url, timeouts: PostgresDatabase.Timeouts())) }

    /// Takes a lock without waiting for it: false when another process, or another owner in this one, has it.
    ///
    /// - Throws: `.unavailable` when the server does not answer.
    public func tryLock(_ number: Int64) async throws -> Bool {
        let isWithinLimit = state.withLock { state in
            state.held.count < Self.heldLimit && state.held.insert(number).inserted
        }
        guard isWithinLimit else { return true }
        do {
            let isTaken = try await ask("SELECT pg_try_advisory_lock(\(number))")
            if !isTaken { forget(number) }
            return isTaken
        } catch {
            forget(number)
            throw error
        }
    }

    /// Lets go of a lock. Returns when others can take it; when the server does not answer, the connection's end has freed it.
    public func unlock(_ number: Int64) async {
        guard state.withLock({ $0.held.remove(number) }) != nil else { return }
        _ = try? await ask("SELECT pg_advisory_unlock(\(number))")
    }

    public func close() async { await session.close() }

    private func forget(_ number: Int64) { state.withLock { _ = $0.held.remove(number) } }

    /// Questions that arrive while others are under way go together in the next round trip.
    private func ask(_ sql: SQL) async throws -> Bool {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Bool, any Error>) in
            let starts = state.withLock { state -> Bool in
                state.waiting.append(Question(sql: sql) { continuation.resume(with: $0) })
                defer { state.isDraining = true }
                return !state.isDraining
            }
            if starts { Task { await drain() } }
        }
    }

    private func drain() async {
        while let batch = next() {
            do {
                let answers = try await session.rowsOfAll(batch.map(\.sql))
                for (question, rows) in zip(batch, answers) { question.answer(Result { try rows.first?.get(at: 0, as: Bool.self) ?? false }) }
            } catch {
                for question in batch { question.answer(.failure(error)) }
            }
        }
    }

    private func next() -> [Question]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }
}
