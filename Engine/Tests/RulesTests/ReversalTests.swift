import Money
import SeededRandom
import Testing

@testable import Rules

/// What goes back of one amount that was split among several.
@Suite struct ReversalTests {
    /// Together the parts are what their sum gives back; none goes down as more is refunded, none is more than was given, and all of the
    /// sale takes all of them.
    @Test(arguments: UInt64(1)...200) func partsAddUpAndNeverGoDown(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let amounts = (0..<Int(random.next(upperBound: UInt64(6)) + 1)).map { _ in Amount(minor: Int64(random.next(upperBound: UInt64(seed % 3 == 0 ? 10 : 5_000)))) }
        let sale = Amount(minor: Int64(random.next(upperBound: UInt64(3_000)) + 1))
        let sum = Amount(minor: amounts.reduce(0) { $0 + $1.minor })
        var reversed = amounts.map { _ in Amount.zero }
        var refunded: Int64 = 0
        while refunded < sale.minor {
            refunded = min(sale.minor, refunded + Int64(random.next(upperBound: UInt64(max(1, sale.minor / 7)))) + 1)
            let total = Amount(minor: refunded)
            let whole = try Reversal.amounts(commissions: amounts.map { ($0, .zero) }, refundedTotal: total, saleAmount: sale)
            let parts = try Reversal.amounts(commissions: Array(zip(amounts, reversed)), refundedTotal: total, saleAmount: sale)
            for position in amounts.indices {
                reversed[position] = Amount(minor: reversed[position].minor + parts[position].minor)
                #expect(reversed[position] <= amounts[position], "seed \(seed)")
            }
            #expect(reversed == whole, "seed \(seed): in parts as at once")
            let expected = try Reversal.amount(commission: sum, alreadyReversed: .zero, refundedTotal: total, saleAmount: sale)
            #expect(reversed.reduce(0) { $0 + $1.minor } == expected.minor, "seed \(seed)")
        }
        #expect(reversed == amounts, "seed \(seed)")
    }

    /// Six to one and three of two: largest remainders would take a unit back from the third when the eleventh is refunded (Alabama).
    @Test func noPartGoesDown() throws {
        let amounts = [6, 6, 2].map { Amount(minor: $0) }
        var last: [Int64] = [0, 0, 0]
        for refunded in 0...14 {
            let parts = try Reversal.amounts(
                commissions: amounts.map { ($0, .zero) }, refundedTotal: Amount(minor: Int64(refunded)), saleAmount: Amount(minor: 14)
            ).map(\.minor)
            for position in parts.indices { #expect(parts[position] >= last[position]) }
            last = parts
        }
        #expect(last == [6, 6, 2])
    }
}
