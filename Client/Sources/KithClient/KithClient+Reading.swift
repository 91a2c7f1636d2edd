/// Sales, commissions, receipts and events.
extension KithClient {
    /// Sales, the newest first.
    public func sales(of member: MemberReference? = nil, limit: Int = 25, startingAfter: String? = nil) async throws(KithError) -> Page<Sale> {
        try await get(["sales"], query: Self.page(limit, startingAfter) + Self.some("memberId", member?.text))
    }

    public func sale(_ id: SaleID) async throws(KithError) -> Sale { try await get(["sales", id.text]) }

    public func commissions(of member: MemberReference? = nil, limit: Int = 25, startingAfter: String? = nil) async throws(KithError) -> Page<Commission> {
        try await get(["commissions"], query: Self.page(limit, startingAfter) + Self.some("memberId", member?.text))
    }

    /// Why a sale paid what it paid, or nothing.
    public func receipt(of sale: SaleID) async throws(KithError) -> Receipt { try await get(["sales", sale.text, "receipt"]) }

    /// Why a commission is what it is.
    public func receipt(of commission: CommissionID) async throws(KithError) -> Receipt { try await get(["commissions", commission.text, "receipt"]) }

    /// Why a lead paid what it paid, or nothing.
    public func receipt(of lead: LeadID) async throws(KithError) -> Receipt { try await get(["leads", lead.text, "receipt"]) }

    /// What happened, in order, from the first event after the one named.
    public func events(limit: Int = 25, startingAfter: String? = nil) async throws(KithError) -> Page<Event> {
        try await get(["events"], query: Self.page(limit, startingAfter))
    }

    /// All rows of a list, part by part: `for try await sale in client.all({ try await client.sales(limit: 100, startingAfter: $0) })`.
    public func all<Row: Decodable & Sendable>(
        _ part: @escaping @Sendable (_ startingAfter: String?) async throws -> Page<Row>
    ) -> AsyncThrowingStream<Row, any Error> {
        let parts = Parts(part: part)
        return AsyncThrowingStream { try await parts.next() }
    }

    /// Asks for the next part when the last one is used up, so that nothing piles up.
    private actor Parts<Row: Decodable & Sendable> {
        private let part: @Sendable (String?) async throws -> Page<Row>
        private var waiting: ArraySlice<Row> = []
        private var cursor: String?
        private var isLast = false

        init(part: @escaping @Sendable (String?) async throws -> Page<Row>) { self.part = part }

        func next() async throws -> Row? {
            while waiting.isEmpty, !isLast {
                let page = try await part(cursor)
                waiting = page.data[...]
                cursor = page.nextCursor
                isLast = !page.hasMore || page.nextCursor == nil
            }
            return waiting.popFirst()
        }
    }
}
