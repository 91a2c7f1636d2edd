import Chronology
import Ledger
import Money
import Persistence
import Rules

/// What the widget shows of one member: read in one go.
struct WidgetFacts: Sendable {
    static let linesMax = 5

    var workspace: Workspace
    var member: Member
    var link: Link?
    var program: Program?
    /// Whether members share the page that greets friends.
    var isShared = false
    var offer = FriendOffer.Source()
    var clicks: Int64 = 0
    var friends: Int64 = 0
    var lines: [PortalStore.Line] = []
    var rewards: [Reward] = []
    var codes: [CouponCodeID: String] = [:]
    var available: [MemberBalance] = []
    var now: Instant

    /// What a friend says or types.
    var code: String? { offer.welcome?.code ?? link?.code.uppercased() }

    /// Nil when the member is not there any more or may not come in.
    static func find(_ token: EmbedToken, vault: Vault, world: World, on connection: any Connection) throws -> WidgetFacts? {
        guard let workspace = try WorkspaceStore.find(token.workspaceID, on: connection),
            let member = try MemberStore.find(token.memberID, in: workspace.id, on: connection), member.mayEnterPortal
        else { return nil }
        let now = workspace.now(world)
        var facts = WidgetFacts(workspace: workspace, member: member, now: now)
        let links = try LinkStore.list(in: workspace.id, program: nil, member: member.id, after: nil, limit: PortalPages.linksMax, on: connection)
        facts.clicks = links.reduce(0) { $0 + $1.clicks }
        // A party's link is the party's: what strangers order by it would count there.
        facts.link = try member.status == .active ? links.first { try !$0.isExpired(at: now) && PartyStore.find(link: $0.id, on: connection) == nil } : nil
        let programID = try facts.link?.programID ?? PortalStore.programs(of: member.id, in: workspace.id, at: now, on: connection).first?.id
        if let programID, let program = try ProgramStore.find(programID, in: workspace.id, at: now, on: connection) {
            facts.program = program
            facts.isShared = try FriendPageStore.shared([program.id], on: connection).contains(program.id)
            facts.offer = try FriendOffer.source(program, sharedBy: member.id, at: now, on: connection)
        }
        facts.friends = try WidgetStore.friends(of: member.id, on: connection)
        facts.lines = try PortalStore.lines(of: member.id, PortalStore.LineFilter(), limit: linesMax, on: connection)
        facts.rewards = try RewardStore.ownedBy(member.id, limit: linesMax, on: connection)
        facts.codes = try CouponCodeStore.texts(of: facts.rewards.compactMap(\.couponCodeID), on: connection)
        facts.available = try Journal.balances(workspace: workspace.id.text, member: member.id.text, on: connection).filter { $0.available.minor > 0 }
        return facts
    }
}

enum WidgetStore {
    /// More are not counted.
    static let friendsMax: Int64 = 10_000

    /// How many customers bought because of a member and kept something: not the member themselves.
    static func friends(of member: MemberID, on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT count(DISTINCT found.customer_id) FROM (
                SELECT s.customer_id FROM sale_credit c JOIN sale s ON s.id = c.sale_id
                WHERE c.member_id = \(member) AND s.refunded_amount < s.amount
                    AND NOT EXISTS (SELECT 1 FROM customer_member m WHERE m.customer_id = s.customer_id AND m.member_id = \(member)) LIMIT \(friendsMax)) AS found
            """) ?? 0
    }
}

extension FriendOffer {
    /// Both sides in a few words.
    func both(_ company: String, _ language: PageLanguage) -> String {
        switch (gift, thanks) {
        case (let gift?, let thanks?): language("widget.heading.both", ["gift": gift, "thanks": thanks])
        case (let gift?, nil): language("widget.heading.gift", ["gift": gift])
        case (nil, let thanks?): language("widget.heading.thanks", ["thanks": thanks])
        case (nil, nil): language("widget.heading.none", ["company": company])
        }
    }
}

enum WidgetLink {
    /// Gives a member who has none a link to the first site of their programs, so that there is something to share.
    static func ensure(_ member: Member, in write: Write) throws {
        guard member.status == .active,
            try LinkStore.list(in: write.workspace.id, program: nil, member: member.id, after: nil, limit: 1, on: write.connection).isEmpty
        else { return }
        for program in try PortalStore.programs(of: member.id, in: write.workspace.id, at: write.now, on: write.connection) {
            guard let destination = PortalShareModel.destination(program) else { continue }
            _ = try Link.create(
                NewLink(programID: program.id, member: .id(member.id), destination: destination, codeNeedsReferral: false, variants: [], utm: []), in: write)
            return
        }
    }
}

extension Link {
    /// What a member gives to friends: the page that greets them where the program has it shared, else the link itself.
    func sharedURL(baseURL: String, isShared: Bool) -> String {
        isShared && host.isEmpty ? "\(baseURL)\(FriendDoor.path)\(LocalPath.encoded(code))" : url(baseURL: baseURL)
    }
}
