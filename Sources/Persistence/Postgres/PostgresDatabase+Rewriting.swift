/// PostgreSQL keeps what was deleted or changed in its files until the space is used again; even VACUUM only marks it free. What must be
/// gone is gone after the table was written anew, as soon as no transaction can see the old rows.
extension PostgresDatabase {
    /// The longest that a rewriting waits for a table that others use, in milliseconds: meanwhile others wait behind it.
    public static let rewriteLockMs = 2_000

    /// What a rewriting left undone.
    public struct Rewriting: Sendable {
        /// Tables larger than allowed: vacuumed only.
        public var tooLarge: [String] = []
        /// Tables that were in use all the time.
        public var busy: [String] = []

        public init() {}
    }

    /// The number of the transaction that `connection` is in, for ``isSettled(_:)``.
    public static func transactionNumber(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)") ?? 0
    }

    /// Whether nobody can see rows any more that the transaction of this number, or one before it, deleted: no open transaction, no
    /// prepared one, no replica. A number from the future is that of another server, whose files are not here.
    public func isSettled(_ number: Int64) async throws -> Bool {
        try await read { connection in
            // The oldest that runs, in whatever database: every snapshot taken from now on looks back as far as that, the rewriting's own too.
            let running = try connection.row(
                """
                SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT),
                    CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)
                """)
            guard let running else { return false }
            let (oldestRunning, next): (Int64, Int64) = (try running.get(at: 0), try running.get(at: 1))
            if number >= next { return true }
            if number >= oldestRunning { return false }
            let oldest: Int64 = try connection.value(
                """
                SELECT CAST(greatest(
                    (SELECT max(greatest(coalesce(age(backend_xmin), 0), coalesce(age(backend_xid), 0))) FROM pg_stat_activity
                     WHERE (datname = current_database() OR datname IS NULL) AND pid <> pg_backend_pid()),
                    (SELECT max(age(xmin)) FROM pg_replication_slots),
                    (SELECT max(age(transaction)) FROM pg_prepared_xacts WHERE database = current_database()), 0) AS BIGINT)
                """) ?? 0
            return oldest < next - number
        }
    }

    /// Writes tables and their indexes anew, without what was deleted or changed in them, one after the other. Nobody can use a table
    /// while it is written (some 100 MB a second). Then asks for a checkpoint and a new segment of the log, where the role may.
    ///
    /// - Parameters:
    ///   - tables: names from the program's own text, never from users.
    ///   - bytesMax: larger tables, indexes and all, are vacuumed only.
    public func rewrite(_ tables: [String], bytesMax: Int64) async throws -> Rewriting {
        var settings = settings
        // A large table takes as long as it takes.
        settings.timeouts = Timeouts(statementMs: 0, lockMs: Self.rewriteLockMs)
        return try await onQueue { [settings] in
            let link = try PostgresLink(settings)
            var left = Rewriting()
            for table in tables {
                let bytes: Int64 = try link.executeOnce("SELECT pg_total_relation_size(to_regclass(\(table)))").rows().first?.get(at: 0, as: Int64?.self) ?? 0
                if bytes > bytesMax { left.tooLarge.append(table) }
                do {
                    _ = try link.run(bytes > bytesMax ? "VACUUM (ANALYZE, INDEX_CLEANUP ON) \(table)" : "VACUUM (FULL, ANALYZE) \(table)")
                } catch let failure as DatabaseFailure where failure.kind == .retryable {
                    left.busy.append(table)
                }
            }
            // Both are a superuser's, or of who was given them: without them the log is recycled in its own time.
            _ = try? link.run("SELECT pg_switch_wal()")
            _ = try? link.run("CHECKPOINT")
            return left
        }
    }
}
