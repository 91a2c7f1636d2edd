/// P-values of several questions asked at once, each made as large as their number demands.
/// Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
public enum Holm {
    /// In the order given: the i-th smallest of n times n − i + 1, at least as large as the ones before, at most 1.
    public static func adjusted(_ pValues: [Double]) -> [Double] {
        var result = pValues
        var largest = 0.0
        for (place, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
            largest = max(largest, min(1, pValues[index] * Double(pValues.count - place)))
            result[index] = largest
        }
        return result
    }
}
