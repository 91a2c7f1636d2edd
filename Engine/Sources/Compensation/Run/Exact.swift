import Money

/// Exact amounts are integers of 1/1,000,000,000 minor unit: a volume times a rate's billionths.
let billion: Int64 = 1_000_000_000

/// `numerator / 1,000,000,000`, rounded once. Facts and rates are bounded so that no sum of exact amounts leaves Int128;
/// nil when the result leaves Int64.
@inline(__always)
func rounded(exact numerator: Int128, _ mode: RoundingMode) -> Int64? {
    if let small = Int64(exactly: numerator) { return rounded(small: small, mode) }
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: Int128(billion))
    guard let whole = Int64(exactly: quotient) else { return nil }
    let step = roundingStep(whole, Int64(truncatingIfNeeded: remainder), mode)
    let (sum, overflow) = whole.addingReportingOverflow(step)
    return overflow ? nil : sum
}

@inline(__always)
func rounded(small numerator: Int64, _ mode: RoundingMode) -> Int64 {
    let whole = numerator / billion
    return whole &+ roundingStep(whole, numerator &- whole &* billion, mode)
}

/// base × rate, rounded once.
@inline(__always)
func rounded(_ base: Int64, _ rate: Int64, _ mode: RoundingMode) -> Int64? {
    let (product, overflow) = base.multipliedReportingOverflow(by: rate)
    return overflow ? rounded(exact: Int128(base) * Int128(rate), mode) : rounded(small: product, mode)
}

@inline(__always)
private func roundingStep(_ whole: Int64, _ remainder: Int64, _ mode: RoundingMode) -> Int64 {
    guard remainder != 0, mode != .down else { return 0 }
    let doubled = (remainder < 0 ? 0 &- remainder : remainder) &* 2
    let away: Int64 = remainder < 0 ? -1 : 1
    if doubled != billion { return doubled > billion ? away : 0 }
    return mode == .halfUp || whole & 1 != 0 ? away : 0
}

/// Rounds a group once: the sum is the rounded sum, each part the floor or ceiling of its exact value, the units left
/// over going to the largest remainders, ties to the earlier position. Nil on overflow.
func roundedGroup(_ exact: [Int128], _ mode: RoundingMode) -> [Int64]? {
    var sum: Int128 = 0
    for value in exact {
        let (next, overflow) = sum.addingReportingOverflow(value)
        guard !overflow else { return nil }
        sum = next
    }
    guard let total = rounded(exact: sum, mode) else { return nil }
    var floors: [Int64] = []
    var remainders: [(remainder: Int64, place: Int)] = []
    var left = Int128(total)
    for (place, value) in exact.enumerated() {
        var (quotient, remainder) = value.quotientAndRemainder(dividingBy: Int128(billion))
        if remainder < 0 {
            quotient -= 1
            remainder += Int128(billion)
        }
        guard let floor = Int64(exactly: quotient) else { return nil }
        floors.append(floor)
        left -= quotient
        if remainder > 0 { remainders.append((Int64(truncatingIfNeeded: remainder), place)) }
    }
    remainders.sort { $0.remainder != $1.remainder ? $0.remainder > $1.remainder : $0.place < $1.place }
    for entry in remainders.prefix(Int(clamping: left)) { floors[entry.place] += 1 }
    return floors
}

/// Runs `body` for 0..<parts, beside each other when there are several.
func concurrently(_ parts: Int, _ body: @Sendable @escaping (Int) -> Void) async {
    guard parts > 1 else {
        if parts == 1 { body(0) }
        return
    }
    await withTaskGroup(of: Void.self) { group in
        for part in 0..<parts { group.addTask { body(part) } }
    }
}
