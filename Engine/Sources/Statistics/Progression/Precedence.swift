/// Whether those who did something early on moved on more often afterwards than those who did not.
///
/// Everybody is judged from one day of theirs on (the landmark): what they did before it says which side they are on, what they do after
/// it counts. Who moved on before the landmark is on neither side. Without it, whoever stays longer has more time to do anything, and
/// every action would seem to help (Anderson, Cain and Gelber, "Analysis of Survival by Tumor Response", J. Clin. Oncol. 1, 1983).
///
/// Nobody drew lots for the action, so this is association, whatever its size.
public struct Precedence: Hashable, Sendable {
    /// Somebody at a stage.
    public struct Person: Hashable, Sendable {
        /// Units of time since they came, at which they did it for the first time; nil: they did not.
        public let didAt: Int64?
        /// When they moved on; nil: they did not as long as they were watched.
        public let movedAt: Int64?
        public let watchedFor: Int64

        public init(didAt: Int64?, movedAt: Int64?, watchedFor: Int64) {
            self.didAt = didAt
            self.movedAt = movedAt
            self.watchedFor = watchedFor
        }
    }

    public let did: Proportion
    public let didNot: Proportion

    /// Nil when one of the sides is empty.
    /// - Parameters:
    ///   - landmark: units of time after which sides are known.
    ///   - horizon: units of time after the landmark within which moving on counts; who was not watched so long is left out.
    public init?(_ people: [Person], landmark: Int64, horizon: Int64) {
        var sides: [Bool: (people: Int, moved: Int)] = [:]
        for person in people where person.watchedFor >= landmark + horizon && (person.movedAt ?? .max) > landmark {
            let isDoer = (person.didAt ?? .max) <= landmark
            sides[isDoer, default: (0, 0)].people += 1
            if (person.movedAt ?? .max) <= landmark + horizon { sides[isDoer, default: (0, 0)].moved += 1 }
        }
        guard let doers = sides[true], let others = sides[false], let did = Proportion(conversions: doers.moved, users: doers.people),
            let didNot = Proportion(conversions: others.moved, users: others.people)
        else { return nil }
        self.did = did
        self.didNot = didNot
    }

    public var comparison: TwoProportions { TwoProportions(control: didNot, treatment: did) }
}
