/// Why a run could not be computed. Nothing is ever wrapped or approximated instead.
public enum RunFailure: Error, Hashable, Sendable {
    /// The plan contradicts itself or names something that does not exist.
    case plan(PlanProblem)
    /// An exact sum or product left its range.
    case overflow(where: String)
    /// More lines than `RunOptions.linesLimit`.
    case tooManyLines
    /// Ranks that read leg ranks of several trees did not settle within `RankPass.roundsLimit` rounds.
    case ranksDoNotSettle
    /// The facts have no such member.
    case unknownMember(String)
    /// A refund of an order that neither the facts nor the history know.
    case unknownRefundedOrder(refund: String, order: String)
}

/// What is wrong with a plan, and where.
public struct PlanProblem: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case duplicateCode
        case unknownTree(String)
        case unknownBonus(String)
        case unknownTracker(String)
        case unknownAttribute(String)
        case unknownRank(Int)
        /// A bonus that reads another must stand after it.
        case readsLaterBonus(String)
        case matchOnMatch(String)
        /// A condition that decides ranks or activity reads them.
        case readsRankTooEarly
        case conditionTooDeep
        case tooMany(String)
        case outOfOrder(String)
        case notPositive(String)
        /// A tracker is read by a condition that is judged before it: by `active` where the tracker reads activity, by a
        /// rank where it reads ranks, by any other tracker.
        case trackerNotYetKnown(String)
        /// Also of `averageRate`.
        case debitNeedsOrderLines
        case rateAboveWhole
        case volumeBonusNeedsVolume
    }
    /// A path such as `bonuses.unilevel.rates`.
    public let place: String
    public let reason: Reason
    public init(place: String, reason: Reason) {
        self.place = place
        self.reason = reason
    }
}
