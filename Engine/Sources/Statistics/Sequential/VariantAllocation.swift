/// Who gets which variant. The caller hashes the subject with the experiment into numbers that are evenly spread over 64 bits; the
/// same numbers always give the same variant.
public struct VariantAllocation: Hashable, Sendable {
    /// A layer is divided into this many buckets; experiments of one layer take ranges that don't overlap, so nobody is in two of them.
    public static let bucketsOfLayer = 10_000
    /// The largest share that may be held out, in millionths.
    public static let holdoutLimitPPM = 500_000

    public let buckets: Range<Int>
    public let holdoutPPM: Int
    public let weights: [Int]
    private let totalWeight: UInt64

    /// Nil unless the buckets are within the layer, the hold-out within its limit, and there are 1…100 weights of 1…1,000,000.
    public init?(buckets: Range<Int> = 0..<bucketsOfLayer, holdoutPPM: Int, weights: [Int]) {
        guard !buckets.isEmpty, buckets.lowerBound >= 0, buckets.upperBound <= Self.bucketsOfLayer,
            (0...Self.holdoutLimitPPM).contains(holdoutPPM), (1...100).contains(weights.count),
            weights.allSatisfy({ (1...1_000_000).contains($0) })
        else { return nil }
        self.buckets = buckets
        self.holdoutPPM = holdoutPPM
        self.weights = weights
        totalWeight = UInt64(weights.reduce(0, +))
    }

    /// Three independent hashes of the subject: with the layer, with the experiment for the hold-out, and with it for the variant.
    public struct Hashes: Hashable, Sendable {
        public let layer: UInt64
        public let holdout: UInt64
        public let variant: UInt64

        public init(layer: UInt64, holdout: UInt64, variant: UInt64) {
            self.layer = layer
            self.holdout = holdout
            self.variant = variant
        }
    }

    public func assignment(_ hashes: Hashes) -> Assignment {
        guard buckets.contains(Self.place(hashes.layer, in: UInt64(Self.bucketsOfLayer))) else { return .otherExperiment }
        guard Self.place(hashes.holdout, in: 1_000_000) >= holdoutPPM else { return .holdout }
        var rest = Self.place(hashes.variant, in: totalWeight)
        for (position, weight) in weights.enumerated() {
            if rest < weight { return .variant(position) }
            rest -= weight
        }
        return .variant(weights.count - 1)
    }

    public enum Assignment: Hashable, Sendable {
        /// The subject's bucket belongs to another experiment of the layer, or to none.
        case otherExperiment
        /// The subject is held out: shown nothing, and counted.
        case holdout
        /// Position in `weights`.
        case variant(Int)
    }

    /// ⌊hash · count / 2^64⌋: evenly spread without the bias of a remainder.
    /// Source: D. Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29 (2019).
    private static func place(_ hash: UInt64, in count: UInt64) -> Int {
        Int(hash.multipliedFullWidth(by: count).high)
    }
}
