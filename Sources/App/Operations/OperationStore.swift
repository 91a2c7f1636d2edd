import Persistence

/// What the machine that runs Kith asks of its databases.
enum OperationStore {
    /// Throws unless the database answers.
    static func answers(on connection: any Connection) throws {
        _ = try connection.row("SELECT 1")
    }

    static func clicksLogged(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT sequence FROM click_head WHERE id = 1") ?? 0
    }

    static func events(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM outbox") ?? 0
    }

    static func journalTransactions(on connection: any Connection) throws -> Int64 {
        try connection.row("SELECT sum(transaction_count) FROM journal_head")?.get(at: 0, as: Int64?.self) ?? 0
    }
}
