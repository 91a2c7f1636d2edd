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
    private let channel: PostgresChannel

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ settings: Settings) { channel = PostgresChannel(settings) }

    func transaction<T: Sendable>(_ mode: Mode, _ body: @Sendable (any Connection) throws -> T) throws -> T {
        try channel.transaction(mode, body)
    }

    /// The rows of queries that stand in no transaction.
    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]] { try channel.outsideTransaction { try $0.rowsOfAll(queries) } }

    func close() { channel.close() }
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
