import Dispatch

/// Runs password hashing on threads of its own, a few at a time, so that a flood of sign-ins neither blocks requests nor eats memory.
final class PasswordWork: Sendable {
    private let queue = DispatchQueue(label: "kith.password", attributes: .concurrent)
    private let slots = DispatchSemaphore(value: Password.concurrencyMax)

    func hash(_ password: String) async -> String? { await run { Password.hash(password) } }

    func verify(_ password: String, against hash: String?) async -> Bool { await run { Password.verify(password, against: hash) } }

    private func run<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            queue.async { [slots] in
                slots.wait()
                defer { slots.signal() }
                continuation.resume(returning: work())
            }
        }
    }
}
