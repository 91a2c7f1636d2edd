internal import Synchronization

/// A few connections for single queries of threads that stand in a transaction of another database and wait for the answer.
final class PostgresLookups: Sendable {
    private static let connectionsLimit = 4

    private final class Slot: Sendable {
        let channel: Mutex<PostgresChannel>
        init(_ settings: PostgresSession.Settings) { channel = Mutex(PostgresChannel(settings)) }
    }

    private let slots: [Slot]
    private let turn = Atomic<Int>(0)

    init(_ settings: PostgresSession.Settings) { slots = (0..<Self.connectionsLimit).map { _ in Slot(settings) } }

    func rows(_ query: SQL) throws -> [Row] {
        // The first that is free, so that a single caller uses a single connection.
        for slot in slots {
            if let rows = try slot.channel.withLockIfAvailable({ try Self.rows(query, on: $0) }) { return rows }
        }
        let position = turn.wrappingAdd(1, ordering: .relaxed).newValue & Int.max
        return try slots[position % slots.count].channel.withLock { try Self.rows(query, on: $0) }
    }

    func close() {
        for slot in slots { slot.channel.withLock { $0.close() } }
    }

    private static func rows(_ query: SQL, on channel: PostgresChannel) throws -> [Row] {
        try channel.outsideTransaction { try $0.rows(query) }
    }
}
