import Chronology
import Money
import Persistence
import Web

/// A member's dated event with a link of its own: what is sold by it counts, and the host is rewarded once.
struct Party: Sendable {
    static let titleLengthMax = 100
    static let placeLengthMax = 300
    /// How far ahead a party may be.
    static let daysAheadMax: Int64 = 730
    /// Parties that one member has before them at a time.
    static let openMax = 20
    /// How long one lasts as far as calendars are told.
    static let durationMs: Int64 = 10_800_000
    /// Parties settled in one transaction at most.
    static let settledMax = 100
    static let postponedMs: Int64 = 86_400_000

    enum State: String, Sendable, CaseIterable { case planned, open, closed, settled, canceled }

    var id: PartyID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var hostID: MemberID
    var linkID: LinkID
    var code: String
    var title: String
    var place: String?
    var zone: Zone
    var startsAt: Instant
    var ordersUntil: Instant
    var settlesAt: Instant
    var tiers: [PartyTier]
    var canceledAt: Instant?
    var settledAt: Instant?
    var reward: (unit: UnitCode, minor: Int64)?
    var createdAt: Instant

    func state(at now: Instant) -> State {
        if canceledAt != nil { return .canceled }
        if settledAt != nil { return .settled }
        if now >= ordersUntil { return .closed }
        return now >= startsAt ? .open : .planned
    }

    /// What was ordered by its link and kept.
    struct Turnover: Sendable, Equatable {
        var orders: Int64
        var minor: Int64
    }

    /// What is wanted of a new party.
    struct Draft: Sendable {
        var programID: ProgramID
        var title: String
        var place: String?
        var startsAt: Instant
        var zone: Zone?
        var destination: String
        var code: String?
    }

