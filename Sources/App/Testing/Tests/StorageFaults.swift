import Persistence
import Synchronization

@testable import App

/// What goes wrong at a database, drawn from a seed: transactions that lose a race, connections that break before or after the commit,
/// disks that are full. Off until a test turns it on.
final class StorageFaults: Sendable {
    enum Fault: CaseIterable, Sendable {
        /// The transaction lost a race before it began, or when it was done: the gate runs it again.
        case raceBefore, raceAfter
        /// The connection broke. After the commit, nobody knows that it held.
        case lostBefore, lostAfterCommit
        case diskFull
    }

    private struct State {
        var chance: SeededGenerator
        var isOn = false
        var isGone = false
        var counts: [Fault: Int] = [:]
    }
    private let state: Mutex<State>
    /// Of a thousand transactions, how many fail in each of the ways.
    private static let perMille: UInt64 = 25

    init(seed: UInt64) { state = Mutex(State(chance: SeededGenerator(state: seed ^ 0x5707_A6E5))) }

    /// Nothing can be read or written while the database is gone.
    func make(gone isGone: Bool) { state.withLock { $0.isGone = isGone } }
    fileprivate func check() throws {
        if state.withLock({ $0.isGone }) { throw DatabaseFailure(.unavailable, "simulated: the database is gone") }
    }

    func turn(on isOn: Bool) { state.withLock { $0.isOn = isOn } }
    var counts: [Fault: Int] { state.withLock { $0.counts } }

    func next() -> Fault? {
        state.withLock { state in
            guard state.isOn else { return nil }
            let roll = Int(state.chance.next(upperBound: UInt64(1_000)) / Self.perMille)
            guard Fault.allCases.indices.contains(roll) else { return nil }
            let fault = Fault.allCases[roll]
            state.counts[fault, default: 0] += 1
            return fault
        }
    }
}

/// A database whose writes fail as the faults say.
struct FaultyDatabase: Database {
    let base: any Database
    let faults: StorageFaults

    var dialect: Dialect { base.dialect }
    var writeStop: String? { base.writeStop }

    func read<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try faults.check()
        return try await base.read(body)
    }

    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try faults.check()
        let fault = faults.next()
        switch fault {
        case .raceBefore: throw DatabaseFailure(.retryable, "simulated: lost a race")
        case .lostBefore: throw DatabaseFailure(.unavailable, "simulated: the connection broke")
        default: break
        }
        let value = try await base.write { connection in
            let value = try body(connection)
            switch fault {
            case .raceAfter: throw DatabaseFailure(.retryable, "simulated: lost a race at the end")
            case .diskFull: throw DatabaseFailure(.diskFull, "simulated: no room")
            default: return value
            }
        }
        if fault == .lostAfterCommit { throw DatabaseFailure(.unavailable, "simulated: the answer to COMMIT was lost") }
        return value
    }

    func rowsBlocking(_ query: SQL) throws -> [Row] { try base.rowsBlocking(query) }
    func checkpoint() async throws { try await base.checkpoint() }
    func close() async { await base.close() }
}
