internal import Dispatch
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// A SQLite file: one writer and several readers over a write-ahead log.
///
/// Every commit is on disk when `write` returns (`synchronous=FULL`, checked at opening). After the disk failed to take a
/// commit its outcome is unknown, and what is written to a damaged file may damage it further: in both cases the database
/// refuses every later write until the process starts anew; reads go on.
public final class SQLiteDatabase: Database {
    /// How long a statement waits for a lock of another connection.
    public static let busyTimeoutSeconds: Double = 5
    /// Readers that may run at a time.
    public static let readerLimit = 8
    /// The longest that an opening waits for the lock of a process that is ending, when it is told to wait: the system frees the lock of a
    /// killed process only when all of it is gone.
    public static let lockWaitMaxMs = 5_000
    /// The size that the write-ahead log is cut back to after a checkpoint.
    public static let journalSizeLimitBytes = 64 << 20
    /// Pages the writing connection keeps: with SQLite's 2 MB a busy file is read again and again (9 % of a sale).
    public static let writerCacheKiB = 32 << 10
    /// The journal goes into the file after so many pages of 4 KiB: a page that several commits touch is written back once.
    public static let checkpointPages = 4_000

    public let dialect = Dialect.sqlite
    /// The file's path; nil in memory.
    public let path: String?
    private let grdb: any DatabaseWriter
    private let readOnly: Bool
    private let lock: ProcessLock?
    private let fileLock: FileLock?
    private let state = Mutex(State())

    private struct State {
        var stop: DatabaseFailure?
        var closed = false
    }

    private init(_ grdb: any DatabaseWriter, path: String?, readOnly: Bool, lock: ProcessLock?, fileLock: FileLock?) {
        self.grdb = grdb
        self.path = path
        self.readOnly = readOnly
        self.lock = lock
        self.fileLock = fileLock
    }

    /// Opens a file. One process at a time may open it for writing; reading processes need no lock and may run beside it.
    ///
    /// - Parameter lockWaitMs: how long to wait for a process that has the lock now, at most ``lockWaitMaxMs``.
    /// - Throws: `.locked` when another opening writes the file, `.corrupt` when it is no database, `.other` when it does
    ///   not exist and `mayCreate` is false.
    public static func open(
        path: String, readOnly: Bool = false, mayCreate: Bool = true, lockWaitMs: Int = 0
    ) async throws -> SQLiteDatabase {
        try await onQueue { try openNow(path: path, readOnly: readOnly, mayCreate: mayCreate, lockWaitMs: min(lockWaitMs, lockWaitMaxMs)) }
    }

    /// A database that lives in memory and goes with this object. It has one connection, so reads wait for writes.
    public static func inMemory() async throws -> SQLiteDatabase {
        try await onQueue {
            try SQLiteFailure.mapping {
                let queue = try DatabaseQueue(configuration: configuration(readOnly: false))
                return SQLiteDatabase(queue, path: nil, readOnly: false, lock: nil, fileLock: nil)
            }
        }
    }

