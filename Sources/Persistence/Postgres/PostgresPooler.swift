/// Finds a pooler before PostgreSQL that gives each transaction another of the server's sessions (PgBouncer in transaction mode). Limits,
/// prepared statements and locks belong to a session: through such a pooler they would be lost, or be somebody else's.
enum PostgresPooler {
    /// Connections opened at most to see whether two of them share a session.
    private static let connectionsLimit = 4

    static func refuse(_ settings: PostgresSession.Settings) throws {
        let first = try PostgresLink(settings)
        let process = try process(of: first)
        // Who speaks to the server itself is told the number of the process that serves them; a pooler makes one up.
        guard process != first.announcedProcess else { return }
        var others: [PostgresLink] = []
        for _ in 0..<connectionsLimit {
            let other = try PostgresLink(settings)
            // Pooled by statement there are no transactions at all.
            do { _ = try other.run("BEGIN") } catch { throw failure }
            others.append(other)
            if try Self.process(of: other) == process { throw failure }
        }
        if try Self.process(of: first) != process { throw failure }
    }

    private static func process(of link: PostgresLink) throws -> Int64 {
        try link.executeOnce("SELECT pg_backend_pid()").rows().first?.get(at: 0) ?? 0
    }

    private static let failure = DatabaseFailure(
        .other,
        "a pooler stands before PostgreSQL that parts sessions from connections (PgBouncer: pool_mode = transaction or statement). Kith needs the server's own address, or one pooled by session")
}
