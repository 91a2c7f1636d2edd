/// Means with what was known before the experiment taken out, so that fewer people are needed.
/// Source: Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data", WSDM 2013.
public struct Cuped: Hashable, Sendable {
    /// The adjusted means are worth showing when the variance falls by at least this share.
    public static let worthwhileShare = 0.05
    /// The least share of people of whom something is known from before.
    public static let pastShareNeeded = 0.5

    /// cov(before, value) / var(before), of all arms together, each around its own means.
    public let theta: Double
    /// For each arm the adjusted mean, value − θ·(before − mean of all befores).
    public let adjusted: [Moments]
    /// By which share the variance within arms falls, 0…1.
    public let varianceReduction: Double
    /// The share of people with a past.
    public let pastShare: Double

    /// One person's value in the experiment, and the same from before it where there is a past.
    public struct Person: Hashable, Sendable {
        public let value: Double
        public let before: Double?

        public init(value: Double, before: Double?) {
            self.value = value
            self.before = before
        }
    }

    /// People without a past are given the mean of the others, which leaves their values as they are. Nil when an arm is empty or
    /// nobody's past differs from another's.
    public init?(arms: [[Person]]) {
        let pasts = arms.joined().compactMap(\.before)
        guard let all = Moments(pasts), all.squaredDeviations > 0 else { return nil }
        var (cross, squares, total) = (0.0, 0.0, 0.0)
        var filled: [[(value: Double, before: Double)]] = []
        for arm in arms {
            let people = arm.map { (value: $0.value, before: $0.before ?? all.mean) }
            guard let values = Moments(people.map(\.value)), let befores = Moments(people.map(\.before)) else { return nil }
            cross += people.reduce(0) { $0 + ($1.value - values.mean) * ($1.before - befores.mean) }
            squares += befores.squaredDeviations
            total += values.squaredDeviations
            filled.append(people)
        }
        guard squares > 0 else { return nil }
        let theta = cross / squares
        let adjusted = filled.compactMap { people in Moments(people.map { $0.value - theta * ($0.before - all.mean) }) }
        guard adjusted.count == arms.count else { return nil }
        self.theta = theta
        self.adjusted = adjusted
        varianceReduction = total > 0 ? max(0, 1 - adjusted.reduce(0) { $0 + $1.squaredDeviations } / total) : 0
        pastShare = Double(pasts.count) / Double(arms.reduce(0) { $0 + $1.count })
    }

    /// Enough people have a past, and it tells something.
    public var isWorthwhile: Bool { pastShare >= Self.pastShareNeeded && varianceReduction >= Self.worthwhileShare }
}