    public func read<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try refuseIfClosed()
        return try await withCheckedThrowingContinuation { continuation in
            grdb.asyncRead { opened in
                continuation.resume(with: Result { try SQLiteFailure.mapping { try body(SQLiteConnection(open: opened.get())) } })
            }
        }
    }

    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try refuseIfClosed()
        if readOnly { throw DatabaseFailure(.readOnly, "this database was opened for reading only") }
        return try await withCheckedThrowingContinuation { continuation in
            grdb.asyncWriteWithoutTransaction { database in
                continuation.resume(with: Result { try self.transaction(database, body) })
            }
        }
    }

    public func rowsBlocking(_ query: SQL) throws -> [Row] {
        try refuseIfClosed()
        return try SQLiteFailure.mapping { try grdb.read { try SQLiteConnection(open: $0).rows(query) } }
    }

    public func checkpoint() async throws {
        try refuseIfClosed()
        guard let pool = grdb as? DatabasePool, !readOnly else { return }
        do {
            try await onQueue {
                try SQLiteFailure.mapping { _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
            }
        } catch let failure as DatabaseFailure {
            stopIfNeeded(failure)
            throw failure
        }
    }

    /// Copies the database to a new file, as of one moment, while writers go on. The copy is on disk when it returns.
    ///
    /// - Throws: `.other` when the file exists already.
    public func backup(to path: String) async throws {
        try refuseIfClosed()
        let source = grdb
        try await onQueue {
            if FileManager.default.fileExists(atPath: path) { throw DatabaseFailure(.other, "\(path) exists already") }
            try SQLiteFailure.mapping {
                let copy = try DatabaseQueue(path: path, configuration: Self.configuration(readOnly: false))
                try source.backup(to: copy)
                try copy.close()
            }
            try synchronise(path)
        }
    }

    public var writeStop: String? { state.withLock { $0.stop.map(Self.sentence) } }

    public func close() async {
        let wasClosed = state.withLock { state in
            defer { state.closed = true }
            return state.closed
        }
        if wasClosed { return }
        let grdb = grdb
        try? await onQueue { try grdb.close() }
        fileLock?.release()
        lock?.release()
    }

    /// Stands in for a disk that failed, so that what stands above can test how it goes on.
    package func simulateDiskFailure(_ message: String) { stopIfNeeded(DatabaseFailure(.disk, message)) }

    // MARK: - Opening

    private static func openNow(path: String, readOnly: Bool, mayCreate: Bool, lockWaitMs: Int) throws -> SQLiteDatabase {
        let exists = FileManager.default.fileExists(atPath: path)
        if !exists && (readOnly || !mayCreate) { throw DatabaseFailure(.other, "there is no database at \(path)") }
        let lock = readOnly ? nil : try ProcessLock.take(beside: path, waitMs: lockWaitMs)
        var fileLock: FileLock?
        do {
            if !readOnly { fileLock = try FileLock.take(path, waitMs: lockWaitMs) }
            let held = fileLock
            return try SQLiteFailure.mapping {
                let pool = try DatabasePool(path: path, configuration: configuration(readOnly: readOnly))
                if readOnly { try checkForm(pool) } else { try setDurability(pool) }
                return SQLiteDatabase(pool, path: path, readOnly: readOnly, lock: lock, fileLock: held)
            }
        } catch {
            fileLock?.release()
            lock?.release()
            guard let failure = error as? DatabaseFailure, failure.kind == .corrupt else { throw error }
            throw DatabaseFailure(
                .corrupt,
                "\(path) is no SQLite database, or a damaged one (\(failure.message)). Nothing was written to it. Name another file, or restore a backup")
        }
    }

    /// Reads the head of a file that opening did not look at.
    private static func checkForm(_ pool: DatabasePool) throws {
        try pool.read { _ = try Int.fetchOne($0, sql: "PRAGMA schema_version") }
    }

    private static func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.maximumReaderCount = readerLimit
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA secure_delete = ON")
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
            try database.execute(sql: "PRAGMA cell_size_check = ON")
            try database.execute(sql: "PRAGMA journal_size_limit = \(journalSizeLimitBytes)")
        }
        return configuration
    }

    /// GRDB sets `synchronous=NORMAL` after `prepareDatabase`; NORMAL loses acknowledged commits when the power goes.
    private static func setDurability(_ pool: DatabasePool) throws {
        try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cache_size = -\(writerCacheKiB)")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
            let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            guard level == 2 else {
                throw DatabaseFailure(.other, "the database would not promise durable commits (synchronous is \(level ?? -1), not 2)")
            }
        }
    }

    // MARK: - Transactions

    private func transaction<T>(_ database: GRDB.Database, _ body: (any Connection) throws -> T) throws -> T {
        if let stop = state.withLock({ $0.stop }) { throw DatabaseFailure(stop.kind, Self.sentence(stop)) }
        let connection = try SQLiteConnection(open: database)
        do {
            try connection.execute("BEGIN IMMEDIATE")
            let result = try body(connection)
            // A failure of the file that `body` has passed over is one all the same.
            if let damage = connection.damage { throw damage }
            try connection.execute("COMMIT")
            return result
        } catch {
            let failure = SQLiteFailure.map(error)
            // Only what the engine itself said counts, not a `.corrupt` by which the code above names one row.
            if let damage = connection.damage { stopIfNeeded(damage) }
            // SQLite rolls back by itself after some errors; what is left open is rolled back here.
            if database.isInsideTransaction { _ = try? connection.execute("ROLLBACK") }
            throw failure
        }
    }

    /// Stops writing for good after the failures whose consequences are unknown.
    private func stopIfNeeded(_ failure: DatabaseFailure) {
        guard failure.kind == .disk || failure.kind == .corrupt else { return }
        state.withLock { $0.stop = $0.stop ?? failure }
    }

    private static func sentence(_ stop: DatabaseFailure) -> String {
        stop.kind == .corrupt
            ? "writing stopped because the file is damaged: \(stop.message). Run kith verify, and restore a backup"
            : "writing stopped because the disk failed before: \(stop.message). Check the disk, then start again"
    }

    private func refuseIfClosed() throws {
        if state.withLock({ $0.closed }) { throw DatabaseFailure(.unavailable, "the database is closed") }
    }
}

/// Runs blocking work on a thread of its own instead of one of the few that run tasks.
func onQueue<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}

private func synchronise(_ path: String) throws {
    let descriptor = Foundation.open(path, O_RDONLY)
    guard descriptor >= 0 else { throw DatabaseFailure(.disk, "can't open \(path)") }
    defer { Foundation.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DatabaseFailure(.disk, "can't bring \(path) to the disk") }
}
