import SeededRandom

/// Seeded draws for simulated companies.
struct Random {
    private var bits: SplitMix64

    init(seed: UInt64) {
        bits = SplitMix64(seed: seed)
    }

    /// In 0..<1.
    mutating func unit() -> Double { Double(bits.next() >> 11) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    mutating func hash() -> UInt64 { bits.next() }

    /// How many of `count` succeed.
    mutating func successes(of count: Int, _ probability: Double) -> Int {
        let bound = UInt64(probability * 0x1p63) << 1
        var sum = 0
        for _ in 0..<count where bits.next() < bound { sum += 1 }
        return sum
    }

    /// Roughly normal with mean 0 and deviation 1: the sum of twelve.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }
}
