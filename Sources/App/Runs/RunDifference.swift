import Compensation
import Persistence

/// What facts that came after a period was accepted change about it, for one member and bonus: paid or taken by a later run.
struct RunDifference: Sendable, Hashable {
    var forRunID: RunID
    var memberID: MemberID
    var bonus: String
    var amountMinor: Int64
    /// The late facts, by id.
    var cause: String

    static let author = "system:differences"

    var override: Override {
        Override(
            memberId: memberID.text, kind: .adjustment(bonus: bonus, amountMinor: amountMinor), author: Self.author,
            reason: "\(forRunID.text): \(cause)")
    }
}

enum RunDifferenceStore {
    static func replace(_ differences: [RunDifference], of run: RunID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM run_difference WHERE run_id = \(run)")
        try connection.executeAll(
            differences.map {
                """
                INSERT INTO run_difference (run_id, for_run_id, member_id, bonus, amount, cause)
                VALUES (\(run), \($0.forRunID), \($0.memberID), \($0.bonus), \($0.amountMinor), \($0.cause))
                """
            })
    }

    static func all(of run: RunID, on connection: any Connection) throws -> [RunDifference] {
        try connection.rows(
            "SELECT for_run_id, member_id, bonus, amount, cause FROM run_difference WHERE run_id = \(run) ORDER BY for_run_id, member_id, bonus"
        ).map { row in
            RunDifference(
                forRunID: try row.get(at: 0), memberID: try row.get(at: 1), bonus: try row.get(at: 2), amountMinor: try row.get(at: 3),
                cause: try row.get(at: 4))
        }
    }

    /// What accepted runs posted for an earlier one already, by member and bonus.
    static func posted(for run: RunID, on connection: any Connection) throws -> [(member: MemberID, bonus: String, amountMinor: Int64)] {
        try connection.rows(
            """
            SELECT d.member_id, d.bonus, CAST(sum(d.amount) AS BIGINT) FROM run_difference d JOIN run r ON r.id = d.run_id
            WHERE d.for_run_id = \(run) AND r.state IN ('accepting', 'accepted', 'funded') GROUP BY d.member_id, d.bonus ORDER BY d.member_id, d.bonus
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }
}
