/// A small seeded generator (SplitMix64) whose sequence is the same everywhere. A failing property prints its seed.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number of any size up to Int64's, small and extreme ones as likely as others.
    public mutating func hostileInteger() -> Int64 {
        let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        let choice = Int(next() % 16)
        if choice < extremes.count { return extremes[choice] }
        return Int64(bitPattern: next()) >> Int64(next() % 63)
    }
}
