/// From `lower` to `upper`, both included. May be empty (`lower > upper`) after an intersection.
public struct Interval: Hashable, Sendable {
    public let lower: Double
    public let upper: Double

    public init(_ lower: Double, _ upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    public var isEmpty: Bool { lower > upper }
    public var width: Double { upper - lower }

    public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }

    /// Whether every value is within `bound` of 0. An empty interval is not.
    public func isWithin(_ bound: Double) -> Bool { !isEmpty && -bound <= lower && upper <= bound }

    public func intersection(_ other: Interval) -> Interval {
        Interval(Swift.max(lower, other.lower), Swift.min(upper, other.upper))
    }

    /// Every value times `factor`, which may be negative.
    public func scaled(by factor: Double) -> Interval {
        factor < 0 ? Interval(upper * factor, lower * factor) : Interval(lower * factor, upper * factor)
    }
}
