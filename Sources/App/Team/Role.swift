/// What a person of the team may do, as one table. `docs/access.md` is made from it, and a test walks every operation × role.
enum Role: String, Sendable, CaseIterable {
    case owner, admin, finance, marketer, compliance, developer, support, viewer

    /// The rights of each role. Owner has all; what is not listed is refused.
    static let rights: [Role: Set<Right>] = [
        .owner: Set(Right.allCases),
        .admin: Set(Right.allCases).subtracting([.workspaceOwn]),
        .finance: reading.union([.ledgerRead, .commissionsWrite, .payoutsWrite, .payoutsApprove, .auditRead, .exportRead]),
        .marketer: reading.union([.programsWrite, .membersWrite, .linksWrite]),
        .compliance: reading.union([.ledgerRead, .auditRead, .peopleErase, .exportRead, .membersWrite]),
        .developer: reading.union([.trackWrite, .keysWrite, .webhooksWrite, .linksWrite, .membersWrite, .testClock]),
        .support: reading.union([.membersWrite, .customersAssign]),
        .viewer: reading,
    ]

    private static let reading: Set<Right> = [
        .workspaceRead, .programsRead, .membersRead, .linksRead, .salesRead, .commissionsRead,
    ]

    func may(_ right: Right) -> Bool { Self.rights[self]?.contains(right) ?? false }
}

/// One thing that can be allowed; also the scopes of API keys.
enum Right: String, Sendable, CaseIterable {
    case workspaceRead = "workspace:read"
    case workspaceWrite = "workspace:write"
    case workspaceOwn = "workspace:own"
    case teamWrite = "team:write"
    case keysWrite = "keys:write"
    case webhooksWrite = "webhooks:write"
    case programsRead = "programs:read"
    case programsWrite = "programs:write"
    case membersRead = "members:read"
    case membersWrite = "members:write"
    case linksRead = "links:read"
    case linksWrite = "links:write"
    case trackWrite = "track:write"
    case salesRead = "sales:read"
    case customersAssign = "customers:assign"
    case commissionsRead = "commissions:read"
    case commissionsWrite = "commissions:write"
    case ledgerRead = "ledger:read"
    case payoutsWrite = "payouts:write"
    case payoutsApprove = "payouts:approve"
    case auditRead = "audit:read"
    case peopleErase = "people:erase"
    case exportRead = "export:read"
    case importWrite = "import:write"
    case testClock = "test:clock"
}
