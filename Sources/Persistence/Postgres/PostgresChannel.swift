/// A connection that is made when it is first needed, and anew after it broke. Used by one thread at a time.
final class PostgresChannel {
    private let settings: PostgresSession.Settings
    private var link: PostgresLink?
    private var closed = false

    init(_ settings: PostgresSession.Settings) { self.settings = settings }

    func transaction<T>(_ mode: PostgresSession.Mode, _ body: (any Connection) throws -> T) throws -> T {
        let link = try begin(mode)
        let connection = PostgresConnection(link)
        do {
            let result = try body(connection)
            try connection.sendDeferred()
            if let cause = connection.cause { throw cause }
            let tag = try link.run("COMMIT")
            // After a failed statement whose error was swallowed the server answers COMMIT with ROLLBACK.
            guard tag == "COMMIT" else { throw DatabaseFailure(.other, "the transaction had failed before and was rolled back") }
            return result
        } catch {
            if link.isInTransaction { _ = try? link.run("ROLLBACK") }
            if !link.isUsable { self.link = nil }
            throw error
        }
    }

    /// Runs `body` without a transaction. It runs a second time when a connection that was idle turns out to be broken, and must
    /// ask for nothing that may not happen twice.
    func outsideTransaction<T>(_ body: (any Connection) throws -> T) throws -> T {
        if closed { throw Self.closedFailure }
        if let link, link.isUsable {
            do {
                return try body(PostgresConnection(link))
            } catch where !link.isUsable {
                self.link = nil
            }
        }
        let link = try PostgresLink(settings)
        self.link = link
        return try body(PostgresConnection(link))
    }

    func close() {
        closed = true
        link = nil
    }

    /// Opens the transaction. A connection that broke while idle is made anew once: nothing has been asked of it yet.
    private func begin(_ mode: PostgresSession.Mode) throws -> PostgresLink {
        if closed { throw Self.closedFailure }
        if let link, link.isUsable {
            do {
                _ = try link.run(mode.begin)
                return link
            } catch where !link.isUsable {
                self.link = nil
            }
        }
        let link = try PostgresLink(settings)
        self.link = link
        _ = try link.run(mode.begin)
        return link
    }

    private static let closedFailure = DatabaseFailure(.unavailable, "the database is closed")
}
