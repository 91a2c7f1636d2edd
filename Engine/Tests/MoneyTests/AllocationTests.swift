import Money
import SeededRandom
import Testing

@Suite struct AllocationTests {
    @Test(arguments: [
        (10, [1, 1, 1], [4, 3, 3]), (-10, [1, 1, 1], [-4, -3, -3]), (0, [1, 2], [0, 0]), (5, [0, 1, 0], [0, 5, 0]),
        (1, [1, 1], [1, 0]), (100, [1, 2, 4], [14, 29, 57]), (.max, [.max, .max], [4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
        (.min, [1, 1], [-4_611_686_018_427_387_904, -4_611_686_018_427_387_904]), (.min, [1], [.min]), (.max, [.max], [.max]),
    ] as [(Int64, [Int64], [Int64])])
    func splits(total: Int64, weights: [Int64], expected: [Int64]) throws {
        #expect(try Allocation.largestRemainder(total: total, weights: weights) == expected)
    }

    @Test func refusesWhatCanNotBeSplit() {
        #expect(throws: MoneyFailure.noWeight) { try Allocation.largestRemainder(total: 1, weights: []) }
        #expect(throws: MoneyFailure.noWeight) { try Allocation.largestRemainder(total: 0, weights: [0, 0]) }
        #expect(throws: MoneyFailure.negativeWeight) { try Allocation.largestRemainder(total: 1, weights: [2, -1]) }
        #expect(throws: MoneyFailure.divisionByZero) {
            try Allocation.proportion(of: Amount(minor: 1), part: 1, whole: 0)
        }
        #expect(throws: MoneyFailure.overflow) {
            try Allocation.proportion(of: Amount(minor: .max), part: .max, whole: 1)
        }
    }

    @Test func agreesWithTheNaiveWay() throws {
        let seed: UInt64 = 4
        var random = SplitMix64(seed: seed)
        for round in 0..<4_000 {
            let isHostile = round % 4 == 0
            let count = Int.random(in: 1...8, using: &random)
            let weights = (0..<count).map { _ -> Int64 in
                isHostile ? Int64(random.hostileInteger().magnitude >> 1) : Int64.random(in: 0...9, using: &random)
            }
            let total = isHostile ? random.hostileInteger() : Int64.random(in: -60...60, using: &random)
            guard weights.contains(where: { $0 > 0 }) else { continue }
            let parts = try Allocation.largestRemainder(total: total, weights: weights)
            #expect(parts == naiveLargestRemainder(total: total, weights: weights), "seed \(seed) \(total) \(weights)")
            #expect(parts.reduce(Int128(0)) { $0 + Int128($1) } == Int128(total), "seed \(seed) \(total) \(weights)")
        }
    }

    /// Hands out the units left over one at a time, each time to the fraction that is furthest behind.
    private func naiveLargestRemainder(total: Int64, weights: [Int64]) -> [Int64] {
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        let magnitude = Int128(total.magnitude)
        var parts = weights.map { magnitude * Int128($0) / sum }
        var isServed = Array(repeating: false, count: weights.count)
        while parts.reduce(0, +) < magnitude {
            var best: Int?
            for position in weights.indices where !isServed[position] {
                let behind = magnitude * Int128(weights[position]) - parts[position] * sum
                guard let known = best else {
                    best = position
                    continue
                }
                if behind > magnitude * Int128(weights[known]) - parts[known] * sum { best = position }
            }
            guard let best else { break }
            isServed[best] = true
            parts[best] += 1
        }
        return parts.map { Int64(total < 0 ? -$0 : $0) }
    }

    @Test func nothingIsLostInAnyCurrency() throws {
        let seed: UInt64 = 5
        var random = SplitMix64(seed: seed)
        let currencies = Currency.all
        #expect(currencies.count == 165)
        for currency in currencies {
            for _ in 0..<40 {
                let sale = Amount(minor: Int64(random.hostileInteger().magnitude >> 1))
                let rate = try Rate(billionths: Int64.random(in: 0...1_000_000_000, using: &random))
                let commission = try rate.applied(to: sale)
                let shares = try SharePPM.split(weights: (0...Int.random(in: 1...6, using: &random)).map { Int64($0) })
                let parts = try Allocation.split(commission, over: shares)
                #expect(try Amount.sum(parts) == commission, "seed \(seed) \(currency) \(sale) \(rate)")
                let text = commission.decimalText(exponent: currency.exponent)
                #expect(try Amount(decimalText: text, exponent: currency.exponent) == commission, "seed \(seed) \(currency)")
            }
        }
    }

    @Test func sharesMakeTheWhole() throws {
        let seed: UInt64 = 6
        var random = SplitMix64(seed: seed)
        for _ in 0..<1_000 {
            let weights = (0..<Int.random(in: 1...50, using: &random)).map { _ in Int64.random(in: 0...100, using: &random) }
            guard weights.contains(where: { $0 > 0 }) else { continue }
            let shares = try SharePPM.split(weights: weights)
            #expect(SharePPM.isWhole(shares), "seed \(seed) \(weights)")
        }
        #expect(SharePPM(ppm: -1) == nil)
        #expect(SharePPM(ppm: 1_000_001) == nil)
        #expect(try SharePPM.split(weights: [1, 1, 1]).map(\.ppm) == [333_334, 333_333, 333_333])
    }

    @Test func proportionsRoundOnce() throws {
        #expect(try Allocation.proportion(of: Amount(minor: 860), part: 2_400, whole: 8_600) == Amount(minor: 240))
        #expect(try Allocation.proportion(of: Amount(minor: 1), part: 1, whole: 2) == .zero)
        #expect(try Allocation.proportion(of: Amount(minor: 3), part: 1, whole: 2) == Amount(minor: 2))
        #expect(try Allocation.proportion(of: Amount(minor: .min), part: .min, whole: .min) == Amount(minor: .min))
        #expect(try Allocation.proportion(of: Amount(minor: .max), part: .max, whole: .max) == Amount(minor: .max))
    }
}
