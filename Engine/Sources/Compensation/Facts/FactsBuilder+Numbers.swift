/// A member among rows that are numbered already: others are named by their rows, so that nothing is looked up.
public struct NumberedMember {
    /// UTF-8.
    public var id: [UInt8] = []
    public var kind = MemberKind.promoter
    public var status = MemberStatus.active
    public var joinedMs: Int64 = 0
    /// The row of the enroller; −1: none.
    public var enroller: Int32 = -1
    /// One for each placement tree of the builder: the row of the parent (−1: as the enroller) and the slot (0: none).
    public var places: [(parent: Int32, slot: Int32)] = []
    /// One for each attribute of the builder: a place among the values; −1: none.
    public var attributes: [Int32] = []
    public var hasEarlierOrders = false

    public init() {}
}

/// An order beside numbered members.
public struct NumberedOrder {
    /// UTF-8.
    public var id: [UInt8] = []
    /// The row of the member who bought.
    public var buyer: Int32 = 0
    public var occurredMs: Int64 = 0
    public var amountMinor: Int64 = 0
    public var commissionVolume: Int64 = 0
    public var qualifyingVolume: Int64 = 0
    /// A place among the products; −1: none.
    public var product: Int32 = -1
    /// The id of the order that a refund takes back.
    public var refundOf: String?

    public init() {}
}

extension FactsBuilder {
    /// All members of these facts at once. `fill` gets each row in turn, with what the one before left in it.
    public mutating func addMembers(
        count: Int, values: [String], _ fill: (_ row: Int, _ member: inout NumberedMember) -> Void
    ) throws(FactsFailure) {
        func failure(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .members, row: row, column: column, reason: reason)
        }
        guard members.numbers.isEmpty, members.ids.count == 0 else { throw failure(0, "id", .duplicateId) }
        guard count <= Self.rowsLimit else { throw failure(Self.rowsLimit, "id", .tooManyRows) }
        let codes = values.map { members.values.insert($0).number }
        members.reserve(count)
        var member = NumberedMember()
        for row in 0..<count {
            fill(row, &member)
            guard !member.id.isEmpty else { throw failure(row, "id", .emptyId) }
            let isNew = member.id.withUnsafeBufferPointer { members.ids.insert($0).isNew }
            guard isNew else { throw failure(row, "id", .duplicateId) }
            guard member.enroller < count else { throw failure(row, "enroller_id", .unknownMember) }
            members.rowOfId.append(Int32(row))
            members.numbers.append(Int32(row))
            members.rows.append(row)
            members.kinds.append(member.kind.rawValue)
            members.statuses.append(member.status.rawValue)
            members.joined.append(member.joinedMs)
            members.earlier.append(member.hasEarlierOrders ? 1 : 0)
            members.enrollers.append(max(-1, member.enroller))
            for tree in members.places.indices {
                let place: (parent: Int32, slot: Int32) = tree < member.places.count ? member.places[tree] : (-1, 0)
                let code = treeCodes[tree + 1].code
                guard place.parent < count else { throw failure(row, code + "_parent_id", .unknownMember) }
                guard place.parent < 0 || place.slot == 0 || (1...slotLimits[tree + 1]).contains(Int(place.slot)) else {
                    throw failure(row, "slot", .slotOutOfRange(tree: code, limit: slotLimits[tree + 1]))
                }
                members.places[tree].parents.append(max(-1, place.parent))
                members.places[tree].slots.append(place.parent < 0 ? 0 : place.slot)
            }
            for name in attributeNames.indices {
                let value = name < member.attributes.count ? Int(member.attributes[name]) : -1
                members.attributes[name].append(codes.indices.contains(value) ? codes[value] : -1)
            }
        }
    }

    /// All orders beside members that were added by `addMembers`.
    public mutating func addOrders(
        count: Int, products: [String], _ fill: (_ row: Int, _ order: inout NumberedOrder) -> Void
    ) throws(FactsFailure) {
        func failure(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .orders, row: row, column: column, reason: reason)
        }
        guard orders.entries.isEmpty else { throw failure(0, "id", .duplicateId) }
        guard count <= Self.rowsLimit else { throw failure(Self.rowsLimit, "id", .tooManyRows) }
        let codes = products.map { orders.productNames.insert($0).number }
        let limit = UInt64(Self.volumeLimit)
        orders.reserve(count)
        var order = NumberedOrder()
        for row in 0..<count {
            fill(row, &order)
            guard !order.id.isEmpty else { throw failure(row, "id", .emptyId) }
            let isNew = order.id.withUnsafeBufferPointer { orders.ids.insert($0).isNew }
            guard isNew else { throw failure(row, "id", .duplicateId) }
            guard order.buyer >= 0, Int(order.buyer) < members.numbers.count else { throw failure(row, "buyer_id", .unknownMember) }
            guard order.amountMinor.magnitude <= limit else { throw failure(row, "amount", .volumeTooLarge) }
            guard order.commissionVolume.magnitude <= limit else { throw failure(row, "commission_volume", .volumeTooLarge) }
            guard order.qualifyingVolume.magnitude <= limit else { throw failure(row, "qualifying_volume", .volumeTooLarge) }
            if let refunded = order.refundOf {
                guard order.amountMinor <= 0 else { throw failure(row, "amount", .refundNotNegative) }
                guard order.commissionVolume <= 0 else { throw failure(row, "commission_volume", .refundNotNegative) }
                guard order.qualifyingVolume <= 0 else { throw failure(row, "qualifying_volume", .refundNotNegative) }
                orders.refunds.append((Int32(row), refunded))
            }
            orders.entries.append(
                OrderEntry(
                    row: row, time: order.occurredMs, amount: order.amountMinor, commission: order.commissionVolume,
                    qualifying: order.qualifyingVolume, buyer: order.buyer,
                    product: codes.indices.contains(Int(order.product)) ? codes[Int(order.product)] : -1))
        }
    }
}

extension Facts {
    /// The row that a member had among those given to `FactsBuilder.addMembers`.
    public func row(ofMember member: Int) -> Int { Int(memberIdNumber[member]) }
    /// The row that an order had among those given to `FactsBuilder.addOrders`.
    public func row(ofOrder order: Int) -> Int { Int(orderIdNumber[order]) }
    /// The member of such a row.
    public func member(atRow row: Int) -> Int { Int(memberOfIdNumber[row]) }
}

extension MemberRows {
    mutating func reserve(_ count: Int) {
        ids.reserve(count)
        rowOfId.reserveCapacity(count)
        numbers.reserveCapacity(count)
        rows.reserveCapacity(count)
        kinds.reserveCapacity(count)
        statuses.reserveCapacity(count)
        joined.reserveCapacity(count)
        earlier.reserveCapacity(count)
        enrollers.reserveCapacity(count)
        for tree in places.indices {
            places[tree].parents.reserveCapacity(count)
            places[tree].slots.reserveCapacity(count)
        }
        for name in attributes.indices { attributes[name].reserveCapacity(count) }
    }
}

extension OrderRows {
    mutating func reserve(_ count: Int) {
        ids.reserve(count)
        entries.reserveLarge(count)
    }
}
