import Chronology
import Compensation
import Testing

/// Rows that are numbered already give the same facts as rows that name each other.
struct NumberedFactsTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func bothWaysGiveTheSameFacts(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let count = 60
        let values = ["DE", "GB"]
        var parents: [Int32] = []
        var builder = FactsBuilder(calendar: PlanCalendar(), placementTrees: [(TreeCode("binary"), 2)], attributeNames: ["country"])
        for row in 0..<count {
            let parent = row == 0 || random.next() % 9 == 0 ? -1 : Int32(random.next() % UInt64(row))
            parents.append(parent)
            try builder.add(
                MemberRow(
                    row: row, id: Self.id(row), kind: row % 4 == 3 ? .customer : .promoter, joinedAt: day(row % 5),
                    enrollerId: parent < 0 ? nil : Self.id(Int(parent)), places: Self.place(row).map { [TreePlace(tree: TreeCode("binary"), parentId: Self.id($0.parent), slot: $0.slot)] } ?? [],
                    attributes: [row % 3 == 0 ? nil : values[row % 2]]))
        }
        for row in 0..<count {
            try builder.add(OrderRow(row: row, id: "o\(row)", buyerId: Self.id(row), occurredAt: day(row % 20), amountMinor: Int64(row * 100), product: row % 2 == 0 ? "box" : nil))
        }
        try builder.add(OrderRow(row: count, id: "r", buyerId: Self.id(9), occurredAt: day(21), amountMinor: -400, refundOf: "o9"))

        var numbered = FactsBuilder(calendar: PlanCalendar(), placementTrees: [(TreeCode("binary"), 2)], attributeNames: ["country"])
        try numbered.addMembers(count: count, values: values) { row, member in
            member.id = Array(Self.id(row).utf8)
            member.kind = row % 4 == 3 ? .customer : .promoter
            member.joinedMs = day(row % 5).millisecondsSince1970
            member.enroller = parents[row]
            member.places = [Self.place(row).map { (parent: Int32($0.parent), slot: Int32($0.slot)) } ?? (parent: -1, slot: 0)]
            member.attributes = [row % 3 == 0 ? -1 : Int32(row % 2)]
        }
        try numbered.addOrders(count: count + 1, products: ["box"]) { row, order in
            let isRefund = row == count
            order.id = Array((isRefund ? "r" : "o\(row)").utf8)
            order.buyer = isRefund ? 9 : Int32(row)
            order.occurredMs = day(isRefund ? 21 : row % 20).millisecondsSince1970
            order.amountMinor = isRefund ? -400 : Int64(row * 100)
            order.commissionVolume = order.amountMinor
            order.qualifyingVolume = order.amountMinor
            order.product = !isRefund && row % 2 == 0 ? 0 : -1
            order.refundOf = isRefund ? "o9" : nil
        }
        let one = try builder.build(period: january)
        let other = try numbered.build(period: january)
        #expect(Self.bytes(one) == Self.bytes(other))
        for member in 0..<other.memberCount { #expect(other.memberId(other.member(atRow: other.row(ofMember: member))) == other.memberId(member)) }
        for order in 0..<other.orderCount { #expect(other.orderId(order) == "o\(other.row(ofOrder: order))") }
    }

    @Test func rowsThatNameNobodyAreRefused() throws {
        var builder = FactsBuilder(calendar: PlanCalendar())
        #expect(throws: FactsFailure.self) {
            try builder.addMembers(count: 1, values: []) { _, member in
                member.id = [65]
                member.enroller = 1
            }
        }
        var twice = FactsBuilder(calendar: PlanCalendar())
        #expect(throws: FactsFailure.self) { try twice.addMembers(count: 2, values: []) { _, member in member.id = [65] } }
        var orders = FactsBuilder(calendar: PlanCalendar())
        try orders.addMembers(count: 1, values: []) { _, member in member.id = [65] }
        #expect(throws: FactsFailure.self) {
            try orders.addOrders(count: 1, products: []) { _, order in
                order.id = [66]
                order.buyer = 1
            }
        }
    }

    private static func id(_ row: Int) -> String { "m\(row * 7 % 61)" }

    private static func bytes(_ facts: Facts) -> [UInt8] {
        var all: [UInt8] = []
        facts.canonicalBytes { all += $0 }
        return all
    }

    /// A heap: 0 at the top, two below each.
    private static func place(_ row: Int) -> (parent: Int, slot: Int)? { row == 0 || row % 5 == 0 ? nil : ((row - 1) / 2, (row - 1) % 2 + 1) }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
