/// The same counts as a table of two rows and two columns.
extension TwoProportions {
    /// Pearson's χ² with one degree of freedom. Source: K. Pearson, Philosophical Magazine 50 (1900).
    public func chiSquared() -> TestResult {
        tableTest { observed, expected in
            let gap = observed - expected
            return gap * gap / expected
        }
    }

    /// χ² with the correction for continuity: each gap is lessened by ½, or by itself when it is smaller.
    /// Source: F. Yates, "Contingency Tables Involving Small Numbers and the χ² Test", Supplement to the JRSS 1 (1934).
    public func chiSquaredYates() -> TestResult {
        tableTest { observed, expected in
            let gap = (observed - expected).magnitude
            let lessened = gap - min(0.5, gap)
            return lessened * lessened / expected
        }
    }

    /// The log-likelihood ratio 2·Σ O·ln(O/E). Source: S. S. Wilks, Annals of Mathematical Statistics 9 (1938).
    public func logLikelihoodRatio() -> TestResult {
        tableTest { observed, expected in observed == 0 ? 0 : 2 * observed * logarithm(observed / expected) }
    }

    /// (control's converted · treatment's not) ÷ (control's not · treatment's converted); infinite when the divisor is 0.
    public var oddsRatio: Double {
        let other = Double(control.users - control.conversions) * Double(treatment.conversions)
        return Double(control.conversions) * Double(treatment.users - treatment.conversions) / other
    }

    /// Fisher's exact test, two-sided by probability: all tables with the same margins that are no likelier than this one (those
    /// equal but for 1e-7 of rounding count). Takes time in the width of the tails, not in the counts.
    /// Source: R. A. Fisher, Statistical Methods for Research Workers, 5th ed. (1934), 21.02.
    public func fisherExact() -> Double {
        let urn = Urn(marked: conversions, unmarked: control.users + treatment.users - conversions, drawn: control.users)
        return urn.probabilityOfNoLikelier(than: control.conversions)
    }

    private func tableTest(_ part: (_ observed: Double, _ expected: Double) -> Double) -> TestResult {
        guard conversions > 0, conversions < control.users + treatment.users else { return TestResult(statistic: 0, pValue: 1) }
        var sum = 0.0
        for side in [control, treatment] {
            let expected = Double(side.users) * pooledRate
            sum += part(Double(side.conversions), expected)
            sum += part(Double(side.users - side.conversions), Double(side.users) * (1 - pooledRate))
        }
        return TestResult(statistic: sum, pValue: ChiSquaredDistribution.upperTail(sum, degreesOfFreedom: 1))
    }
}

/// Marked and unmarked balls of which some are drawn: the distribution of a table with fixed margins.
private struct Urn {
    let marked: Int
    let unmarked: Int
    let drawn: Int

    var least: Int { max(0, drawn - unmarked) }
    var most: Int { min(drawn, marked) }

    func mass(_ x: Int) -> Double {
        SaddlePoint.hypergeometric(Double(x), marked: Double(marked), unmarked: Double(unmarked), drawn: Double(drawn))
    }

    func probabilityOfNoLikelier(than x: Int) -> Double {
        let bound = mass(x) * (1 + 1e-7)
        let mode = min(most, max(least, Int((Double(drawn) + 1) * (Double(marked) + 1) / (Double(marked + unmarked) + 2))))
        // Below the mode masses rise, above it they fall: the last place on each side that is no likelier starts a tail.
        let left = x < mode ? x : firstPlace(least, mode) { mass($0) > bound } - 1
        let right = x >= mode && mass(mode) > bound ? x : firstPlace(mode, most + 1) { mass($0) <= bound }
        if left >= mode || right <= mode { return 1 }
        return min(1, tail(from: left, by: -1) + tail(from: right, by: 1))
    }

    /// The first place in low..<high where a condition that stays true holds; `high` if nowhere.
    private func firstPlace(_ low: Int, _ high: Int, where holds: (Int) -> Bool) -> Int {
        var (low, high) = (low, high)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The masses from `start` outwards, until they no longer change the sum.
    private func tail(from start: Int, by step: Int) -> Double {
        guard start >= least, start <= most else { return 0 }
        var mass = mass(start)
        var sum = mass
        var x = start
        while x + step >= least, x + step <= most {
            let low = Double(min(x, x + step))
            let ratio = (Double(marked) - low) * (Double(drawn) - low) / ((low + 1) * (Double(unmarked - drawn) + low + 1))
            mass *= step > 0 ? ratio : 1 / ratio
            let next = sum + mass
            if next == sum { break }
            sum = next
            x += step
        }
        return sum
    }
}
