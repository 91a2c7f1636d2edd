import Persistence

/// The counters of coupons and codes against their uses, and rewards against the codes they name.
enum CouponVerification {
    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try CouponVerifyStore.wrongCoupons(workspace, on: connection).map {
            Verification.Found(
                kind: "couponUsesWrong", workspace: workspace.text, subject: $0.id,
                detail: "counts \($0.uses) uses with \($0.spent), there are \($0.found) with \($0.foundSpent)")
        }
            + CouponVerifyStore.wrongCodes(workspace, on: connection).map {
                Verification.Found(kind: "codeUsesWrong", workspace: workspace.text, subject: $0, detail: "does not count the uses that there are")
            }
    }
}

enum CouponVerifyStore {
    static func wrongCoupons(
        _ workspace: WorkspaceID, on connection: any Connection
    ) throws -> [(id: String, uses: Int64, spent: Int64, found: Int64, foundSpent: Int64)] {
        try connection.rows(
            """
            SELECT c.id, c.uses, c.spent, CAST(count(u.code_id) AS BIGINT), CAST(coalesce(sum(u.discount), 0) AS BIGINT) FROM coupon c
            LEFT JOIN coupon_code k ON k.coupon_id = c.id LEFT JOIN coupon_use u ON u.code_id = k.id
            WHERE c.workspace_id = \(workspace) GROUP BY c.id, c.uses, c.spent
            HAVING c.uses <> count(u.code_id) OR c.spent <> coalesce(sum(u.discount), 0) ORDER BY c.id LIMIT \(Verification.findingsMax)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2), try $0.get(at: 3), try $0.get(at: 4)) }
    }

    static func wrongCodes(_ workspace: WorkspaceID, on connection: any Connection) throws -> [String] {
        try connection.rows(
            """
            SELECT k.id FROM coupon_code k LEFT JOIN coupon_use u ON u.code_id = k.id
            WHERE k.workspace_id = \(workspace) GROUP BY k.id, k.uses HAVING k.uses <> count(u.code_id) ORDER BY k.id LIMIT \(Verification.findingsMax)
            """
        ).map { try $0.get(at: 0) }
    }
}
