import Chronology
import Persistence
import Web

enum CouponShopStore {
    private static let columns = "vendor, shop, secret_sealed, trouble_code, created_at, updated_at"

    static func put(_ shop: CouponShop, in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws {
        let secret = try seal.seal(shop.secret, for: place(workspace, shop.vendor))
        try connection.execute(
            """
            INSERT INTO coupon_shop (workspace_id, vendor, shop, secret_sealed, created_at, updated_at)
            VALUES (\(workspace), \(shop.vendor.rawValue), \(shop.shop), \(secret), \(shop.createdAt), \(shop.updatedAt))
            ON CONFLICT (workspace_id, vendor) DO UPDATE SET shop = excluded.shop, secret_sealed = excluded.secret_sealed, trouble_code = NULL,
                updated_at = excluded.updated_at
            """)
    }

    static func find(_ vendor: ShopVendor, in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> CouponShop? {
        try connection.row("SELECT \(raw: columns) FROM coupon_shop WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)").flatMap {
            try read($0, workspace, seal)
        }
    }

    static func list(in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> [CouponShop] {
        try connection.rows("SELECT \(raw: columns) FROM coupon_shop WHERE workspace_id = \(workspace) ORDER BY vendor").compactMap {
            try read($0, workspace, seal)
        }
    }

    static func isConnected(_ vendor: ShopVendor, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM coupon_shop WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND secret_sealed IS NOT NULL") != nil
    }

    static func delete(_ vendor: ShopVendor, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM coupon_shop WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)") > 0
    }

    static func setTrouble(_ code: String?, _ vendor: ShopVendor, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon_shop SET trouble_code = \(code) WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)")
    }

    private static func place(_ workspace: WorkspaceID, _ vendor: ShopVendor) -> String { "\(workspace.text):coupons:\(vendor.rawValue)" }

    /// Nil where the secret is not here: it is no part of an export.
    private static func read(_ row: Row, _ workspace: WorkspaceID, _ seal: RailSeal) throws -> CouponShop? {
        guard let vendor = ShopVendor(rawValue: try row.get(at: 0)), let sealed: [UInt8] = try row.get(at: 2) else { return nil }
        return CouponShop(
            vendor: vendor, shop: try row.get(at: 1), secret: try seal.open(sealed, for: place(workspace, vendor)), troubleCode: try row.get(at: 3),
            createdAt: try row.get(at: 4), updatedAt: try row.get(at: 5))
    }
}

enum CodeSyncStore {
    private static let columns = "code_id, vendor, workspace_id, coupon_id, state, remote_id, reason, tries, due_at, remote_uses, updated_at"

    struct Look: Sendable {
        var coupon: CouponID
        var vendor: ShopVendor
        var workspace: WorkspaceID
        var isMade: Bool
    }

    static func begin(_ coupon: Coupon, _ vendor: ShopVendor, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO coupon_sync (coupon_id, vendor, workspace_id, is_made, look_at, created_at)
            VALUES (\(coupon.id), \(vendor.rawValue), \(coupon.workspaceID), 0, \(now), \(now))
            ON CONFLICT (coupon_id, vendor) DO UPDATE SET look_at = excluded.look_at
            """)
        try connection.execute(
            """
            UPDATE coupon_code_sync SET state = 'waiting', tries = 0, due_at = \(now)
            WHERE coupon_id = \(coupon.id) AND vendor = \(vendor.rawValue) AND state = 'failed'
            """)
    }

    /// How often all shops together have told that a code was used.
    static func remoteUses(of code: CouponCodeID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT CAST(coalesce(sum(remote_uses), 0) AS BIGINT) FROM coupon_code_sync WHERE code_id = \(code)") ?? 0
    }

    static func looks(at now: Instant, limit: Int, on connection: any Connection) throws -> [Look] {
        try connection.rows(
            "SELECT coupon_id, vendor, workspace_id, is_made FROM coupon_sync WHERE look_at <= \(now) ORDER BY look_at, coupon_id LIMIT \(limit)"
        ).compactMap { row in
            guard let vendor = ShopVendor(rawValue: try row.get(at: 1)) else { return nil }
            return Look(coupon: try row.get(at: 0), vendor: vendor, workspace: try row.get(at: 2), isMade: try row.get(at: 3))
        }
    }

    static func vendors(of coupon: CouponID, on connection: any Connection) throws -> [ShopVendor] {
        try connection.rows("SELECT vendor FROM coupon_sync WHERE coupon_id = \(coupon) ORDER BY vendor").compactMap {
            ShopVendor(rawValue: try $0.get(at: 0))
        }
    }

    /// The next look: in time, or now for a code that was just given out.
    static func setLook(_ coupon: CouponID, _ vendor: ShopVendor? = nil, at next: Instant, on connection: any Connection) throws {
        guard let vendor else {
            try connection.executeLater("UPDATE coupon_sync SET look_at = \(next) WHERE coupon_id = \(coupon)")
            return
        }
        try connection.execute("UPDATE coupon_sync SET look_at = \(next) WHERE coupon_id = \(coupon) AND vendor = \(vendor.rawValue)")
    }

    static func isMade(_ coupon: CouponID, _ vendor: ShopVendor, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM coupon_sync WHERE coupon_id = \(coupon) AND vendor = \(vendor.rawValue) AND is_made = 1") != nil
    }

    static func setMade(_ coupon: CouponID, _ vendor: ShopVendor, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon_sync SET is_made = 1 WHERE coupon_id = \(coupon) AND vendor = \(vendor.rawValue)")
    }

    /// Codes that are new wait to be made; those that nobody can use any more wait to be ended.
    static func gather(_ look: Look, at now: Instant, limit: Int, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO coupon_code_sync (\(raw: columns))
            SELECT k.id, \(look.vendor.rawValue), k.workspace_id, k.coupon_id, 'waiting', NULL, NULL, 0, \(now), 0, \(now) FROM coupon_code k
            WHERE k.coupon_id = \(look.coupon) AND k.state IN ('issued', 'reserved') AND NOT EXISTS (
                SELECT 1 FROM coupon_code_sync s WHERE s.code_id = k.id AND s.vendor = \(look.vendor.rawValue))
            ORDER BY k.id LIMIT \(limit)
            """)
        try connection.execute(
            """
            UPDATE coupon_code_sync SET state = CASE WHEN state = 'synced' THEN 'ending' ELSE 'ended' END,
                due_at = CASE WHEN state = 'synced' THEN CAST(\(now) AS BIGINT) ELSE NULL END, tries = 0, updated_at = \(now)
            WHERE coupon_id = \(look.coupon) AND vendor = \(look.vendor.rawValue) AND (state = 'synced' OR (state IN ('waiting', 'failed') AND tries = 0)) AND EXISTS (
                SELECT 1 FROM coupon_code k JOIN coupon c ON c.id = k.coupon_id
                WHERE k.id = coupon_code_sync.code_id AND (k.state IN ('void', 'expired', 'redeemed') OR c.state = 'ended'))
            """)
    }

