public import Chronology

/// One row of the members; `row` is what a failure names.
public struct MemberRow: Hashable, Sendable {
    public var row: Int
    public var id: String
    public var kind: MemberKind
    public var status: MemberStatus
    public var joinedAt: Instant
    public var enrollerId: String?
    /// Places in the placement trees; a tree without one follows the enroller.
    public var places: [TreePlace]
    /// In the order of the builder's attribute names.
    public var attributes: [String?]
    /// Orders before the period, so that first orders are known.
    public var hasEarlierOrders: Bool

    public init(
        row: Int = 0, id: String, kind: MemberKind = .promoter, status: MemberStatus = .active, joinedAt: Instant = .earliest,
        enrollerId: String? = nil, places: [TreePlace] = [], attributes: [String?] = [], hasEarlierOrders: Bool = false
    ) {
        self.row = row
        self.id = id
        self.kind = kind
        self.status = status
        self.joinedAt = joinedAt
        self.enrollerId = enrollerId
        self.places = places
        self.attributes = attributes
        self.hasEarlierOrders = hasEarlierOrders
    }
}

public struct TreePlace: Hashable, Sendable {
    public var tree: TreeCode
    public var parentId: String
    /// 1…w; binary: 1 left, 2 right.
    public var slot: Int?
    public init(tree: TreeCode = .placement, parentId: String, slot: Int? = nil) {
        self.tree = tree
        self.parentId = parentId
        self.slot = slot
    }
}

/// A member's new place from an instant on.
public struct MoveRow: Hashable, Sendable {
    public var row: Int
    public var memberId: String
    public var tree: TreeCode
    public var parentId: String
    public var slot: Int?
    public var effectiveAt: Instant
    public init(
        row: Int = 0, memberId: String, tree: TreeCode = .placement, parentId: String, slot: Int? = nil,
        effectiveAt: Instant
    ) {
        self.row = row
        self.memberId = memberId
        self.tree = tree
        self.parentId = parentId
        self.slot = slot
        self.effectiveAt = effectiveAt
    }
}

/// One order, or with `refundOf` a refund with negative numbers. All in minor units.
public struct OrderRow: Hashable, Sendable {
    public var row: Int
    public var id: String
    public var buyerId: String
    public var occurredAt: Instant
    public var placedAt: Instant?
    public var amountMinor: Int64
    /// Nil: the amount.
    public var commissionVolume: Int64?
    public var qualifyingVolume: Int64?
    public var product: String?
    public var refundOf: String?
    public init(
        row: Int = 0, id: String, buyerId: String, occurredAt: Instant = .earliest, placedAt: Instant? = nil, amountMinor: Int64,
        commissionVolume: Int64? = nil, qualifyingVolume: Int64? = nil, product: String? = nil, refundOf: String? = nil
    ) {
        self.row = row
        self.id = id
        self.buyerId = buyerId
        self.occurredAt = occurredAt
        self.placedAt = placedAt
        self.amountMinor = amountMinor
        self.commissionVolume = commissionVolume
        self.qualifyingVolume = qualifyingVolume
        self.product = product
        self.refundOf = refundOf
    }
}
