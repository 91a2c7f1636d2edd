/// A part of a whole in integer millionths, 0…1,000,000.
public struct SharePPM: Hashable, Comparable, Sendable {
    public let ppm: Int

    public static let zero = SharePPM(valid: 0)
    /// The whole: 1,000,000 millionths.
    public static let whole = SharePPM(valid: 1_000_000)

    /// Nil outside 0…1,000,000.
    public init?(ppm: Int) {
        guard (0...1_000_000).contains(ppm) else { return nil }
        self.ppm = ppm
    }

    public static func < (smaller: SharePPM, larger: SharePPM) -> Bool { smaller.ppm < larger.ppm }

    /// Shares in proportion to `weights` that sum to 1,000,000 exactly, by largest remainder. Throws as
    /// `Allocation.largestRemainder`.
    public static func split(weights: [Int64]) throws(MoneyFailure) -> [SharePPM] {
        try Allocation.largestRemainder(total: 1_000_000, weights: weights).map { SharePPM(valid: Int($0)) }
    }

    /// Whether the shares make exactly the whole.
    public static func isWhole(_ shares: some Sequence<SharePPM>) -> Bool {
        shares.reduce(0) { $0 + $1.ppm } == 1_000_000
    }

    private init(valid ppm: Int) {
        self.ppm = ppm
    }
}
