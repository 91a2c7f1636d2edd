import Compensation

/// The trees beside the enroller's that a plan reads, and how wide they are.
struct PlanTrees {
    /// In the order of their names.
    let codes: [String]
    let widths: [String: Int]
    /// Whether any bonus tells products apart.
    let readsProducts: Bool

    init(_ plan: Compensation.Plan) {
        var found = Set<String>()
        var products = false
        // Every part of the plan, wherever a tree or a filter may stand.
        var pending: [Any] = [plan]
        while let next = pending.popLast() {
            if let tree = next as? TreeCode {
                if tree != .enroller { found.insert(tree.code) }
            } else if let filter = next as? OrderFilter {
                products = products || !filter.products.isEmpty || !filter.excludedProducts.isEmpty
            } else {
                pending += Mirror(reflecting: next).children.map(\.value)
            }
        }
        var widths: [String: Int] = [:]
        for bonus in plan.bonuses {
            switch bonus.rule {
            case .binary: widths[bonus.tree.code] = 2
            case .matrix(_, let width): widths[bonus.tree.code] = width
            default: break
            }
        }
        codes = found.sorted()
        self.widths = widths
        readsProducts = products
    }
}
