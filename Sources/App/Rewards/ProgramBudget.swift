import Money
import Persistence
import Rules

/// What all rules of a program together may give in a period, in the program's currency: money, store credit, and things that have a value.
/// It is counted in the transaction of what is given, so no rival can pass it.
struct ProgramBudget: Sendable {
    var program: ProgramID
    var limit: ReferralTerms.Budget
    var period: String

    /// Nil: the program has none, or it does not count this unit.
    init?(_ occasion: Commission.Occasion, unit: UnitCode) {
        guard let limit = occasion.program.settings.referral.budget else { return nil }
        let currency = UnitCode.currency(occasion.facts.programCurrency)
        guard unit == currency || unit.code == "credit:\(currency.code)" else { return nil }
        program = occasion.program.id
        self.limit = limit
        period = occasion.program.zone.period(limit.period, of: occasion.facts.occurredAt)
    }

    func left(on connection: any Connection) throws -> Amount {
        Amount(minor: max(0, limit.amountMinor - (try ProgramBudgetStore.used(program, period, on: connection))))
    }

    func take(_ minor: Int64, for given: String, on connection: any Connection) throws {
        guard minor > 0 else { return }
        try ProgramBudgetStore.add(minor, for: given, program, period, on: connection)
    }

    /// What has come to nothing is free for others.
    static func giveBack(_ minor: Int64, of given: String, program: ProgramID, on connection: any Connection) throws {
        guard minor > 0, let use = try ProgramBudgetStore.use(of: given, program, on: connection) else { return }
        let back = min(minor, use.amountMinor)
        guard back > 0 else { return }
        try ProgramBudgetStore.take(back, of: given, program, use.period, on: connection)
    }
}

enum ProgramBudgetStore {
    static func used(_ program: ProgramID, _ period: String, on connection: any Connection) throws -> Int64 {
        try connection.row("SELECT used FROM program_budget WHERE program_id = \(program) AND period = \(period)")?.get(at: 0) ?? 0
    }

    static func use(of given: String, _ program: ProgramID, on connection: any Connection) throws -> (period: String, amountMinor: Int64)? {
        try connection.row("SELECT period, amount FROM program_budget_use WHERE program_id = \(program) AND given_id = \(given)").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func add(_ minor: Int64, for given: String, _ program: ProgramID, _ period: String, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO program_budget (program_id, period, used) VALUES (\(program), \(period), \(minor))
            ON CONFLICT (program_id, period) DO UPDATE SET used = program_budget.used + excluded.used
            """)
        try connection.executeLater(
            "INSERT INTO program_budget_use (program_id, given_id, period, amount) VALUES (\(program), \(given), \(period), \(minor))")
    }

    static func take(_ minor: Int64, of given: String, _ program: ProgramID, _ period: String, on connection: any Connection) throws {
        try connection.executeLater(
            "UPDATE program_budget_use SET amount = amount - \(minor) WHERE program_id = \(program) AND given_id = \(given)")
        try connection.executeLater("UPDATE program_budget SET used = used - \(minor) WHERE program_id = \(program) AND period = \(period)")
    }

    /// Budgets that are not the sum of what took of them.
    static func wrong(
        _ workspace: WorkspaceID, on connection: any Connection
    ) throws -> [(program: String, period: String, used: Int64, found: Int64)] {
        try connection.rows(
            """
            SELECT b.program_id, b.period, b.used, CAST(coalesce(sum(u.amount), 0) AS BIGINT) FROM program_budget b
            JOIN program p ON p.id = b.program_id
            LEFT JOIN program_budget_use u ON u.program_id = b.program_id AND u.period = b.period
            WHERE p.workspace_id = \(workspace) GROUP BY b.program_id, b.period, b.used
            HAVING b.used <> coalesce(sum(u.amount), 0) ORDER BY b.program_id, b.period LIMIT \(Verification.findingsMax)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2), try $0.get(at: 3)) }
    }
}
