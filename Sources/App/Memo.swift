import Synchronization

/// Remembers what was made of immutable inputs: documents as they stand in the database, names of zones. An entry can never be stale,
/// because its key is the whole input.
final class Memo<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let limit: Int
    private let known = Mutex<[Key: Value]>([:])

    init(limit: Int) { self.limit = limit }

    func value(_ key: Key, _ make: () throws -> Value) rethrows -> Value {
        if let value = known.withLock({ $0[key] }) { return value }
        let value = try make()
        known.withLock { known in
            if known.count >= limit { known.removeAll(keepingCapacity: true) }
            known[key] = value
        }
        return value
    }
}
