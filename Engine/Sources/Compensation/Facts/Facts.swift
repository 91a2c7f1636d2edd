import Chronology

/// What a run reads: trees as of the end of the period, and its orders, as columns.
///
/// Members are numbered depth first along the enroller tree, roots and children by (`joined_at`, id bytes). Orders are
/// numbered by buyer, then time, then id bytes; refunds inside the period are netted into their orders, and an order
/// netted to nothing is no order at all.
public struct Facts: Sendable {
    public let period: Period
    public let memberCount: Int
    public let orderCount: Int
    public let trees: [Tree]
    public let attributeNames: [String]

    let memberIds: IdTable
    /// member → place in `memberIds`
    let memberIdNumber: Column<Int32>
    let memberOfIdNumber: Column<Int32>
    let kind: Column<UInt8>
    let status: Column<UInt8>
    let joinedMs: Column<Int64>
    let joinedDay: Column<Int32>
    let hasEarlierOrders: Column<UInt8>
    /// attribute → member → code; −1: none
    let attributes: [Column<Int32>]
    let attributeValues: IdTable

    let orderIds: IdTable
    let orderIdNumber: Column<Int32>
    /// member → its first order; one longer than the members.
    let firstOrder: Column<Int32>
    let buyer: Column<Int32>
    let amount: Column<Int64>
    let commissionVolume: Column<Int64>
    let qualifyingVolume: Column<Int64>
    let orderDay: Column<Int32>
    let orderMs: Column<Int64>
    /// −1: none
    let product: Column<Int32>
    let products: IdTable
    let orderFlags: Column<UInt8>
    /// Refunds of orders outside these facts: order number → id of the refunded order.
    let lateRefunds: [LateRefund]
    /// Rows that netting left with nothing.
    public let nettedOrderIds: [String]

    static let isLateRefund: UInt8 = 1
    static let isFirstOrder: UInt8 = 2

    public func memberId(_ member: Int) -> String { memberIds[Int(memberIdNumber[member])] }
    /// The id as bytes of the facts' own, for writers of many.
    public func withMemberId<Result>(_ member: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        memberIds.withBytes(Int(memberIdNumber[member]), body)
    }
    public func orderId(_ order: Int) -> String { orderIds[Int(orderIdNumber[order])] }

    public func member(id: String) -> Int? {
        guard let number = memberIds.number(of: id) else { return nil }
        let member = Int(memberOfIdNumber[Int(number)])
        return member < 0 ? nil : member
    }

    public func order(id: String) -> Int? {
        guard let number = orderIds.number(of: id) else { return nil }
        for order in 0..<orderCount where orderIdNumber[order] == number { return order }
        return nil
    }

    public func buyer(ofOrder order: Int) -> Int { Int(buyer[order]) }
    public func isPromoter(_ member: Int) -> Bool { kind[member] == MemberKind.promoter.rawValue }
    public func tree(_ code: TreeCode) -> Tree? { trees.first { $0.code == code } }
    /// Parent in the tree, nil below the company.
    public func parent(of member: Int, in tree: Tree) -> Int? {
        let parent = tree.parent[member]
        return parent < 0 ? nil : Int(parent)
    }

    /// Whether the member has an order in the period; the refund of an earlier one is none.
    func hasOrder(_ member: Int) -> Bool {
        (Int(firstOrder[member])..<Int(firstOrder[member + 1])).contains { orderFlags[$0] & Facts.isLateRefund == 0 }
    }

    func volume(_ volume: Volume) -> Column<Int64> {
        switch volume {
        case .commission: commissionVolume
        case .qualifying: qualifyingVolume
        case .amount: amount
        }
    }

    /// By time, then id bytes.
    func orderPrecedes(_ one: Int, _ other: Int) -> Bool {
        if orderMs[one] != orderMs[other] { return orderMs[one] < orderMs[other] }
        return orderIds.precedes(Int(orderIdNumber[one]), Int(orderIdNumber[other]))
    }

    /// By `joined_at`, then id bytes.
    func memberPrecedes(_ one: Int, _ other: Int) -> Bool {
        if joinedMs[one] != joinedMs[other] { return joinedMs[one] < joinedMs[other] }
        return memberIds.precedes(Int(memberIdNumber[one]), Int(memberIdNumber[other]))
    }
}

struct LateRefund: Sendable {
    let order: Int32
    let refundedOrderId: String
}
