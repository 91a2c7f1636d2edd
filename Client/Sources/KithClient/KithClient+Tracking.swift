/// What shops and apps tell.
extension KithClient {
    /// Records that somebody came by a code or a link. A publishable key may.
    @discardableResult
    public func track(_ click: NewClick, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> ClickAnswer {
        try await post(["track", "click"], click, idempotencyKey)
    }

    /// Records a lead. A publishable key may.
    @discardableResult
    public func track(_ lead: NewLead, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> LeadAnswer {
        try await post(["track", "lead"], lead, idempotencyKey)
    }

    /// Records a sale, and answers who gets what for it.
    @discardableResult
    public func track(_ sale: NewSale, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> SaleAnswer {
        try await post(["track", "sale"], sale, idempotencyKey)
    }

    /// Records a refund; commissions are taken back in proportion.
    @discardableResult
    public func track(_ refund: NewRefund, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> Refund {
        try await post(["track", "refund"], refund, idempotencyKey)
    }
}
