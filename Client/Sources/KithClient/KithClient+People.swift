/// Programs, members, their links and what they have.
extension KithClient {
    public func programs(limit: Int = 25, startingAfter: String? = nil) async throws(KithError) -> Page<Program> {
        try await get(["programs"], query: Self.page(limit, startingAfter))
    }

    /// Makes a program.
    /// - Parameters:
    ///   - name: at most 200 characters.
    ///   - currency: what it reckons in.
    ///   - timezone: for instance `Europe/Berlin`.
    ///   - idempotencyKey: a random one when nil.
    ///   - settings: more fields of the call, for instance `["holdDays": 14, "allowedHosts": ["shop.example"]]`.
    public func createProgram(
        name: String, currency: Currency, timezone: String, settings: [String: JSONValue] = [:], idempotencyKey: IdempotencyKey? = nil
    ) async throws(KithError) -> Program {
        var body = settings
        body["name"] = .text(name)
        body["currency"] = .text(currency.code)
        body["timezone"] = .text(timezone)
        return try await post(["programs"], JSONValue.object(body), idempotencyKey)
    }

    /// Makes a rule of a program.
    /// - Parameters:
    ///   - program: the program.
    ///   - idempotencyKey: a random one when nil.
    ///   - document: the rule, for instance `["name": "Sharer", "event": "sale", "reward": ["kind": "percent", "rate": "0.10"]]`.
    @discardableResult
    public func createRule(in program: ProgramID, _ document: JSONValue, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> JSONValue {
        try await post(["programs", program.text, "rules"], document, idempotencyKey)
    }

    public func members(in program: ProgramID? = nil, limit: Int = 25, startingAfter: String? = nil) async throws(KithError) -> Page<Member> {
        try await get(["members"], query: Self.page(limit, startingAfter) + Self.some("programId", program?.text))
    }

    /// Enrols a person, or brings the one with the same external id up to date.
    @discardableResult
    public func enroll(_ member: NewMember, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> Member {
        try await post(["members"], member, idempotencyKey)
    }

    public func member(_ member: MemberReference) async throws(KithError) -> Member { try await get(["members", member.text]) }

    /// What a member has, for each unit apart.
    public func balances(of member: MemberReference) async throws(KithError) -> [Balance] { try await get(["members", member.text, "balances"]) }

    @discardableResult
    public func createLink(_ link: NewLink, idempotencyKey: IdempotencyKey? = nil) async throws(KithError) -> Link {
        try await post(["links"], link, idempotencyKey)
    }

    public func links(of member: MemberReference? = nil, in program: ProgramID? = nil, limit: Int = 25, startingAfter: String? = nil)
        async throws(KithError) -> Page<Link>
    {
        try await get(
            ["links"], query: Self.page(limit, startingAfter) + Self.some("memberId", member?.text) + Self.some("programId", program?.text))
    }

    public func link(_ id: LinkID) async throws(KithError) -> Link { try await get(["links", id.text]) }

    /// A token with which a page shows a member what is theirs. Ask for it on your server, for the member who is signed in there.
    /// - Parameters:
    ///   - member: whose things it shows.
    ///   - withPortalLink: also a link that opens the portal once. The key needs `payouts:write` for it, because whoever is in the portal
    ///     can say where money goes.
    public func embedToken(for member: MemberReference, withPortalLink: Bool = false) async throws(KithError) -> EmbedToken {
        let body: JSONValue = ["memberId": .text(member.text), "portal": .flag(withPortalLink)]
        let token: EmbedToken = try await post(["tokens", "embed"], body, nil)
        // Tokens are not kept: one whose first answer was lost comes back blank, and another is made.
        return token.token.isEmpty ? try await post(["tokens", "embed"], body, nil) : token
    }

    static func page(_ limit: Int, _ startingAfter: String?) -> [(String, String)] {
        [("limit", String(min(max(limit, 1), 100)))] + some("startingAfter", startingAfter)
    }

    static func some(_ name: String, _ value: String?) -> [(String, String)] { value.map { [(name, $0)] } ?? [] }
}
