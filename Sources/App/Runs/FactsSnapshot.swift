import Chronology
import Compensation
import Crypto
import Persistence

/// The facts of one period as they were when a run was previewed: a run computed from them again gives the same bytes.
/// Members and orders stand in the order of their ids.
struct FactsSnapshot: Sendable {
    struct Member: Sendable, Hashable {
        var id: PackedID
        var isPromoter: Bool
        var status: UInt8
        var joinedMs: Int64
        /// The row of the enroller, −1: none.
        var enroller: Int32
        var hasEarlierOrders: Bool
    }

    struct Place: Sendable, Hashable {
        /// −1: none of their own.
        var parent: Int32
        /// 0: none.
        var slot: Int32
        static let none = Place(parent: -1, slot: 0)
    }

    struct Order: Sendable, Hashable {
        var id: PackedID
        /// The row of the member who bought.
        var buyer: Int32
        var occurredMs: Int64
        var amountMinor: Int64
        var commissionVolume: Int64
        var qualifyingVolume: Int64
        /// −1: none.
        var product: Int32
        /// The sale that a refund takes back.
        var refundOf: PackedID?
    }

    /// The facts about members that conditions of a plan may read, beside kind and status.
    static let attributeNames = ["country", "group", "stage"]
    /// Rows of one stored part.
    static let rowsOfPart = 16_384

    var members: [Member] = []
    /// The trees beside the enroller's, and where each member stands in them.
    var treeCodes: [String] = []
    var places: [[Place]] = []
    /// attribute → member → value, −1: none
    var attributes: [[Int32]] = Array(repeating: [], count: FactsSnapshot.attributeNames.count)
    var attributeValues: [String] = []
    var products: [String] = []
    var orders: [Order] = []

    /// The row of a member; nil when they are not in these facts.
    func row(ofMember id: PackedID) -> Int? { Self.search(members.count, id) { members[$0].id } }
    func row(ofOrder id: PackedID) -> Int? { Self.search(orders.count, id) { orders[$0].id } }

    private static func search(_ count: Int, _ id: PackedID, _ at: (Int) -> PackedID) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if at(middle) < id { low = middle + 1 } else { high = middle }
        }
        return low < count && at(low) == id ? low : nil
    }
}

// MARK: As the engine reads them

extension FactsSnapshot {
    /// Throws `FactsFailure` naming the row that can't be taken.
    func facts(calendar: PlanCalendar, widths: [String: Int], period: Period) throws -> Facts {
        var builder = FactsBuilder(
            calendar: calendar, placementTrees: treeCodes.map { (TreeCode($0), widths[$0]) }, attributeNames: Self.attributeNames)
        try builder.addMembers(count: members.count, values: attributeValues) { row, found in
            let member = members[row]
            member.id.write(utf8: &found.id)
            found.kind = member.isPromoter ? .promoter : .customer
            found.status = Compensation.MemberStatus(rawValue: member.status) ?? .inactive
            found.joinedMs = member.joinedMs
            found.enroller = member.enroller
            found.places.removeAll(keepingCapacity: true)
            for tree in places { found.places.append((tree[row].parent, tree[row].slot)) }
            found.attributes.removeAll(keepingCapacity: true)
            for column in attributes { found.attributes.append(column[row]) }
            found.hasEarlierOrders = member.hasEarlierOrders
        }
        try builder.addOrders(count: orders.count, products: products) { row, found in
            let order = orders[row]
            order.id.write(utf8: &found.id)
            found.buyer = order.buyer
            found.occurredMs = order.occurredMs
            found.amountMinor = order.amountMinor
            found.commissionVolume = order.commissionVolume
            found.qualifyingVolume = order.qualifyingVolume
            found.product = order.product
            found.refundOf = order.refundOf?.text
        }
        return try builder.build(period: period)
    }
}

// MARK: As they are stored