    static func due(at now: Instant, limit: Int, on connection: any Connection) throws -> [CodeSync] {
        try connection.rows("SELECT \(raw: columns) FROM coupon_code_sync WHERE due_at <= \(now) ORDER BY due_at, code_id LIMIT \(limit)").map(read)
    }

    static func find(_ code: CouponCodeID, _ vendor: ShopVendor, on connection: any Connection) throws -> CodeSync? {
        try connection.row("SELECT \(raw: columns) FROM coupon_code_sync WHERE code_id = \(code) AND vendor = \(vendor.rawValue)").map(read)
    }

    static func list(of coupon: CouponID, after: String?, limit: Int, on connection: any Connection) throws -> [CodeSync] {
        try connection.rows(
            "SELECT \(raw: columns) FROM coupon_code_sync WHERE coupon_id = \(coupon) AND code_id > \(after ?? "") ORDER BY code_id, vendor LIMIT \(limit)"
        ).map(read)
    }

    /// Those whose uses can be asked for.
    static func made(of coupon: CouponID, _ vendor: ShopVendor, after: String, limit: Int, on connection: any Connection) throws -> [CodeSync] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM coupon_code_sync WHERE coupon_id = \(coupon) AND vendor = \(vendor.rawValue) AND code_id > \(after)
                AND state IN ('synced', 'ending') ORDER BY code_id LIMIT \(limit)
            """
        ).map(read)
    }

    static func wake(_ vendor: ShopVendor, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE coupon_sync SET look_at = \(now) WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)")
        try connection.execute(
            """
            UPDATE coupon_code_sync SET state = CASE WHEN state = 'failed' THEN 'waiting' ELSE state END, tries = 0, due_at = \(now)
            WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND state IN ('waiting', 'failed', 'ending')
            """)
    }

    static func update(_ sync: CodeSync, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE coupon_code_sync SET state = \(sync.state.rawValue), remote_id = \(sync.remoteID), reason = \(sync.reason), tries = \(sync.tries),
                due_at = \(sync.dueAt), remote_uses = \(sync.remoteUses), updated_at = \(sync.updatedAt)
            WHERE code_id = \(sync.codeID) AND vendor = \(sync.vendor.rawValue)
            """)
    }

    private static func read(_ row: Row) throws -> CodeSync {
        CodeSync(
            codeID: try row.get(at: 0), vendor: ShopVendor(rawValue: try row.get(at: 1)) ?? .stripe, workspaceID: try row.get(at: 2),
            couponID: try row.get(at: 3), state: CodeSync.State(rawValue: try row.get(at: 4)) ?? .failed, remoteID: try row.get(at: 5),
            reason: try row.get(at: 6), tries: try row.get(at: 7), dueAt: try row.get(at: 8), remoteUses: try row.get(at: 9), updatedAt: try row.get(at: 10))
    }
}
