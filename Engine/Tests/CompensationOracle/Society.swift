import Chronology
public import Compensation

/// A member as an object that knows its parents. Every question about the trees is a walk from here upwards.
final class Person: Hashable {
    let row: MemberRow
    /// Tree code → where the member stands; no entry: below the company.
    var places: [String: (parent: Person, slot: Int)] = [:]
    var isActive = false
    var achieved = 0
    var paidAs = 0
    var highest = 0
    var kept = 0
    var missed = 0
    var histories: [UInt64] = []
    var entry: Carry.Member?
    var forcedRank: Int?
    var isWaivedActive = false
    var waivedBonuses: Set<String> = []

    init(_ row: MemberRow) { self.row = row }
    var id: String { row.id }
    var isPromoter: Bool { row.kind == .promoter }

    static func == (one: Person, other: Person) -> Bool { one === other }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// `joined_at`, then id bytes.
    func precedes(_ other: Person) -> Bool {
        if row.joinedAt != other.row.joinedAt { return row.joinedAt < other.row.joinedAt }
        return bytesPrecede(id, other.id)
    }

    /// The nearest promoter strictly above.
    func above(_ tree: TreeCode) -> Person? {
        var place = places[tree.code]
        while let found = place, !found.parent.isPromoter { place = found.parent.places[tree.code] }
        return place?.parent
    }

    /// All promoters strictly above, nearest first.
    func line(_ tree: TreeCode) -> [Person] {
        var found: [Person] = []
        var next = above(tree)
        while let person = next {
            found.append(person)
            next = person.above(tree)
        }
        return found
    }

    /// The slot of the topmost member on the way down from the nearest promoter above.
    func legSlot(_ tree: TreeCode) -> Int {
        var place = places[tree.code]
        while let found = place, !found.parent.isPromoter, let higher = found.parent.places[tree.code] { place = higher }
        return place?.slot ?? 0
    }
}

/// An order of the period after its refunds, or the refund of an earlier order.
final class Sale {
    let row: OrderRow
    let buyer: Person
    let time: Instant
    let day: LocalDay
    var amount: Int64
    var commissionVolume: Int64
    var qualifyingVolume: Int64
    var isFirst = false
    var tags: Set<String> = []

    init(_ row: OrderRow, buyer: Person, time: Instant, day: LocalDay) {
        self.row = row
        self.buyer = buyer
        self.time = time
        self.day = day
        amount = row.amountMinor
        commissionVolume = row.commissionVolume ?? row.amountMinor
        qualifyingVolume = row.qualifyingVolume ?? row.amountMinor
    }

    var id: String { row.id }
    var isRefund: Bool { row.refundOf != nil }
    func volume(_ volume: Volume) -> Int64 {
        switch volume {
        case .commission: commissionVolume
        case .qualifying: qualifyingVolume
        case .amount: amount
        }
    }
    func precedes(_ other: Sale) -> Bool { time != other.time ? time < other.time : bytesPrecede(id, other.id) }
}

func bytesPrecede(_ one: String, _ other: String) -> Bool { one.utf8.lexicographicallyPrecedes(other.utf8) }

/// What an oracle run reads: the same rows that the engine's facts are built from.
public struct OracleFacts: Sendable {
    public var members: [MemberRow]
    public var orders: [OrderRow]
    public var moves: [MoveRow]
    public var placementTrees: [TreeCode]
    public var attributeNames: [String]
    public var period: Period
    public var calendar: PlanCalendar

    public init(
        members: [MemberRow], orders: [OrderRow], moves: [MoveRow], placementTrees: [TreeCode],
        attributeNames: [String], period: Period, calendar: PlanCalendar
    ) {
        self.members = members
        self.orders = orders
        self.moves = moves
        self.placementTrees = placementTrees
        self.attributeNames = attributeNames
        self.period = period
        self.calendar = calendar
    }
}