extension FactsSnapshot {
    /// The parts in their order, the names first.
    func parts() -> [RunPart] {
        var parts = [names]
        for first in stride(from: 0, to: members.count, by: Self.rowsOfPart) {
            let rows = first..<min(first + Self.rowsOfPart, members.count)
            var writer = PackedWriter()
            for row in rows { write(member: row, to: &writer) }
            parts.append(
                RunPart(
                    kind: .members, number: first / Self.rowsOfPart, firstID: members[rows.lowerBound].id.text,
                    lastID: members[rows.upperBound - 1].id.text, rows: rows.count, bytes: writer.bytes))
        }
        for first in stride(from: 0, to: orders.count, by: Self.rowsOfPart) {
            let rows = first..<min(first + Self.rowsOfPart, orders.count)
            var writer = PackedWriter()
            for row in rows { Self.write(orders[row], to: &writer) }
            parts.append(
                RunPart(
                    kind: .orders, number: first / Self.rowsOfPart, firstID: orders[rows.lowerBound].id.text,
                    lastID: orders[rows.upperBound - 1].id.text, rows: rows.count, bytes: writer.bytes))
        }
        return parts
    }

    private var names: RunPart {
        var writer = PackedWriter()
        for list in [treeCodes, attributeValues, products] {
            writer.count(list.count)
            for name in list { writer.text(name) }
        }
        return RunPart(kind: .names, number: 0, firstID: "", lastID: "", rows: 1, bytes: writer.bytes)
    }

    private func write(member row: Int, to writer: inout PackedWriter) {
        let member = members[row]
        writer.id(member.id)
        writer.unsigned(UInt64(member.status) << 2 | (member.isPromoter ? 1 : 0) | (member.hasEarlierOrders ? 2 : 0))
        writer.signed(member.joinedMs)
        writer.signed(Int64(member.enroller))
        for tree in places {
            writer.signed(Int64(tree[row].parent))
            writer.count(Int(tree[row].slot))
        }
        for column in attributes { writer.signed(Int64(column[row])) }
    }

    private static func write(_ order: Order, to writer: inout PackedWriter) {
        writer.id(order.id)
        writer.count(Int(order.buyer))
        writer.signed(order.occurredMs)
        writer.signed(order.amountMinor)
        writer.signed(order.commissionVolume)
        writer.signed(order.qualifyingVolume)
        writer.signed(Int64(order.product))
        writer.count(order.refundOf == nil ? 0 : 1)
        if let sale = order.refundOf { writer.id(sale) }
    }

    init(_ parts: [RunPart]) throws {
        for part in parts {
            var reader = PackedReader(part.bytes)
            switch part.kind {
            case .names:
                func list() throws -> [String] { try (0..<(try reader.count())).map { _ in try reader.text() } }
                treeCodes = try list()
                attributeValues = try list()
                products = try list()
                places = Array(repeating: [], count: treeCodes.count)
            case .members: try readMembers(part)
            case .orders: while !reader.isAtEnd { orders.append(try Self.order(&reader)) }
            default: continue
            }
        }
    }

    mutating func readMembers(_ part: RunPart) throws {
        var reader = PackedReader(part.bytes)
        while !reader.isAtEnd { try readMember(&reader) }
    }

    private mutating func readMember(_ reader: inout PackedReader) throws {
        let id = try reader.id()
        let flags = try reader.unsigned()
        members.append(
            Member(
                id: id, isPromoter: flags & 1 != 0, status: UInt8(truncatingIfNeeded: flags >> 2), joinedMs: try reader.signed(),
                enroller: Int32(truncatingIfNeeded: try reader.signed()), hasEarlierOrders: flags & 2 != 0))
        for tree in places.indices {
            places[tree].append(
                Place(parent: Int32(truncatingIfNeeded: try reader.signed()), slot: Int32(truncatingIfNeeded: try reader.count())))
        }
        for name in attributes.indices { attributes[name].append(Int32(truncatingIfNeeded: try reader.signed())) }
    }

    static func order(_ reader: inout PackedReader) throws -> Order {
        Order(
            id: try reader.id(), buyer: Int32(truncatingIfNeeded: try reader.count()), occurredMs: try reader.signed(),
            amountMinor: try reader.signed(), commissionVolume: try reader.signed(), qualifyingVolume: try reader.signed(),
            product: Int32(truncatingIfNeeded: try reader.signed()), refundOf: try reader.count() == 0 ? nil : try reader.id())
    }
}
