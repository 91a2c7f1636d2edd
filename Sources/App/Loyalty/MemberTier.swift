import Chronology
import Money
import Persistence
import Web

/// What a member did in a program, as tiers and badges count it.
enum Measure: String, Sendable, CaseIterable {
    /// Points earned, spent or not.
    case points
    /// Sales that were not returned as a whole.
    case sales
    /// What those sales came to, in minor units of the program's currency.
    case amount
    /// Customers brought who bought.
    case referrals
}

/// A level that members reach by what they did, and keep.
struct MemberTier: Sendable {
    static let nameLengthMax = 60
    static let benefitsLengthMax = 1_000
    static let rankMax: Int64 = 100
    static let daysMax: Int64 = 3_650

    var id: TierID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var benefits: String
    /// The higher, the better.
    var rank: Int64
    var measure: Measure
    var entry: Int64
    /// What is enough to stay; nil keeps for good.
    var keep: Int64?
    /// How many days back counts; nil counts everything.
    var days: Int64?
    var createdAt: Instant

    /// The best tier for these values, given the rank that somebody has.
    static func reached(_ tiers: [MemberTier], from rank: Int64?, values: [TierID: Int64]) -> MemberTier? {
        tiers.sorted { $0.rank > $1.rank }.first { tier in
            let value = values[tier.id] ?? 0
            if value >= tier.entry { return true }
            guard let rank, rank >= tier.rank else { return false }
            return tier.keep.map { value >= $0 } ?? true
        }
    }

    static func add(_ tier: MemberTier, in write: Write) throws -> MemberTier {
        guard try ProgramStore.find(tier.programID, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        if let keep = tier.keep, keep > tier.entry { throw Refusal.field("keep", "Must not be above what it takes to enter.") }
        guard try !StandingStore.tiers(of: tier.programID, on: write.connection).contains(where: { $0.rank == tier.rank }) else {
            throw Problem.conflict(code: "rank_taken", detail: "Another tier of the program has the rank \(tier.rank). Choose another number.")
        }
        try StandingStore.insert(tier, on: write.connection)
        try StandingStore.checkAll(of: tier.programID, at: write.now, on: write.connection)
        try write.audit("tier.add", subject: tier.id.text, JSONText(["programId": .text(tier.programID.text), "rank": .integer(tier.rank)]))
        return tier
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "name": .text(name), "benefits": .text(benefits), "rank": .integer(rank),
            "measure": .text(measure.rawValue), "entry": .integer(entry), "keep": keep.map { .integer($0) } ?? .null,
            "days": days.map { .integer($0) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("name", .text), .required("benefits", .text),
        .required("rank", .described(.integer(1...rankMax), description: "The higher, the better.")),
        .required("measure", .enumeration(Measure.allCases.map(\.rawValue))), .required("entry", .integer()),
        .required("keep", .described(.nullable(.integer()), description: "What is enough to stay; null keeps for good.")),
        .required("days", .described(.nullable(.integer()), description: "How many days back counts; null counts everything.")),
        .required("createdAt", .dateTime),
    ])
}

/// Given once to whoever did enough.
struct Badge: Sendable {
    var id: BadgeID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var description: String
    var measure: Measure
    var threshold: Int64
    /// What comes with it.
    var gift: (unit: UnitCode, minor: Int64)?
    var archivedAt: Instant?
    var createdAt: Instant

    static func add(_ badge: Badge, in write: Write) throws -> Badge {
        guard try ProgramStore.find(badge.programID, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard try StandingStore.badges(of: badge.programID, on: write.connection).count < StandingStore.badgesMax else {
            throw Problem.conflict(code: "too_many_badges", detail: "A program gives \(StandingStore.badgesMax) badges at most: archive one first.")
        }
        try StandingStore.insert(badge, on: write.connection)
        try StandingStore.checkAll(of: badge.programID, at: write.now, on: write.connection)
        try write.audit("badge.add", subject: badge.id.text, JSONText(["programId": .text(badge.programID.text), "threshold": .integer(badge.threshold)]))
        return badge
    }

    /// Gives it no longer; whoever has it keeps it.
    static func archive(_ id: BadgeID, in write: Write) throws -> Badge {
        guard var badge = try StandingStore.badge(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("badge") }
        guard badge.archivedAt == nil else { return badge }
        badge.archivedAt = write.now
        try StandingStore.archive(id, at: write.now, on: write.connection)
        try write.audit("badge.archive", subject: id.text)
        return badge
    }

    /// Given once: kept, told to subscribers and to the member.
    func award(to member: Member, of program: Program, movement: WalletMovementID?, in write: Write) throws {
        try StandingStore.award(id, to: member.id, movement: movement, at: write.now, on: write.connection)
        try write.emit(
            .memberBadgeAwarded, subject: member.id.text,
            JSONText(["badge": json, "memberId": .text(member.id.text), "movementId": movement.map { .text($0.text) } ?? .null, "awardedAt": .text(write.now.rfc3339)]))
        guard member.status == .active else { return }
        try Mail.queue(
            .standingRisen(program: program.name, what: name, brings: description, isBadge: true), to: .person(member.personID), locale: member.locale,
            in: write)
    }

    static let awardSchema = APISchema.object([
        .required("badge", schema), .required("memberId", .text), .required("movementId", .nullable(.text)), .required("awardedAt", .dateTime),
    ])

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "name": .text(name), "description": .text(description),
            "measure": .text(measure.rawValue), "threshold": .integer(threshold), "unit": gift.map { .text($0.unit.code) } ?? .null,
            "amount": gift.map { .integer($0.minor) } ?? .null, "archivedAt": archivedAt.map { .text($0.rfc3339) } ?? .null,
            "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("name", .text), .required("description", .text),
        .required("measure", .enumeration(Measure.allCases.map(\.rawValue))), .required("threshold", .integer()), .required("unit", .nullable(.text)),
        .required("amount", .nullable(.integer())), .required("archivedAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ])
}

enum TierKind: Identified { static let prefix = "tir_" }
typealias TierID = Identifier<TierKind>
enum TierMoveKind: Identified { static let prefix = "tmv_" }
typealias TierMoveID = Identifier<TierMoveKind>
enum BadgeKind: Identified { static let prefix = "bdg_" }
typealias BadgeID = Identifier<BadgeKind>