    static func make(_ draft: Draft, host: Member, isByHost: Bool = false, in write: Write) throws -> Party {
        guard let program = try ProgramStore.find(draft.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard let plan = try PartyPlanStore.find(program.id, on: write.connection) else {
            throw Problem.conflict(code: "no_party_plan", detail: "The program has no plan for parties: say first what hosts get.")
        }
        guard !isByHost || plan.membersMayHost else {
            throw Problem.conflict(code: "hosts_not_allowed", detail: "The company makes the parties of this program itself.")
        }
        guard host.status == .active else { throw Refusal.field("hostId", "Is not active: only active members host.", code: "member_not_active") }
        let zone = draft.zone ?? program.zone
        guard draft.startsAt > write.now else { throw Refusal.field("startsAt", "Must be ahead of us.", code: "party_in_past") }
        let day = zone.day(of: draft.startsAt)
        guard day <= (try zone.day(of: write.now).adding(days: daysAheadMax)) else {
            throw Refusal.field("startsAt", "Must be within \(daysAheadMax) days.")
        }
        guard try PartyStore.open(of: host.id, at: write.now, on: write.connection) < openMax else {
            throw Problem.conflict(code: "too_many_parties", detail: "A member has \(openMax) parties before them at most: cancel one first.")
        }
        // Days are those of the party's zone, whole, however long its clocks make them.
        let until = zone.start(of: try day.adding(days: plan.orderDays + 1))
        let settles = zone.start(of: try day.adding(days: plan.orderDays + plan.returnDays + 1))
        let link = try Link.create(
            NewLink(
                programID: program.id, member: .id(host.id), destination: draft.destination, code: draft.code, host: nil, kind: .link, codeRate: nil,
                codeNeedsReferral: false, expiresAt: nil, variants: [], utm: []), in: write)
        let party = Party(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, hostID: host.id, linkID: link.id, code: link.code, title: draft.title,
            place: draft.place, zone: zone, startsAt: draft.startsAt, ordersUntil: until, settlesAt: settles, tiers: plan.tiers, createdAt: write.now)
        try PartyStore.insert(party, on: write.connection)
        try write.audit("party.create", subject: party.id.text, JSONText(["programId": .text(program.id.text), "hostId": .text(host.id.text)]))
        try write.emit(.partyCreated, subject: party.id.text, JSONText(try party.told(in: write)))
        return party
    }

    /// Ends it without a reward. Its link goes on as any other.
    static func cancel(_ id: PartyID, host: MemberID? = nil, in write: Write) throws -> Party {
        guard var party = try PartyStore.find(id, in: write.workspace.id, on: write.connection), host == nil || host == party.hostID else {
            throw Refusal.unknown("party")
        }
        guard party.canceledAt == nil else { return party }
        guard party.settledAt == nil else {
            throw Problem.conflict(code: "party_settled", detail: "The party is settled and its host rewarded. Adjust the host's wallet instead.")
        }
        let before = party.state(at: write.now)
        party.canceledAt = write.now
        try PartyStore.cancel(id, at: write.now, on: write.connection)
        try write.audit("party.cancel", subject: id.text)
        try write.emit(
            .partyChanged, subject: id.text, JSONText(try party.told(in: write)),
            changes: JSONText(["state": ["before": .text(before.rawValue), "after": .text(State.canceled.rawValue)]]))
        return party
    }

    // MARK: Orders

    /// A sale that came by a party's link while its orders count is one of them.
    static func note(_ sale: Sale, in write: Write) throws {
        guard let link = sale.firstLinkID, let program = sale.programID else { return }
        try PartyStore.order(sale, by: link, in: program, on: write.connection)
    }

    /// Something of a sale was given back: whoever was rewarded for it already keeps what is left of the reward.
    static func returned(_ sale: Sale, in write: Write) throws {
        guard var party = try PartyStore.settled(with: sale.id, on: write.connection), let had = party.reward else { return }
        let turnover = try PartyStore.turnover([party.id], on: write.connection)[party.id] ?? .none
        let due = try PartyTier.reward(party.tiers, turnover: turnover.minor, currency: sale.currency.code)
        // A lower tier may give another unit: then there is no telling what is too much of the first, and all of it goes back.
        let left = due.map { $0.unit == had.unit ? $0.minor : 0 } ?? 0
        guard left < had.minor else { return }
        // Whoever has left the program by now owes it as well; what lapsed of it nobody loses twice.
        _ = try Wallet.takeBack(
            party.hostID, had.minor - left,
            Wallet.Order(unit: had.unit, amountMinor: had.minor - left, programID: party.programID, subject: party.id.text, isForFormer: true), in: write)
        if left == 0, let due, due.unit != had.unit {
            try party.give(due, isForFormer: true, in: write)
        } else {
            party.reward = (had.unit, left)
        }
        try PartyStore.setReward(party, on: write.connection)
        try write.emit(
            .partyChanged, subject: party.id.text, JSONText(try party.told(in: write)),
            changes: JSONText(["reward": ["before": .integer(had.minor), "after": .integer(party.reward?.minor ?? 0)]]))
    }

    // MARK: Settling

    /// Rewards the hosts whose orders and returns are over. Answers how many.
    static func settleDue(limit: Int = settledMax, in write: Write) throws -> Int {
        let due = try PartyStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        var settled = 0
        for party in due {
            do {
                try write.connection.savepoint { try party.settle(in: write) }
                settled += 1
            } catch {
                // What stands in one party's way is not the others': it is tried again a day later.
                guard Refusal.of(error) != nil else { throw error }
                try PartyStore.postpone(party.id, until: write.now.adding(milliseconds: postponedMs), on: write.connection)
            }
        }
        return settled
    }

    private func settle(in write: Write) throws {
        var party = self
        party.settledAt = write.now
        guard try PartyStore.settle(id, at: write.now, on: write.connection) else { return }
        let turnover = try PartyStore.turnover([id], on: write.connection)[id] ?? .none
        guard let program = try ProgramStore.find(programID, in: write.workspace.id, at: write.now, on: write.connection) else { return }
        let host = try MemberStore.find(hostID, in: write.workspace.id, on: write.connection)
        let isThere = try host?.status == .active && MemberStore.programs(of: hostID, on: write.connection).contains(programID)
        if isThere, let reward = try PartyTier.reward(tiers, turnover: turnover.minor, currency: program.currency) {
            try party.give(reward, in: write)
            try PartyStore.setReward(party, on: write.connection)
            if let host {
                try Mail.queue(
                    .partySettled(program: program.name, title: title, rewardMinor: reward.minor, unit: reward.unit.code), to: .person(host.personID),
                    locale: host.locale, in: write)
            }
        }
        try write.emit(.partySettled, subject: id.text, JSONText(try party.told(in: write)))
    }

    private mutating func give(_ gift: (unit: UnitCode, minor: Int64), isForFormer: Bool = false, in write: Write) throws {
        _ = try Wallet.give(
            .bonus, to: hostID,
            Wallet.Order(unit: gift.unit, amountMinor: gift.minor, programID: programID, subject: id.text, isForFormer: isForFormer), in: write)
        reward = gift
    }

    // MARK: Said

    /// As subscribers read it: without what its host wrote.
    private func told(in write: Write) throws -> JSONValue {
        guard case .object(let members) = try json(in: write) else { return .null }
        return .object(members.filter { !["title", "place"].contains($0.name) })
    }

    func json(in write: Write) throws -> JSONValue {
        json(try PartyStore.turnover([id], on: write.connection)[id] ?? .none, at: write.now)
    }

    func json(_ turnover: Turnover, at now: Instant) -> JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "hostId": .text(hostID.text), "linkId": .text(linkID.text), "code": .text(code),
            "title": .text(title), "place": place.map { .text($0) } ?? .null, "timezone": .text(zone.name), "startsAt": .text(startsAt.rfc3339),
            "ordersUntil": .text(ordersUntil.rfc3339), "settlesAt": .text(settlesAt.rfc3339), "state": .text(state(at: now).rawValue),
            "orders": .integer(turnover.orders), "turnover": .integer(turnover.minor), "tiers": .array(tiers.map(\.json)),
            "reward": reward.map { ["unit": .text($0.unit.code), "amount": .integer($0.minor)] } ?? .null,
            "settledAt": settledAt.map { .text($0.rfc3339) } ?? .null, "canceledAt": canceledAt.map { .text($0.rfc3339) } ?? .null,
            "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([.required("title", .text), .required("place", .nullable(.text))] + fields)
    static let eventSchema = APISchema.object(fields)

    private static let fields: [APIField] = [
        .required("id", .text), .required("programId", .text), .required("hostId", .text), .required("linkId", .text), .required("code", .text),
        .required("timezone", .text), .required("startsAt", .dateTime),
        .required("ordersUntil", .described(.dateTime, description: "Orders before this instant count.")),
        .required("settlesAt", .described(.dateTime, description: "From then on the host is rewarded.")),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("orders", .integer()),
        .required("turnover", .described(.integer(), description: "What was ordered and kept, in minor units of the program's currency.")),
        .required("tiers", .described(.array(PartyTier.schema), description: "As they were when the party was made.")),
        .required("reward", .nullable(.object([.required("unit", .text), .required("amount", .integer())]))), .required("settledAt", .nullable(.dateTime)),
        .required("canceledAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ]
}

enum PartyKind: Identified { static let prefix = "pty_" }
typealias PartyID = Identifier<PartyKind>
