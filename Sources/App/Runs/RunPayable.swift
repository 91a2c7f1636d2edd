import Chronology
import Ledger
import Money
import Persistence
import Web

/// What an accepted run gave one member.
struct RunPayable: Sendable, Hashable {
    enum State: String, Sendable { case pending, funded, reversed }

    /// Members of one posting. A commit's way to the disk costs as much as 200 of them; with 600 sales wait a few hundredths of a second.
    /// Funding writes three entries for each, and a posting has 2,000 at most.
    static let chunkMax = 600

    var memberID: MemberID
    /// Below zero: a debt.
    var amountMinor: Int64
}

enum RunPayableStore {
    static func insert(_ rows: [RunPayable], chunk: Int, of run: Run, on connection: any Connection) throws {
        try connection.executeAll(
            rows.map {
                """
                INSERT INTO run_payable (run_id, member_id, chunk, unit, amount, state)
                VALUES (\(run.id), \($0.memberID), \(chunk), \(run.unit.code), \($0.amountMinor), 'pending')
                """
            })
    }

    static func rows(of run: RunID, chunk: Int, on connection: any Connection) throws -> [RunPayable] {
        try connection.rows("SELECT member_id, amount FROM run_payable WHERE run_id = \(run) AND chunk = \(chunk) ORDER BY member_id").map {
            RunPayable(memberID: try $0.get(at: 0), amountMinor: try $0.get(at: 1))
        }
    }

    static func chunks(of run: RunID, on connection: any Connection) throws -> Int {
        (try connection.value("SELECT max(chunk) FROM run_payable WHERE run_id = \(run)", as: Int?.self) ?? nil).map { $0 + 1 } ?? 0
    }

    static func setState(_ state: RunPayable.State, of run: RunID, chunk: Int, on connection: any Connection) throws {
        try connection.execute("UPDATE run_payable SET state = \(state.rawValue) WHERE run_id = \(run) AND chunk = \(chunk)")
    }

    // MARK: In payouts

    /// What funded runs of a program owe members, or one of them, and no live payout or request has.
    static func due(
        program: ProgramID, member: MemberID? = nil, unit: UnitCode, cutoff: Instant, on connection: any Connection
    ) throws -> [MemberID: Int64] {
        var sql: SQL = """
            SELECT p.member_id, CAST(sum(p.amount) AS BIGINT) FROM run r JOIN run_payable p ON p.run_id = r.id
            WHERE r.program_id = \(program) AND r.state = 'funded' AND r.funded_at <= \(cutoff) AND p.state = 'funded' AND p.unit = \(unit.code)
              AND p.payout_id IS NULL AND p.request_id IS NULL AND p.amount > 0
            """
        if let member { sql = "\(sql: sql) AND p.member_id = \(member)" }
        var due: [MemberID: Int64] = [:]
        try connection.forEachRow("\(sql: sql) GROUP BY p.member_id") { row in due[try row.get(at: 0)] = try row.get(at: 1) }
        return due
    }

    /// Sets what is due to a member aside for a request.
    static func reserve(for request: PayoutRequest, until cutoff: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE run_payable SET request_id = \(request.id) WHERE member_id = \(request.memberID) AND state = 'funded' AND payout_id IS NULL
              AND request_id IS NULL AND amount > 0 AND unit = \(request.unit.code) AND run_id IN (
                SELECT id FROM run WHERE program_id = \(request.programID) AND state = 'funded' AND funded_at <= \(cutoff))
            """)
    }

    /// A payout takes over what a request had, or the request lets it go.
    static func settle(_ request: PayoutRequest, on connection: any Connection) throws {
        if request.state == .canceled {
            try connection.execute("UPDATE run_payable SET request_id = NULL WHERE request_id = \(request.id)")
        } else {
            try connection.execute("UPDATE run_payable SET payout_id = \(request.payoutID) WHERE request_id = \(request.id)")
        }
    }

    /// Puts what is due to members into a payout.
    static func take(_ members: [MemberID], into payout: Payout, on connection: any Connection) throws {
        try connection.executeAll(
            members.map {
                """
                UPDATE run_payable SET payout_id = \(payout.id) WHERE member_id = \($0) AND state = 'funded' AND payout_id IS NULL AND request_id IS NULL AND amount > 0
                  AND unit = \(payout.unit.code) AND run_id IN (
                    SELECT id FROM run WHERE program_id = \(payout.programID) AND state = 'funded' AND funded_at <= \(payout.cutoff))
                """
            })
    }

    /// A payment failed or was canceled: what it would have paid is due again.
    static func release(_ payout: PayoutID, _ member: MemberID, on connection: any Connection) throws {
        try connection.execute("UPDATE run_payable SET payout_id = NULL, request_id = NULL WHERE payout_id = \(payout) AND member_id = \(member)")
    }
}

extension Run {
    static func purpose(_ word: String, _ chunk: Int) -> String {
        let digits = String(chunk)
        return "\(word)/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The entries of a chunk: what is earned becomes pending; what is owed back becomes a debt, and the next funding pays it off.
    func entries(_ rows: [RunPayable]) -> [Entry] {
        var expense: Int64 = 0
        var entries: [Entry] = []
        for row in rows {
            expense += row.amountMinor
            let account: AccountName = row.amountMinor > 0 ? .pending(row.memberID.text) : .debt(row.memberID.text)
            entries.append(Entry(account, unit, Amount(minor: -row.amountMinor)))
        }
        return entries + [Entry(.expense(programID.text), unit, Amount(minor: expense))]
    }
}
