import Chronology

/// Takes rows in any order and makes `Facts`, or names the first row (by file, then row number) that cannot be.
public struct FactsBuilder: Sendable {
    public static let rowsLimit = 200_000_000
    /// Bound of one volume, and of all volumes of one kind together.
    public static let volumeLimit: Int64 = 1_000_000_000_000_000
    public static let volumeSumLimit: Int64 = 4_000_000_000_000_000_000

    let calendar: PlanCalendar
    let treeCodes: [TreeCode]
    let slotLimits: [Int]
    let attributeNames: [String]
    var members = MemberRows()
    var orders = OrderRows()
    var moves: [MoveRow] = []

    /// `placementTrees` are the trees beside the enroller's, each with the highest slot it has (nil: any number).
    public init(
        calendar: PlanCalendar, placementTrees: [(tree: TreeCode, width: Int?)] = [(.placement, nil)],
        attributeNames: [String] = []
    ) {
        self.calendar = calendar
        treeCodes = [.enroller] + placementTrees.map(\.tree)
        slotLimits = [0] + placementTrees.map { $0.width ?? Int(Int32.max) }
        self.attributeNames = attributeNames
        members.places = Array(repeating: MemberRows.Places(), count: placementTrees.count)
        members.attributes = Array(repeating: [], count: attributeNames.count)
    }

    public mutating func reserve(members memberCount: Int, orders orderCount: Int) {
        members.reserve(memberCount)
        orders.reserve(orderCount)
    }

    public mutating func add(_ move: MoveRow) { moves.append(move) }

    public mutating func add(_ row: MemberRow) throws(FactsFailure) {
        func failure(_ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .members, row: row.row, column: column, reason: reason)
        }
        guard !row.id.isEmpty else { throw failure("id", .emptyId) }
        guard members.numbers.count < Self.rowsLimit else { throw failure("id", .tooManyRows) }
        let number = members.intern(row.id)
        guard members.rowOfId[Int(number)] < 0 else { throw failure("id", .duplicateId) }
        members.rowOfId[Int(number)] = Int32(members.numbers.count)
        members.numbers.append(number)
        members.rows.append(row.row)
        members.kinds.append(row.kind.rawValue)
        members.statuses.append(row.status.rawValue)
        members.joined.append(row.joinedAt.millisecondsSince1970)
        members.earlier.append(row.hasEarlierOrders ? 1 : 0)
        var enroller: Int32 = -1
        if let id = row.enrollerId { enroller = members.intern(id) }
        members.enrollers.append(enroller)
        for tree in members.places.indices {
            members.places[tree].parents.append(-1)
            members.places[tree].slots.append(0)
        }
        for place in row.places {
            guard let tree = treeCodes.firstIndex(of: place.tree), tree > 0 else { throw failure("tree", .unknownTree) }
            if let slot = place.slot, slot < 1 || slot > slotLimits[tree] {
                throw failure("slot", .slotOutOfRange(tree: place.tree.code, limit: slotLimits[tree]))
            }
            let last = members.numbers.count - 1
            members.places[tree - 1].parents[last] = members.intern(place.parentId)
            members.places[tree - 1].slots[last] = Int32(place.slot ?? 0)
        }
        for name in attributeNames.indices {
            guard name < row.attributes.count, let value = row.attributes[name] else {
                members.attributes[name].append(-1)
                continue
            }
            members.attributes[name].append(members.values.insert(value).number)
        }
    }

    public mutating func add(_ row: OrderRow) throws(FactsFailure) {
        func failure(_ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .orders, row: row.row, column: column, reason: reason)
        }
        guard !row.id.isEmpty else { throw failure("id", .emptyId) }
        guard orders.entries.count < Self.rowsLimit else { throw failure("id", .tooManyRows) }
        let (number, isNew) = orders.ids.insert(row.id)
        guard isNew else { throw failure("id", .duplicateId) }
        // Ids of orders are interned by their own rows only, so the number is the row's place.
        assert(Int(number) == orders.entries.count)
        let commission = row.commissionVolume ?? row.amountMinor
        let qualifying = row.qualifyingVolume ?? row.amountMinor
        let volumes: [(value: Int64, column: String)] = [
            (row.amountMinor, "amount"), (commission, "commission_volume"), (qualifying, "qualifying_volume"),
        ]
        for (value, column) in volumes {
            guard value.magnitude <= UInt64(Self.volumeLimit) else { throw failure(column, .volumeTooLarge) }
            guard row.refundOf == nil || value <= 0 else { throw failure(column, .refundNotNegative) }
        }
        let time =
            calendar.orderTime == .placed && row.refundOf == nil ? row.placedAt ?? row.occurredAt : row.occurredAt
        orders.entries.append(
            OrderEntry(
                row: row.row, time: time.millisecondsSince1970, amount: row.amountMinor, commission: commission, qualifying: qualifying,
                buyer: members.intern(row.buyerId), product: row.product.map { orders.productNames.insert($0).number } ?? -1))
        if let refunded = row.refundOf { orders.refunds.append((Int32(number), refunded)) }
    }
}

/// Member rows as columns, in the order they came.
struct MemberRows: Sendable {
    struct Places: Sendable {
        var parents: [Int32] = []
        var slots: [Int32] = []
    }
    var ids = IdTable()
    /// id number → row place, −1 where only mentioned
    var rowOfId: [Int32] = []
    var numbers: [Int32] = []
    var rows: [Int] = []
    var kinds: [UInt8] = []
    var statuses: [UInt8] = []
    var joined: [Int64] = []
    var earlier: [UInt8] = []
    var enrollers: [Int32] = []
    var places: [Places] = []
    var attributes: [[Int32]] = []
    var values = IdTable()

    mutating func intern(_ id: String) -> Int32 {
        let (number, isNew) = ids.insert(id)
        if isNew { rowOfId.append(-1) }
        return number
    }
}

/// Order rows in the order they came, which is that of their ids' numbers.
struct OrderRows: Sendable {
    var ids = IdTable()
    var entries: [OrderEntry] = []
    var productNames = IdTable()
    var refunds: [(row: Int32, refunded: String)] = []
}

/// One order in 48 bytes: orders are gathered by their buyers, and whatever is asked of one lies in one or two lines of memory.
struct OrderEntry: Sendable, BitwiseCopyable {
    /// What a failure names.
    var row: Int
    var time: Int64
    var amount: Int64
    var commission: Int64
    var qualifying: Int64
    /// The number of the buyer's id.
    var buyer: Int32
    /// −1: none
    var product: Int32
}
