/// How unevenly something is shared out: 0 when everybody has the same, near 1 when one has all.
/// Source: C. Gini, Variabilità e mutabilità (1912), as half of the relative mean difference.
public enum Concentration {
    /// Nil when nobody is there, an amount is negative, or all are 0.
    public static func gini(_ amounts: [Int64]) -> Double? {
        guard amounts.allSatisfy({ $0 >= 0 }) else { return nil }
        let total = amounts.reduce(0.0) { $0 + Double($1) }
        guard total > 0 else { return nil }
        let count = Double(amounts.count)
        let weighted = amounts.sorted().enumerated().reduce(0.0) { $0 + (2 * Double($1.offset + 1) - count - 1) * Double($1.element) }
        return weighted / (count * total)
    }

    /// The share of all that the largest have. Nil as above, or when `count` is below 1.
    public static func share(ofLargest count: Int, among amounts: [Int64]) -> Double? {
        guard count >= 1, amounts.allSatisfy({ $0 >= 0 }) else { return nil }
        let total = amounts.reduce(0.0) { $0 + Double($1) }
        guard total > 0 else { return nil }
        return amounts.sorted(by: >).prefix(count).reduce(0.0) { $0 + Double($1) } / total
    }
}