/// The people, trees and orders of one period.
final class Society {
    let facts: OracleFacts
    /// By `joined_at`, then id bytes.
    var people: [Person] = []
    var byId: [String: Person] = [:]
    /// By time, then id bytes.
    var sales: [Sale] = []
    private var headsOfTree: [String: [Person: [Person]]] = [:]

    init(_ facts: OracleFacts, carry: Carry, ranks: Int) throws {
        self.facts = facts
        people = facts.members.map(Person.init).sorted { $0.precedes($1) }
        for person in people { byId[person.id] = person }
        for entry in carry.members {
            // A plan with fewer ranks than the one before.
            byId[entry.id]?.entry = entry
            byId[entry.id]?.entry?.highestRank = min(entry.highestRank, ranks)
            byId[entry.id]?.entry?.keptRank = min(entry.keptRank, ranks)
        }
        try plant()
        try sell()
    }

    var promoters: [Person] { people.filter(\.isPromoter) }

    /// Promoters right below.
    func heads(of person: Person, _ tree: TreeCode) -> [Person] {
        if headsOfTree[tree.code] == nil {
            var heads: [Person: [Person]] = [:]
            for promoter in promoters { if let above = promoter.above(tree) { heads[above, default: []].append(promoter) } }
            headsOfTree[tree.code] = heads
        }
        return headsOfTree[tree.code]?[person] ?? []
    }

    /// A refund of an earlier order proves one.
    func hasOrderedBefore(_ person: Person) -> Bool {
        person.row.hasEarlierOrders || person.entry?.hasOrdered == true || sales.contains { $0.buyer == person && $0.isRefund }
    }

    private func plant() throws {
        for person in people {
            if let enroller = person.row.enrollerId.flatMap({ byId[$0] }) {
                for tree in [.enroller] + facts.placementTrees { person.places[tree.code] = (enroller, 0) }
            }
            for place in person.row.places {
                guard let parent = byId[place.parentId] else { throw OracleFailure.unknownMember(place.parentId) }
                person.places[place.tree.code] = (parent, place.slot ?? 0)
            }
        }
        for move in facts.moves.sorted(by: { $0.effectiveAt < $1.effectiveAt }) {
            guard let day = facts.calendar.zone.localDay(of: move.effectiveAt), day < facts.period.end else { continue }
            guard let person = byId[move.memberId], let parent = byId[move.parentId] else {
                throw OracleFailure.unknownMember(move.memberId)
            }
            person.places[move.tree.code] = (parent, move.slot ?? 0)
        }
    }

    private func sell() throws {
        var found: [String: Sale] = [:]
        for row in facts.orders {
            guard let buyer = byId[row.buyerId] else { throw OracleFailure.unknownMember(row.buyerId) }
            let usesPlaced = facts.calendar.orderTime == .placed && row.refundOf == nil
            let time = usesPlaced ? row.placedAt ?? row.occurredAt : row.occurredAt
            guard let day = facts.calendar.zone.localDay(of: time) else { throw OracleFailure.unknownDay(row.id) }
            found[row.id] = Sale(row, buyer: buyer, time: time, day: day)
        }
        var netted: Set<String> = []
        for sale in found.values {
            guard let refunded = sale.row.refundOf.flatMap({ found[$0] }) else { continue }
            refunded.amount += sale.amount
            refunded.commissionVolume += sale.commissionVolume
            refunded.qualifyingVolume += sale.qualifyingVolume
            found[sale.id] = nil
            netted.insert(refunded.id)
        }
        // What refunds took to nothing is no order; a free order is one.
        sales = found.values.filter {
            $0.amount != 0 || $0.commissionVolume != 0 || $0.qualifyingVolume != 0 || !netted.contains($0.id)
        }.sorted { $0.precedes($1) }
        for person in people where !hasOrderedBefore(person) { sales.first { $0.buyer == person }?.isFirst = true }
    }
}

public enum OracleFailure: Error, Hashable {
    case unknownMember(String)
    case unknownDay(String)
    case unknownRefundedOrder(String)
    case ranksDoNotSettle
    /// Documented as a failure of the engine, or not documented at all.
    case undefined(String)
}
