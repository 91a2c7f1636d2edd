import Chronology
import Money
import Persistence
import Web

enum CouponStore {
    private static let columns = """
        id, workspace_id, program_id, name, kind, rate, amount, currency, minimum_amount, valid_days, uses_per_code, uses_max, budget, needs_referral, \
        new_customers_only, watched_uses, uses, spent, state, created_at
        """

    static func insert(_ coupon: Coupon, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO coupon (\(raw: columns))
            VALUES (\(coupon.id), \(coupon.workspaceID), \(coupon.programID), \(coupon.name), \(coupon.kind.rawValue), \(coupon.rate?.text), \(coupon.amountMinor),
                    \(coupon.currency.code), \(coupon.minimumMinor), \(coupon.validDays), \(coupon.usesPerCode), \(coupon.usesLimit), \(coupon.budgetMinor),
                    \(coupon.needsReferral), \(coupon.newCustomersOnly), \(coupon.watchedUses), \(coupon.uses), \(coupon.spentMinor), \(coupon.state.rawValue),
                    \(coupon.createdAt))
            """)
    }

    static func find(_ id: CouponID, in workspace: WorkspaceID, on connection: any Connection) throws -> Coupon? {
        try connection.row("SELECT \(raw: columns) FROM coupon WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT count(*) FROM coupon WHERE workspace_id = \(workspace)") ?? 0
    }

    static func list(
        in workspace: WorkspaceID, program: ProgramID? = nil, after: String? = nil, limit: Int, on connection: any Connection
    ) throws -> [Coupon] {
        var sql: SQL = "SELECT \(raw: columns) FROM coupon WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let program { sql = "\(sql: sql) AND program_id = \(program)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    static func setState(_ coupon: Coupon, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon SET state = \(coupon.state.rawValue) WHERE id = \(coupon.id)")
    }

    static func addUse(_ coupon: CouponID, discount: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon SET uses = uses + 1, spent = spent + \(discount) WHERE id = \(coupon)")
    }

    static func takeUse(_ coupon: CouponID, discount: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon SET uses = uses - 1, spent = spent - \(discount) WHERE id = \(coupon)")
    }

    static func watched(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value(
            "SELECT count(*) FROM coupon WHERE workspace_id = \(workspace) AND watched_uses > 0 AND state = 'active' AND uses >= watched_uses") ?? 0
    }

    static func addSpent(_ coupon: CouponID, _ discount: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon SET spent = spent + \(discount) WHERE id = \(coupon)")
    }

    private static func read(_ row: Row) throws -> Coupon {
        let rate: String? = try row.get(at: 5)
        guard let currency = Currency(code: try row.get(at: 7)) else { throw DatabaseFailure(.corrupt, "a coupon has no currency") }
        return Coupon(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3),
            kind: Coupon.Kind(rawValue: try row.get(at: 4)) ?? .freeShipping, rate: try rate.map { try Rate($0) }, amountMinor: try row.get(at: 6),
            currency: currency, minimumMinor: try row.get(at: 8), validDays: try row.get(at: 9), usesPerCode: try row.get(at: 10),
            usesLimit: try row.get(at: 11), budgetMinor: try row.get(at: 12), needsReferral: try row.get(at: 13), newCustomersOnly: try row.get(at: 14),
            watchedUses: try row.get(at: 15), uses: try row.get(at: 16), spentMinor: try row.get(at: 17),
            state: Coupon.State(rawValue: try row.get(at: 18)) ?? .ended, createdAt: try row.get(at: 19))
    }
}

enum CouponCodeStore {
    private static let columns = """
        id, workspace_id, coupon_id, code, code_folded, state, member_id, customer_id, uses, reserved_until, reserved_by, expires_at, issued_at,
        returned_uses
        """

    static func insert(_ code: CouponCode, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO coupon_code (\(raw: columns))
            VALUES (\(code.id), \(code.workspaceID), \(code.couponID), \(code.code), \(code.folded), \(code.state.rawValue), \(code.memberID), \(code.customerID),
                    \(code.uses), \(code.reservedUntil), \(code.reservedBy), \(code.expiresAt), \(code.issuedAt), \(code.returnedUses))
            """)
    }

    static func update(_ code: CouponCode, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE coupon_code SET state = \(code.state.rawValue), uses = \(code.uses), reserved_until = \(code.reservedUntil), reserved_by = \(code.reservedBy),
                returned_uses = \(code.returnedUses)
            WHERE id = \(code.id)
            """)
    }

    static func find(_ id: CouponCodeID, in workspace: WorkspaceID, on connection: any Connection) throws -> CouponCode? {
        try connection.row("SELECT \(raw: columns) FROM coupon_code WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(folded: String, in workspace: WorkspaceID, on connection: any Connection) throws -> CouponCode? {
        try connection.row("SELECT \(raw: columns) FROM coupon_code WHERE workspace_id = \(workspace) AND code_folded = \(folded)").map(read)
    }

    /// The codes' texts.
    static func texts(of ids: [CouponCodeID], on connection: any Connection) throws -> [CouponCodeID: String] {
        guard !ids.isEmpty else { return [:] }
        return Dictionary(
            try connection.rows("SELECT id, code FROM coupon_code WHERE id IN \(list: ids)").map { (try $0.get(at: 0), try $0.get(at: 1)) },
            uniquingKeysWith: { first, _ in first })
    }

    static func list(of coupon: CouponID, after: String?, limit: Int, on connection: any Connection) throws -> [CouponCode] {
        try connection.rows("SELECT \(raw: columns) FROM coupon_code WHERE coupon_id = \(coupon) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)").map(read)
    }

    static func count(of coupon: CouponID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT count(*) FROM coupon_code WHERE coupon_id = \(coupon)") ?? 0
    }

    static func expired(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [CouponCode] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM coupon_code WHERE workspace_id = \(workspace) AND state IN ('issued', 'reserved') AND expires_at IS NOT NULL
                AND expires_at <= \(now) ORDER BY expires_at, id LIMIT \(limit)
            """
        ).map(read)
    }

    /// The code of a coupon that is a member's to give to friends, while it is good.
    static func given(_ coupon: CouponID, to member: MemberID, on connection: any Connection) throws -> CouponCode? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM coupon_code WHERE coupon_id = \(coupon) AND member_id = \(member) AND state IN ('issued', 'reserved')
            ORDER BY id LIMIT 1
            """
        ).map(read)
    }

    /// Codes that are a member's to give to friends.
    static func ids(of member: MemberID, limit: Int, on connection: any Connection) throws -> [CouponCodeID] {
        try connection.rows("SELECT id FROM coupon_code WHERE member_id = \(member) ORDER BY id LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    static func give(_ codes: [CouponCodeID], from old: MemberID, to new: MemberID, on connection: any Connection) throws {
        for code in codes { try connection.execute("UPDATE coupon_code SET member_id = \(new) WHERE id = \(code) AND member_id = \(old)") }
    }

    // MARK: Uses

    /// Uses for a sale.
    static func uses(of sale: SaleID, on connection: any Connection) throws -> [CouponUse] {
        try connection.rows(
            "SELECT code_id, invoice_id, sale_id, customer_id, discount, used_at FROM coupon_use WHERE sale_id = \(sale) ORDER BY code_id, invoice_id"
        ).map {
            CouponUse(
                codeID: try $0.get(at: 0), invoiceID: try $0.get(at: 1), saleID: try $0.get(at: 2), customerID: try $0.get(at: 3),
                discountMinor: try $0.get(at: 4), usedAt: try $0.get(at: 5))
        }
    }

    static func deleteUse(_ use: CouponUse, on connection: any Connection) throws {
        try connection.execute("DELETE FROM coupon_use WHERE code_id = \(use.codeID) AND invoice_id = \(use.invoiceID)")
    }

    static func insertUse(_ use: CouponUse, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO coupon_use (code_id, invoice_id, sale_id, customer_id, discount, used_at)
            VALUES (\(use.codeID), \(use.invoiceID), \(use.saleID), \(use.customerID), \(use.discountMinor), \(use.usedAt))
            """)
    }

    static func use(of code: CouponCodeID, invoice: String, on connection: any Connection) throws -> CouponUse? {
        try connection.row(
            "SELECT code_id, invoice_id, sale_id, customer_id, discount, used_at FROM coupon_use WHERE code_id = \(code) AND invoice_id = \(invoice)"
        ).map {
            CouponUse(
                codeID: try $0.get(at: 0), invoiceID: try $0.get(at: 1), saleID: try $0.get(at: 2), customerID: try $0.get(at: 3),
                discountMinor: try $0.get(at: 4), usedAt: try $0.get(at: 5))
        }
    }

    static func setSale(_ sale: SaleID, of code: CouponCodeID, invoice: String, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon_use SET sale_id = \(sale) WHERE code_id = \(code) AND invoice_id = \(invoice) AND sale_id IS NULL")
    }

    /// The first use that a vendor told of and no sale has named.
    static func told(of code: CouponCodeID, on connection: any Connection) throws -> CouponUse? {
        try connection.row(
            """
            SELECT code_id, invoice_id, sale_id, customer_id, discount, used_at FROM coupon_use
            WHERE code_id = \(code) AND sale_id IS NULL AND invoice_id >= \(CouponUse.toldPrefix) AND invoice_id < \(CouponUse.toldEnd)
            ORDER BY used_at, invoice_id LIMIT 1
            """
        ).map {
            CouponUse(
                codeID: try $0.get(at: 0), invoiceID: try $0.get(at: 1), saleID: try $0.get(at: 2), customerID: try $0.get(at: 3),
                discountMinor: try $0.get(at: 4), usedAt: try $0.get(at: 5))
        }
    }

    static func claim(
        _ told: CouponUse, more: Int64, sale: SaleID?, invoice: String, customer: CustomerID?, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE coupon_use SET invoice_id = \(invoice), sale_id = \(sale), customer_id = \(customer), discount = discount + \(more)
            WHERE code_id = \(told.codeID) AND invoice_id = \(told.invoiceID)
            """)
    }

    static func spent(by code: CouponCodeID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT CAST(coalesce(sum(discount), 0) AS BIGINT) FROM coupon_use WHERE code_id = \(code)") ?? 0
    }

    private static func read(_ row: Row) throws -> CouponCode {
        CouponCode(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), couponID: try row.get(at: 2), code: try row.get(at: 3), folded: try row.get(at: 4),
            state: CouponCode.State(rawValue: try row.get(at: 5)) ?? .void, memberID: try row.get(at: 6), customerID: try row.get(at: 7),
            uses: try row.get(at: 8), reservedUntil: try row.get(at: 9), reservedBy: try row.get(at: 10), returnedUses: try row.get(at: 13),
            expiresAt: try row.get(at: 11), issuedAt: try row.get(at: 12))
    }
}
