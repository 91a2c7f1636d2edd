/// An `OrderFilter` and the tags of a bonus, ready for many orders.
struct OrderTest {
    private let facts: Facts
    private let state: RunState
    private let filter: OrderFilter
    private let products: Set<Int32>
    private let excluded: Set<Int32>
    private let needsProduct: Bool
    private let skipMask: UInt32
    private let takesLateRefunds: Bool
    let isTrivial: Bool

    init(_ bonus: Bonus, state: RunState) {
        self.init(
            bonus.orders, skips: bonus.skipsTags, takesLateRefunds: bonus.refundTreatment == .volume, state: state)
    }

    init(_ filter: OrderFilter, skips: Set<String> = [], takesLateRefunds: Bool = true, state: RunState) {
        facts = state.facts
        self.state = state
        self.filter = filter
        self.takesLateRefunds = takesLateRefunds
        needsProduct = !filter.products.isEmpty
        products = Set(filter.products.compactMap { state.facts.products.number(of: $0) })
        excluded = Set(filter.excludedProducts.compactMap { state.facts.products.number(of: $0) })
        skipMask = skips.reduce(0) { $0 | (state.tagBits[$1] ?? 0) }
        isTrivial = filter == OrderFilter() && skipMask == 0 && (takesLateRefunds || !state.hasLateRefunds)
    }

    @inline(__always) func passes(_ order: Int) -> Bool { isTrivial || passesAll(order) }

    private func passesAll(_ order: Int) -> Bool {
        let flags = facts.orderFlags[order]
        if !takesLateRefunds, flags & Facts.isLateRefund != 0 { return false }
        if skipMask != 0, state.orderTags[order] & skipMask != 0 { return false }
        if let kind = filter.buyer, facts.kind[Int(facts.buyer[order])] != kind.rawValue { return false }
        if needsProduct, !products.contains(facts.product[order]) { return false }
        if !excluded.isEmpty, excluded.contains(facts.product[order]) { return false }
        if filter.turn != .any {
            let isFirst = flags & Facts.isFirstOrder != 0 && !state.hasOrderedBefore(Int(facts.buyer[order]))
            if isFirst != (filter.turn == .first) { return false }
        }
        if let from = filter.fromMinor, facts.amount[order] < from { return false }
        if let below = filter.belowMinor, facts.amount[order] >= below { return false }
        return true
    }
}
