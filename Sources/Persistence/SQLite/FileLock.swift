internal import Dispatch
internal import Foundation
internal import Synchronization

/// A lock on a file itself, whatever name it was reached by: hard links of one file share it. Held beside ``ProcessLock`` for as long as
/// the database is open.
///
/// It is a `flock`, which SQLite's own `fcntl` locks know nothing of. Closing any descriptor of a file lets go of the process's `fcntl`
/// locks on it, so the file is not opened where this process holds it already, and the lock is released after the database is closed.
final class FileLock: Sendable {
    fileprivate struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    private static let pauseMicroseconds: UInt32 = 20_000
    private static let held = Mutex<Set<Identity>>([])
    private let descriptor: Mutex<Int32?>
    private let identity: Identity

    private init(_ descriptor: Int32, _ identity: Identity) {
        self.descriptor = Mutex(descriptor)
        self.identity = identity
    }

    deinit { release() }

    /// Takes the lock of the file, which is made empty when it is not there; tries for `waitMs`, for a process that was killed lets go of
    /// its locks one after the other. A file system without `flock` is taken as it is.
    static func take(_ path: String, waitMs: Int) throws -> FileLock {
        var status = stat()
        if stat(path, &status) == 0, held.withLock({ $0.contains(Identity(status)) }) { throw refusal(path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            let kind: DatabaseFailure.Kind = errno == EROFS || errno == EACCES ? .readOnly : errno == ENOSPC ? .diskFull : .other
            throw DatabaseFailure(kind, "can't open \(path): \(String(cString: strerror(errno)))")
        }
        let until = DispatchTime.now() + .milliseconds(waitMs)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            guard DispatchTime.now() < until else {
                close(descriptor)
                throw refusal(path)
            }
            usleep(pauseMicroseconds)
        }
        let identity = Identity(status)
        held.withLock { _ = $0.insert(identity) }
        return FileLock(descriptor, identity)
    }

    func release() {
        descriptor.withLock { open in
            guard let number = open else { return }
            close(number)
            open = nil
            _ = Self.held.withLock { $0.remove(identity) }
        }
    }

    private static func refusal(_ path: String) -> DatabaseFailure {
        DatabaseFailure(
            .locked, "another Kith process is already writing to the file of \(path), by this name or another. Stop it first, or give this one another file")
    }
}

extension FileLock.Identity {
    fileprivate init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
