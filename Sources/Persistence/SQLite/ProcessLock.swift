internal import Dispatch
internal import Foundation
internal import Synchronization

/// A lock that one process holds while it may write a file. The system lets go of it when the process ends, however it ends.
final class ProcessLock: Sendable {
    private let descriptor: Mutex<Int32?>

    private init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    /// Between two looks at a lock that another process has.
    private static let pauseMicroseconds: UInt32 = 20_000

    /// Takes the lock of `path` in the file `path.lock`, following links first so that two names of one file share it. Tries for `waitMs`.
    static func take(beside path: String, waitMs: Int) throws -> ProcessLock {
        let name = URL(fileURLWithPath: path).resolvingSymlinksInPath().path + ".lock"
        let descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let kind: DatabaseFailure.Kind = errno == EROFS || errno == EACCES ? .readOnly : errno == ENOSPC ? .diskFull : .other
            throw DatabaseFailure(kind, "can't create \(name): \(String(cString: strerror(errno)))")
        }
        var isTaken = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        // Counted by a clock that nobody sets.
        let until = DispatchTime.now() + .milliseconds(waitMs)
        while !isTaken && DispatchTime.now() < until {
            usleep(pauseMicroseconds)
            isTaken = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        }
        guard isTaken else {
            close(descriptor)
            throw DatabaseFailure(.locked, "another Kith process is already writing to \(path). Stop it first, or give this one another file")
        }
        return ProcessLock(descriptor)
    }

    func release() {
        descriptor.withLock { held in
            if let held { close(held) }
            held = nil
        }
    }
}
