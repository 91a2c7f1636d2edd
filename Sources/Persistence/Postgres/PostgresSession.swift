internal import CLibpq
internal import Dispatch

/// One connection to the server. libpq blocks, so each session has a thread of its own, which its handle never leaves.
actor PostgresSession {
    enum Mode: Sendable {
        case read
        case write

        var begin: String {
            switch self {
            case .read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .write: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            }
        }
    }

    struct Settings: Sendable {
        var url: String
        var timeouts: PostgresDatabase.Timeouts
    }

    private let executor = QueueExecutor(label: "kith.postgres")
    private let settings: Settings
    private var link: PostgresLink?
    private var closed = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ settings: Settings) { self.settings = settings }

    func transaction<T: Sendable>(_ mode: Mode, _ body: @Sendable (any Connection) throws -> T) throws -> T {
        let link = try begin(mode)
        let connection = PostgresConnection(link)
        do {
            let result = try body(connection)
            try connection.sendDeferred()
            let tag = try link.run("COMMIT")
            // After a failed statement whose error was swallowed the server answers COMMIT with ROLLBACK.
            guard tag == "COMMIT" else { throw DatabaseFailure(.other, "the transaction had failed before and was rolled back") }
            return result
        } catch {
            if link.isInTransaction { _ = try? link.run("ROLLBACK") }
            if !link.isUsable { self.link = nil }
            throw error
        }
    }

    func close() {
        closed = true
        link = nil
    }

    /// Opens the transaction. A connection that broke while idle is made anew once: nothing has been asked of it yet.
    private func begin(_ mode: Mode) throws -> PostgresLink {
        if closed { throw DatabaseFailure(.unavailable, "the database is closed") }
        if let link, link.isUsable {
            do {
                _ = try link.run(mode.begin)
                return link
            } catch where !link.isUsable {
                self.link = nil
            }
        }
        let link = try PostgresLink(settings)
        self.link = link
        _ = try link.run(mode.begin)
        return link
    }
}

/// Runs an actor's jobs one after the other on a dispatch queue.
private final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
