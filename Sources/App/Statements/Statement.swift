import Chronology
import Ledger
import Money
import Persistence
import Web

/// What a member was owed at the beginning of a period, what changed it, and what they were owed at its end: for each unit apart, as the
/// journal has it. What they are owed is pending + held + available + in payout − debt.
struct Statement: Sendable {
    /// Lines of one statement; a longer period is refused.
    static let linesMax = 5_000
    /// The longest period.
    static let daysMax: Int64 = 3_660

    struct Line: Sendable, Hashable {
        var sequence: Int64
        var recordedAt: Instant
        var cause: String
        var purpose: String
        /// What the member is owed more, or less.
        var amountMinor: Int64
    }

    struct Part: Sendable {
        var unit: UnitCode
        var openingMinor: Int64
        var lines: [Line]
        var closingMinor: Int64
        /// The parts of the end's balance.
        var closing: MemberBalance
    }

    var memberID: MemberID
    /// The period holds `from` and ends before `until`.
    var from: Instant
    var until: Instant
    var parts: [Part]

    /// - Throws: a problem when the period is empty, too long, or has too many lines.
    static func make(of member: MemberID, from: Instant, until: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> Statement {
        guard from < until, until.millisecondsClamped(since: from) <= daysMax * 86_400_000 else {
            throw Refusal.field("until", "Must be after from, by at most ten years.")
        }
        let opening = try StatementStore.balances(of: member, before: from, in: workspace, on: connection)
        let closing = try StatementStore.balances(of: member, before: until, in: workspace, on: connection)
        let lines = try StatementStore.lines(of: member, from: from, until: until, limit: linesMax + 1, in: workspace, on: connection)
        guard lines.count <= linesMax else {
            throw Problem.unprocessable(code: "statement_too_long", detail: "A statement has at most \(linesMax) lines. Choose a shorter period.")
        }
        let byUnit = Dictionary(grouping: lines, by: \.unit)
        let units = Set(opening.map(\.unit)).union(closing.map(\.unit)).union(byUnit.keys).sorted()
        return Statement(
            memberID: member, from: from, until: until,
            parts: try units.map { unit in
                let end = closing.first { $0.unit == unit } ?? MemberBalance(unit: unit)
                return Part(
                    unit: unit, openingMinor: try (opening.first { $0.unit == unit } ?? MemberBalance(unit: unit)).owedMinor(),
                    lines: (byUnit[unit] ?? []).map(\.line), closingMinor: try end.owedMinor(), closing: end)
            }.filter { $0.openingMinor != 0 || $0.closingMinor != 0 || !$0.lines.isEmpty })
    }
}

extension MemberBalance {
    /// pending + held + available + in payout − debt.
    func owedMinor() throws -> Int64 { try Amount.sum([pending, held, available, inPayout]).subtracting(debt).minor }
}

enum StatementStore {
    struct UnitLine: Sendable {
        var unit: UnitCode
        var line: Statement.Line
    }

    private static let kinds: [LedgerAccountKind] = LedgerAccountKind.owed + [.debt]

    private static func paths(_ member: MemberID) -> [String] { kinds.map { $0.prefix + member.text } }

    /// What a member's accounts held before an instant, as it was recorded.
    static func balances(
        of member: MemberID, before instant: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> [MemberBalance] {
        var balances: [UnitCode: MemberBalance] = [:]
        for row in try connection.rows(
            """
            SELECT a.name, a.unit, CAST(sum(e.amount) AS BIGINT) FROM account a JOIN journal_entry e ON e.account_id = a.id
            JOIN journal_transaction t ON t.workspace_id = e.workspace_id AND t.sequence = e.sequence
            WHERE a.workspace_id = \(workspace) AND a.name IN \(list: paths(member)) AND t.recorded_at < \(instant) GROUP BY a.name, a.unit
            """)
        {
            let unit = try UnitCode(row.get(at: 1, as: String.self))
            let sum = Amount(minor: try row.get(at: 2))
            var balance = balances[unit] ?? MemberBalance(unit: unit)
            switch LedgerAccountKind.of(try row.get(at: 0))?.kind {
            case .pending: balance.pending = try sum.negated()
            case .held: balance.held = try sum.negated()
            case .available: balance.available = try sum.negated()
            case .inPayout: balance.inPayout = try sum.negated()
            case .debt: balance.debt = sum
            default: break
            }
            balances[unit] = balance
        }
        return balances.values.sorted { $0.unit < $1.unit }
    }

    /// The transactions that changed what a member is owed, in the journal's order. Moves between their own accounts change nothing.
    static func lines(
        of member: MemberID, from: Instant, until: Instant, limit: Int, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> [UnitLine] {
        try connection.rows(
            """
            SELECT a.unit, t.sequence, t.recorded_at, t.cause, t.purpose, CAST(-sum(e.amount) AS BIGINT)
            FROM account a JOIN journal_entry e ON e.account_id = a.id
            JOIN journal_transaction t ON t.workspace_id = e.workspace_id AND t.sequence = e.sequence
            WHERE a.workspace_id = \(workspace) AND a.name IN \(list: paths(member)) AND t.recorded_at >= \(from) AND t.recorded_at < \(until)
            GROUP BY a.unit, t.sequence, t.recorded_at, t.cause, t.purpose HAVING sum(e.amount) <> 0 ORDER BY t.sequence, a.unit LIMIT \(limit)
            """
        ).map { row in
            UnitLine(
                unit: try UnitCode(row.get(at: 0, as: String.self)),
                line: Statement.Line(
                    sequence: try row.get(at: 1), recordedAt: try row.get(at: 2), cause: try row.get(at: 3), purpose: try row.get(at: 4),
                    amountMinor: try row.get(at: 5)))
        }
    }
}
