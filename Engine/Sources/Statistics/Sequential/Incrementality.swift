/// What the exposed did beyond what they would have done anyway, which those held out show.
public struct Incrementality: Hashable, Sendable {
    /// (rate of the exposed − rate of the held out) · number of the exposed.
    public let conversions: Double
    /// Always-valid interval of `conversions`.
    public let interval: Interval

    /// Nil while there are too few conversions for a look. The method's τ is in rates.
    /// Source of the comparison with a held-out group: Gordon, Zettelmeyer, Bhargava and Chapsky, "A Comparison of Approaches to Advertising
    /// Measurement", Marketing Science 38 (2019).
    public init?(heldOut: Proportion, exposed: Proportion, method: AlwaysValid, alpha: ErrorRate = .fivePercent) {
        let comparison = TwoProportions(control: heldOut, treatment: exposed)
        guard comparison.conversions >= AlwaysValid.conversionsBeforeLooking,
            // The effect is not taken to be 0 here, so each side has its own variance.
            let interval = method.interval(comparison.estimate, alpha)
        else { return nil }
        conversions = comparison.difference * Double(exposed.users)
        self.interval = interval.scaled(by: Double(exposed.users))
    }

    /// What one conversion that would not have happened otherwise cost, in the unit of `cost`; nil unless there is surely one.
    public func costEach(_ cost: Double) -> Double? {
        interval.lower > 0 ? cost / conversions : nil
    }
}
