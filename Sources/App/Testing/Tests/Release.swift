import Dispatch

/// Lets a thread inside a transaction wait for a task outside it.
final class Release: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait() { semaphore.wait() }
    func signal() { semaphore.signal() }
}
