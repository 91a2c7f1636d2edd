import Synchronization

/// Notes how long was to be waited, and waits not at all.
final class Pauses: Sendable {
    private let noted = Mutex<[Int]>([])

    var all: [Int] { noted.withLock { $0 } }

    func note(_ milliseconds: Int) -> Bool {
        noted.withLock { $0.append(milliseconds) }
        return true
    }
}
