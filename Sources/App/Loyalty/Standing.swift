import Chronology
import Money
import Persistence
import Web

/// Where a member stands in a program: the tier, how far the next one is, and the badges.
enum Standing {
    /// Members looked at in one transaction at most.
    static let checksMax = 200
    private static let dayMs: Int64 = 86_400_000

    /// What somebody did may have moved them: they are looked at soon, where the program has tiers or badges.
    static func note(_ members: [MemberID], in program: ProgramID, _ write: Write) throws {
        for member in Set(members).sorted() { try StandingStore.note(member, program, at: write.now, in: write.workspace.id, on: write.connection) }
    }

    /// Looks at those whose day has come. Answers how many.
    static func checkDue(limit: Int = checksMax, in write: Write) throws -> Int {
        let due = try StandingStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        for (program, member) in due { try check(member, in: program, write) }
        return due.count
    }

    private static func check(_ memberID: MemberID, in programID: ProgramID, _ write: Write) throws {
        let tiers = try StandingStore.tiers(of: programID, on: write.connection)
        let badges = try StandingStore.badges(of: programID, on: write.connection)
        guard let program = try ProgramStore.find(programID, in: write.workspace.id, at: write.now, on: write.connection),
            let member = try MemberStore.find(memberID, in: write.workspace.id, on: write.connection), member.status == .active || member.status == .inactive
        else { return try StandingStore.forget(memberID, programID, on: write.connection) }
        var facts = MeasureFacts(member: memberID, program: program, now: write.now)
        let current = try StandingStore.standing(of: memberID, in: programID, on: write.connection)
        let rank = current.flatMap { now in tiers.first { $0.id == now.tier }?.rank }
        var values: [TierID: Int64] = [:]
        for tier in tiers { values[tier.id] = try facts.value(tier.measure, days: tier.days, on: write.connection) }
        let reached = MemberTier.reached(tiers, from: rank, values: values)
        if reached?.id != current?.tier {
            try TierMove(id: write.world.newID(), programID: programID, memberID: memberID, from: current?.tier, to: reached?.id, movedAt: write.now)
                .make(of: member, in: program, reached: reached, rose: (reached?.rank ?? 0) > (rank ?? 0), in: write)
        }
        var isGiven = false
        var isWaiting = false
        let has = try StandingStore.awarded(to: memberID, on: write.connection)
        for badge in badges where !has.contains(badge.id) {
            guard try facts.value(badge.measure, days: nil, on: write.connection) >= badge.threshold else { continue }
            // What comes with a badge can be spent at once: it waits until what it is for can no longer be expected to be returned.
            if badge.gift != nil, try facts.value(badge.measure, days: nil, isPastHold: true, on: write.connection) < badge.threshold {
                isWaiting = true
                continue
            }
            let movement = try badge.gift.map { gift in
                try Wallet.give(
                    .bonus, to: memberID, Wallet.Order(unit: gift.unit, amountMinor: gift.minor, programID: programID, subject: badge.id.text), in: write)
            }
            try badge.award(to: member, of: program, movement: movement?.id, in: write)
            isGiven = isGiven || movement != nil
        }
        // What counts for some days only ends by itself.
        if isGiven {
            // What a badge brings counts for tiers too: they are looked at once more.
            try StandingStore.postpone(memberID, programID, until: write.now, on: write.connection)
        } else if reached?.days != nil || isWaiting {
            try StandingStore.postpone(memberID, programID, until: write.now.adding(milliseconds: dayMs), on: write.connection)
        } else {
            try StandingStore.forget(memberID, programID, on: write.connection)
        }
    }
}

/// What a member did, each measure read once.
struct MeasureFacts {
    let member: MemberID
    let program: Program
    let now: Instant
    private var known: [String: Int64] = [:]

    init(member: MemberID, program: Program, now: Instant) {
        self.member = member
        self.program = program
        self.now = now
    }

    /// `isPastHold`: without what is still inside the program's hold.
    mutating func value(_ measure: Measure, days: Int64?, isPastHold: Bool = false, on connection: any Connection) throws -> Int64 {
        let key = "\(measure.rawValue) \(days ?? 0) \(isPastHold)"
        if let value = known[key] { return value }
        let since = days.map { Instant(millisecondsSince1970: now.millisecondsSince1970 - $0 * 86_400_000) } ?? Instant(millisecondsSince1970: 0)
        let held = isPastHold ? Instant(millisecondsSince1970: now.millisecondsSince1970 - program.settings.holdDays * 86_400_000) : nil
        let value = try StandingStore.value(measure, of: member, in: program, since: since, before: held, on: connection)
        known[key] = value
        return value
    }
}

