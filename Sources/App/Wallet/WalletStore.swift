import Chronology
import Ledger
import Money
import Persistence

enum WalletUnitStore {
    static func find(_ unit: UnitCode, in workspace: WorkspaceID, on connection: any Connection) throws -> WalletUnit {
        let row = try connection.row(
            "SELECT unit, expires_after_days, may_transfer FROM wallet_unit WHERE workspace_id = \(workspace) AND unit = \(unit.code)")
        return try row.map(read) ?? WalletUnit(unit: unit, expiresAfterDays: nil, mayTransfer: false)
    }

    static func all(in workspace: WorkspaceID, on connection: any Connection) throws -> [WalletUnit] {
        try connection.rows("SELECT unit, expires_after_days, may_transfer FROM wallet_unit WHERE workspace_id = \(workspace) ORDER BY unit").map(read)
    }

    static func put(_ unit: WalletUnit, at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO wallet_unit (workspace_id, unit, expires_after_days, may_transfer, changed_at)
            VALUES (\(workspace), \(unit.unit.code), \(unit.expiresAfterDays), \(unit.mayTransfer), \(now))
            ON CONFLICT (workspace_id, unit) DO UPDATE SET
                expires_after_days = excluded.expires_after_days, may_transfer = excluded.may_transfer, changed_at = excluded.changed_at
            """)
    }

    /// Units of points and credit that some balance of the workspace is in.
    static func used(in workspace: WorkspaceID, on connection: any Connection) throws -> [UnitCode] {
        try connection.rows("SELECT unit FROM journal_total WHERE workspace_id = \(workspace) ORDER BY unit").compactMap { row in
            Wallet.unit(try row.get(at: 0))
        }
    }

    private static func read(_ row: Row) throws -> WalletUnit {
        WalletUnit(unit: try UnitCode(row.get(at: 0, as: String.self)), expiresAfterDays: try row.get(at: 1), mayTransfer: try row.get(at: 2))
    }
}

enum WalletLotStore {
    /// Lots read together; there may be any number of them.
    static let pageSize = 500

    static func insert(_ lot: WalletLot, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO wallet_lot (id, workspace_id, member_id, program_id, unit, cause, amount, remaining, lapsed, received_at, expires_at)
            VALUES (\(lot.id), \(lot.workspaceID), \(lot.memberID), \(lot.programID), \(lot.unit.code), \(lot.cause), \(lot.amountMinor),
                    \(lot.amountMinor), 0, \(lot.receivedAt), \(lot.expiresAt))
            """)
    }

    /// Takes an amount from the lots that lapse first, however many they are. Answers what was taken, by program and day.
    @discardableResult
    static func take(_ amount: Int64, member: MemberID, unit: UnitCode, on connection: any Connection) throws -> [LotPiece] {
        var left = amount
        var pieces: [LotPiece] = []
        while left > 0 {
            let page = try connection.rows(
                """
                SELECT id, program_id, remaining, expires_at FROM wallet_lot WHERE member_id = \(member) AND unit = \(unit.code) AND remaining > 0
                ORDER BY expires_at NULLS LAST, received_at, id LIMIT \(Int64(pageSize))
                """)
            // Lots that don't reach are told by `kith verify`; what has to be taken is taken.
            guard !page.isEmpty else { break }
            var emptied: [WalletLotID] = []
            for row in page where left > 0 {
                let (id, remaining): (WalletLotID, Int64) = (try row.get(at: 0), try row.get(at: 2))
                let taken = min(left, remaining)
                left -= taken
                let piece = LotPiece(programID: try row.get(at: 1), amountMinor: taken, expiresAt: try row.get(at: 3))
                if let last = pieces.last, last.programID == piece.programID, last.expiresAt == piece.expiresAt {
                    pieces[pieces.count - 1].amountMinor += taken
                } else {
                    pieces.append(piece)
                }
                if taken == remaining {
                    emptied.append(id)
                } else {
                    try connection.execute("UPDATE wallet_lot SET remaining = remaining - \(taken) WHERE id = \(id)")
                }
            }
            if !emptied.isEmpty { try connection.execute("UPDATE wallet_lot SET remaining = 0 WHERE id IN \(list: emptied)") }
        }
        return pieces
    }

    /// Wallets with something to lapse.
    static func due(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [(member: MemberID, unit: UnitCode)] {
        try connection.rows(
            """
            SELECT DISTINCT member_id, unit FROM wallet_lot WHERE workspace_id = \(workspace) AND remaining > 0 AND expires_at <= \(now)
            ORDER BY member_id, unit LIMIT \(Int64(limit))
            """
        ).map { (try $0.get(at: 0), try UnitCode($0.get(at: 1, as: String.self))) }
    }

    /// Lets everything lapse that is past its day. Answers how much, by program.
    static func lapse(member: MemberID, unit: UnitCode, at now: Instant, on connection: any Connection) throws -> [(program: ProgramID, amountMinor: Int64)] {
        let sums = try connection.rows(
            """
            SELECT program_id, CAST(sum(remaining) AS BIGINT) FROM wallet_lot
            WHERE member_id = \(member) AND unit = \(unit.code) AND remaining > 0 AND expires_at <= \(now) GROUP BY program_id ORDER BY program_id
            """
        ).map { row -> (program: ProgramID, amountMinor: Int64) in (try row.get(at: 0), try row.get(at: 1)) }
        guard !sums.isEmpty else { return [] }
        try connection.execute(
            """
            UPDATE wallet_lot SET lapsed = lapsed + remaining, remaining = 0
            WHERE member_id = \(member) AND unit = \(unit.code) AND remaining > 0 AND expires_at <= \(now)
            """)
        return sums
    }

    /// Forgets up to an amount of what lapsed of a cause, as it is given back. Answers how much.
    static func restore(upTo amount: Int64, cause: String, on connection: any Connection) throws -> Int64 {
        var restored: Int64 = 0
        let rows = try connection.rows(
            "SELECT id, lapsed FROM wallet_lot WHERE cause = \(cause) AND lapsed > 0 ORDER BY id LIMIT \(Int64(pageSize))")
        for row in rows where restored < amount {
            let part = min(amount - restored, try row.get(at: 1, as: Int64.self))
            restored += part
            try connection.execute("UPDATE wallet_lot SET lapsed = lapsed - \(part) WHERE id = \(try row.get(at: 0, as: WalletLotID.self))")
        }
        return restored
    }

    /// The next days on which something lapses.
    static func next(of member: MemberID, limit: Int, on connection: any Connection) throws -> [(unit: UnitCode, expiresAt: Instant, amountMinor: Int64)] {
        try connection.rows(
            """
            SELECT unit, expires_at, CAST(sum(remaining) AS BIGINT) FROM wallet_lot
            WHERE member_id = \(member) AND remaining > 0 AND expires_at IS NOT NULL GROUP BY unit, expires_at ORDER BY expires_at, unit LIMIT \(Int64(limit))
            """
        ).map { (try UnitCode($0.get(at: 0, as: String.self)), try $0.get(at: 1), try $0.get(at: 2)) }
    }
}

