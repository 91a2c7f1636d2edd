import Persistence
import Synchronization

/// The single way to write. Requests that arrive while a commit is under way are gathered into the next transaction:
/// each is a savepoint that stands or falls alone, and each is answered after the COMMIT they share.
///
/// SQLite has one lane. PostgreSQL has several; a workspace always has the same lane, and a transaction first locks the
/// workspace's row, so that writes of one workspace run one after the other on any number of processes: caps,
/// sale numbers and balances cannot be passed by a rival, and sequence order is commit order.
final class WriteGate: Sendable {
    /// Requests in one transaction at most. ~100 sales a commit were seen to use the disk fully.
    static let batchMax = 128
    /// Requests waiting at most, in each lane; more are refused with 503.
    static let queueMax = 4_096
    /// Tries of a transaction that lost a deadlock or a serialization race.
    static let attemptsMax = 6

    struct Full: Error {}

    private let database: any Database
    private let lanes: [Lane]

    init(_ database: any Database, lanes: Int) {
        self.database = database
        self.lanes = (0..<(database.dialect == .sqlite ? 1 : max(1, lanes))).map { _ in Lane() }
    }

    /// Runs `body` in a savepoint of a shared transaction; returns when that transaction is durable.
    /// `body` may run more than once (when a transaction is tried again) and must have no other effects.
    func perform<T: Sendable>(
        _ workspace: WorkspaceID?, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let request = Request(
                workspace: workspace,
                run: { connection in
                    let value = try body(connection)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) })
            let lane = lanes[Self.lane(of: workspace, among: lanes.count)]
            switch lane.add(request) {
            case .started: Task { await drain(lane) }
            case .queued: break
            case .full: request.fail(Full())
            }
        }
    }

    private static func lane(of workspace: WorkspaceID?, among count: Int) -> Int {
        guard count > 1, let workspace else { return 0 }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a: the same lane in every process
        for byte in workspace.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(hash % UInt64(count))
    }

    private func drain(_ lane: Lane) async {
        while let batch = lane.next(max: Self.batchMax, oneWorkspace: database.dialect == .postgres) {
            await commit(batch)
        }
    }

    private func commit(_ batch: [Request]) async {
        for attempt in 1...Self.attemptsMax {
            do {
                let answers = try await database.write { connection in try Self.apply(batch, on: connection) }
                for answer in answers { answer() }
                return
            } catch let failure as DatabaseFailure where failure.kind == .retryable && attempt < Self.attemptsMax {
                continue
            } catch {
                for request in batch { request.fail(error) }
                return
            }
        }
    }

    private static func apply(_ batch: [Request], on connection: any Connection) throws -> [@Sendable () -> Void] {
        if connection.dialect == .postgres, let workspace = batch.first?.workspace {
            _ = try connection.rows("SELECT id FROM workspace WHERE id = \(workspace) FOR NO KEY UPDATE")
        }
        var answers: [@Sendable () -> Void] = []
        answers.reserveCapacity(batch.count)
        for request in batch {
            do {
                answers.append(try connection.savepoint { try request.run(connection) })
            } catch let failure as DatabaseFailure where failure.endsTransaction {
                throw failure
            } catch {
                answers.append { request.fail(error) }
            }
        }
        return answers
    }

    private struct Request: Sendable {
        let workspace: WorkspaceID?
        let run: @Sendable (any Connection) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    /// Requests of one lane in order of arrival.
    private final class Lane: Sendable {
        private struct State {
            var waiting: [Request] = []
            var isDraining = false
        }
        enum Addition { case started, queued, full }
        private let state = Mutex(State())

        func add(_ request: Request) -> Addition {
            state.withLock { state in
                guard state.waiting.count < queueMax else { return .full }
                state.waiting.append(request)
                guard !state.isDraining else { return .queued }
                state.isDraining = true
                return .started
            }
        }

        /// The next requests to commit together; nil (and the lane rests) when there are none.
        func next(max: Int, oneWorkspace: Bool) -> [Request]? {
            state.withLock { state in
                guard let first = state.waiting.first else {
                    state.isDraining = false
                    return nil
                }
                if !oneWorkspace {
                    let batch = Array(state.waiting.prefix(max))
                    state.waiting.removeFirst(batch.count)
                    return batch
                }
                var batch: [Request] = []
                var rest: [Request] = []
                for request in state.waiting {
                    if batch.count < max && request.workspace == first.workspace { batch.append(request) } else { rest.append(request) }
                }
                state.waiting = rest
                return batch
            }
        }
    }
}

extension DatabaseFailure {
    /// Failures after which no further statement of the transaction can succeed.
    var endsTransaction: Bool {
        switch kind {
        case .retryable, .unavailable, .diskFull, .disk, .readOnly, .locked, .corrupt: true
        case .unique, .foreignKey, .check, .notNull, .mismatch, .other: false
        }
    }
}