struct TierMove: Sendable {
    var id: TierMoveID
    var programID: ProgramID
    var memberID: MemberID
    var from: TierID?
    var to: TierID?
    var movedAt: Instant

    /// Kept, told to subscribers, and told to the member where it is good news.
    func make(of member: Member, in program: Program, reached: MemberTier?, rose: Bool, in write: Write) throws {
        try StandingStore.move(self, in: write.workspace.id, on: write.connection)
        try write.emit(
            .memberTierChanged, subject: memberID.text, JSONText(json),
            changes: JSONText(["tierId": ["before": from.map { .text($0.text) } ?? .null, "after": to.map { .text($0.text) } ?? .null]]))
        guard rose, let reached, member.status == .active else { return }
        try Mail.queue(
            .standingRisen(program: program.name, what: reached.name, brings: reached.benefits, isBadge: false), to: .person(member.personID),
            locale: member.locale, in: write)
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "memberId": .text(memberID.text), "from": from.map { .text($0.text) } ?? .null,
            "to": to.map { .text($0.text) } ?? .null, "movedAt": .text(movedAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("memberId", .text), .required("from", .nullable(.text)),
        .required("to", .nullable(.text)), .required("movedAt", .dateTime),
    ])
}

/// What is told of a member's standing in one program.
struct StandingSummary: Sendable {
    struct Part: Sendable {
        var program: Program
        var tier: MemberTier?
        var since: Instant?
        var next: (tier: MemberTier, value: Int64)?
        /// What keeps the tier, where something has to.
        var keep: (tier: MemberTier, wanted: Int64, value: Int64)?
    }

    var memberID: MemberID
    var parts: [Part]
    var badges: [(badge: Badge, awardedAt: Instant)]

    static func load(_ member: MemberID, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> StandingSummary {
        var parts: [Part] = []
        for id in try MemberStore.programs(of: member, on: connection) {
            let tiers = try StandingStore.tiers(of: id, on: connection)
            guard !tiers.isEmpty, let program = try ProgramStore.find(id, in: workspace, at: now, on: connection) else { continue }
            let current = try StandingStore.standing(of: member, in: id, on: connection)
            let tier = current.flatMap { now in tiers.first { $0.id == now.tier } }
            var facts = MeasureFacts(member: member, program: program, now: now)
            let next = tiers.sorted { $0.rank < $1.rank }.first { $0.rank > (tier?.rank ?? 0) }
            parts.append(
                Part(
                    program: program, tier: tier, since: current?.since,
                    next: try next.map { ($0, try facts.value($0.measure, days: $0.days, on: connection)) },
                    keep: try tier.flatMap { tier in
                        try tier.keep.map { (tier, $0, try facts.value(tier.measure, days: tier.days, on: connection)) }
                    }))
        }
        return StandingSummary(memberID: member, parts: parts, badges: try StandingStore.badges(awardedTo: member, on: connection))
    }

    var json: JSONValue {
        [
            "memberId": .text(memberID.text),
            "programs": .array(
                parts.map { part in
                    [
                        "programId": .text(part.program.id.text), "tier": part.tier?.json ?? .null, "since": part.since.map { .text($0.rfc3339) } ?? .null,
                        "next": part.next.map { ["tier": $0.tier.json, "value": .integer($0.value), "missing": .integer(max(0, $0.tier.entry - $0.value))] } ?? .null,
                    ]
                }),
            "badges": .array(badges.map { ["badge": $0.badge.json, "awardedAt": .text($0.awardedAt.rfc3339)] }),
        ]
    }

    static let schema = APISchema.object([
        .required("memberId", .text),
        .required(
            "programs",
            .array(
                .object([
                    .required("programId", .text), .required("tier", .nullable(.reference("Tier"))), .required("since", .nullable(.dateTime)),
                    .required(
                        "next",
                        .nullable(
                            .object([.required("tier", .reference("Tier")), .required("value", .integer()), .required("missing", .integer())]))),
                ]))),
        .required("badges", .array(.object([.required("badge", .reference("Badge")), .required("awardedAt", .dateTime)]))),
    ])
}
