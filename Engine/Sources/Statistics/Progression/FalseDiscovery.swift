/// P-values of many places that are searched for something: of what is reported, no more than a chosen part is expected to be chance.
/// Source: Benjamini and Hochberg, "Controlling the False Discovery Rate", JRSS B 57 (1995). It holds for p-values that are independent
/// or rise together, as those of overlapping groups do (Benjamini and Yekutieli, Annals of Statistics 29, 2001).
public enum FalseDiscovery {
    /// In the order given: the smallest share of chance findings at which each p-value would be reported.
    public static func adjusted(_ pValues: [Double]) -> [Double] {
        var result = pValues
        var smallest = 1.0
        for (place, index) in pValues.indices.sorted(by: { pValues[$0] > pValues[$1] }).enumerated() {
            smallest = min(smallest, pValues[index] * Double(pValues.count) / Double(pValues.count - place))
            result[index] = smallest
        }
        return result
    }
}
