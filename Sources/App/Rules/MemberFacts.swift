import Chronology
import Persistence
import Rules

/// What conditions ask of the members whom a rule would pay: their group, their tier, and what experiments give them.
struct MemberFacts: Sendable {
    /// The rest is not looked up.
    struct Wanted: Sendable {
        var groups: Bool
        var tiers: Bool
        var variants: Bool

        init(_ conditions: [Condition]) {
            groups = conditions.contains { $0.asksForGroups }
            tiers = conditions.contains { $0.asksForTiers }
            variants = conditions.contains { $0.asksForVariants }
        }

        var isAny: Bool { groups || tiers || variants }
    }

    var groups: [String: String] = [:]
    var tiers: [String: Int64] = [:]
    var variants: [String: [String]] = [:]

    static func load(
        _ wanted: Wanted, of people: [MemberID], in program: ProgramID, at instant: Instant, on connection: any Connection
    ) throws -> MemberFacts {
        var facts = MemberFacts()
        if wanted.groups { facts.groups = try GroupStore.keys(of: people, in: program, at: instant, on: connection) }
        if wanted.tiers { facts.tiers = try StandingStore.ranks(of: people, in: program, at: instant, on: connection) }
        if wanted.variants { facts.variants = try RewardExperiments.variants(of: people, in: program, at: instant, on: connection) }
        return facts
    }

    func add(to facts: inout SaleFacts) {
        (facts.memberGroups, facts.memberTiers, facts.memberVariants) = (groups, tiers, variants)
    }

    /// Whether a rule can pay for a sale of this member's, as far as it is asked about the member. Nobody has nothing.
    func allow(_ condition: Condition, member: MemberID?) -> Bool {
        condition.canHold { field in
            switch field {
            case .memberGroup: .known(member.flatMap { groups[$0.text] }.map { .text($0) })
            case .memberTier: .known(member.map { .integer(tiers[$0.text] ?? 0) })
            case .memberVariant: .known(member.flatMap { variants[$0.text] }.map { .texts($0) })
            default: .unknown
            }
        }
    }
}
