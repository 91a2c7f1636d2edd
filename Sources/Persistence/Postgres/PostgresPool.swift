/// Hands out a fixed number of sessions, the longest waiting call first.
actor PostgresPool {
    private var idle: [PostgresSession]
    private let all: [PostgresSession]
    private var waiting: [CheckedContinuation<PostgresSession, any Error>] = []
    private let waitingLimit: Int
    private var closed = false

    init(_ sessions: [PostgresSession], waitingLimit: Int) {
        all = sessions
        idle = sessions.reversed()
        self.waitingLimit = waitingLimit
    }

    nonisolated func run<T: Sendable>(_ mode: PostgresSession.Mode, _ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        let session = try await take()
        do {
            let result = try await session.transaction(mode, body)
            await give(session)
            return result
        } catch {
            await give(session)
            throw error
        }
    }

    /// Refuses later calls and those that wait, and closes each session as soon as its transaction ends.
    func close() async {
        closed = true
        for continuation in waiting { continuation.resume(throwing: Self.closedFailure) }
        waiting = []
        for session in all { await session.close() }
    }

    private func take() async throws -> PostgresSession {
        if closed { throw Self.closedFailure }
        if let session = idle.popLast() { return session }
        if waiting.count >= waitingLimit {
            throw DatabaseFailure(.unavailable, "more than \(waitingLimit) calls wait for a database connection")
        }
        return try await withCheckedThrowingContinuation { waiting.append($0) }
    }

    private func give(_ session: PostgresSession) {
        if waiting.isEmpty { idle.append(session) } else { waiting.removeFirst().resume(returning: session) }
    }

    private static let closedFailure = DatabaseFailure(.unavailable, "the database is closed")
}