enum WalletMovementStore {
    private static let columns = "id, member_id, program_id, unit, kind, amount, cause, subject, reason, author, made_at"

    /// Who of the members was given something for a subject.
    static func receiver(of subject: String, among members: [MemberID], on connection: any Connection) throws -> MemberID? {
        try connection.value(
            "SELECT member_id FROM wallet_movement WHERE member_id IN \(list: members) AND subject = \(subject) AND kind = 'bonus' ORDER BY id LIMIT 1")
    }

    static func insert(_ movement: WalletMovement, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO wallet_movement (workspace_id, \(raw: columns))
            VALUES (\(workspace), \(movement.id), \(movement.memberID), \(movement.programID), \(movement.unit.code), \(movement.kind.rawValue),
                    \(movement.amountMinor), \(movement.causeID), \(movement.subject), \(movement.reason), \(movement.author), \(movement.madeAt))
            """)
    }

    /// What a member was given for a subject.
    static func given(_ member: MemberID, _ unit: UnitCode, subject: String, on connection: any Connection) throws -> [WalletMovementID] {
        try connection.rows(
            """
            SELECT id FROM wallet_movement WHERE member_id = \(member) AND subject = \(subject) AND unit = \(unit.code) AND kind = 'bonus'
            ORDER BY made_at, id LIMIT \(Int64(givenMax))
            """
        ).map { try $0.get(at: 0) }
    }

    /// Gifts for one subject that are looked at.
    private static let givenMax = 20

    /// The newest first.
    static func of(_ member: MemberID, before: WalletMovementID?, limit: Int, on connection: any Connection) throws -> [WalletMovement] {
        let further: SQL = before.map { "AND (made_at, id) < (SELECT made_at, id FROM wallet_movement WHERE id = \($0))" } ?? ""
        return try connection.rows(
            "SELECT \(raw: columns) FROM wallet_movement WHERE member_id = \(member) \(sql: further) ORDER BY made_at DESC, id DESC LIMIT \(Int64(limit))"
        ).map(read)
    }

    private static func read(_ row: Row) throws -> WalletMovement {
        WalletMovement(
            id: try row.get(at: 0), memberID: try row.get(at: 1), programID: try row.get(at: 2), unit: try UnitCode(row.get(at: 3, as: String.self)),
            kind: WalletMovement.Kind(rawValue: try row.get(at: 4)) ?? .adjustment, amountMinor: try row.get(at: 5), causeID: try row.get(at: 6),
            subject: try row.get(at: 7), reason: try row.get(at: 8), author: try row.get(at: 9), madeAt: try row.get(at: 10))
    }
}

/// Lots against balances, and movements against what was posted for them.
enum WalletVerification {
    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let lots: SQL = """
            SELECT '' AS cause, member_id AS member, unit, CAST(sum(remaining) AS BIGINT) AS amount FROM wallet_lot
            WHERE workspace_id = \(workspace) GROUP BY member_id, unit
            """
        let balances: SQL = """
            SELECT '' AS cause, m.id AS member, a.unit AS unit, -a.balance AS amount
            FROM member m JOIN account a ON a.workspace_id = m.workspace_id AND a.name = 'liabilities:payable:available:' || m.id
            WHERE m.workspace_id = \(workspace) AND (length(a.unit) <> 3 OR a.unit <> upper(a.unit))
            """
        let moved: SQL = """
            SELECT cause, member_id AS member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM wallet_movement
            WHERE workspace_id = \(workspace) GROUP BY cause, member_id, unit
            """
        let posted: SQL = """
            SELECT t.cause AS cause, m.id AS member, a.unit AS unit, CAST(-sum(e.amount) AS BIGINT) AS amount
            FROM journal_transaction t JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
            JOIN account a ON a.id = e.account_id
            JOIN member m ON m.workspace_id = t.workspace_id AND a.name IN ('liabilities:payable:available:' || m.id, 'assets:debt:' || m.id)
            WHERE t.workspace_id = \(workspace) AND t.purpose = 'wallet' GROUP BY t.cause, m.id, a.unit
            """
        return try VerifyStore.differences(lots, balances, on: connection).map { row in
            Verification.Found(
                kind: "walletLotsWrong", workspace: workspace.text, subject: row.member,
                detail: "lots hold \(row.left) \(row.unit), \(row.right) is available")
        }
            + VerifyStore.differences(moved, posted, on: connection).map { row in
                Verification.Found(
                    kind: "walletMovementNotPosted", workspace: workspace.text, subject: row.subject,
                    detail: "says \(row.left) \(row.unit) of \(row.member), the journal posted \(row.right)")
            }
    }
}
