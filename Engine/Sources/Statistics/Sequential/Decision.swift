/// What to do now: the values of one sentence.
public enum Decision: Hashable, Sendable {
    /// The variant is better than control, and no guard stands against it.
    case use(Verdict)
    /// No variant is better; the one named is worse.
    case keepControl(Verdict)
    /// Whatever difference there is, it is smaller than the smallest that was said to matter.
    case noDifferenceWorth(minimumEffect: Double)
    /// Nothing is known surely yet.
    case goOn(GoOn)
    case doNotDecide(Obstacle)

    /// A variant's difference from control.
    public struct Verdict: Hashable, Sendable {
        public let variant: String
        /// variant − control.
        public let difference: Double
        /// Always-valid.
        public let interval: Interval
        /// The difference ÷ control's value; nil when that is 0.
        public let relativeLift: Double?

        public init(variant: String, difference: Double, interval: Interval, relativeLift: Double?) {
            self.variant = variant
            self.difference = difference
            self.interval = interval
            self.relativeLift = relativeLift
        }
    }

    public struct GoOn: Hashable, Sendable {
        /// About how many days more at the same pace until something can be said; nil when that is too far off to say.
        public let daysLeft: Int?
        /// A guard metric that isn't settled, though the variant is better: that is what is waited for.
        public let waitsForGuard: String?

        public init(daysLeft: Int?, waitsForGuard: String?) {
            self.daysLeft = daysLeft
            self.waitsForGuard = waitsForGuard
        }
    }

    public enum Obstacle: Hashable, Sendable {
        /// People did not come to the variants in the wanted shares.
        case sampleRatio
        /// The variant would be better, but this guard metric is worse by more than its margin.
        case guardBroken(variant: String, name: String)
        /// No look could be taken yet.
        case tooFew
        /// Earlier and later days contradict each other: the effect changes with time.
        case contradictory(variant: String)
    }

    /// A word for programs.
    public var code: String {
        switch self {
        case .use: "use"
        case .keepControl: "keepControl"
        case .noDifferenceWorth: "noDifferenceWorth"
        case .goOn: "goOn"
        case .doNotDecide: "doNotDecide"
        }
    }
}

/// A treatment's course against control, and its guards.
public struct Treatment: Hashable, Sendable {
    public let name: String
    public let test: SequentialTest
    public let guards: [GuardMetric]

    public init(name: String, test: SequentialTest, guards: [GuardMetric] = []) {
        self.name = name
        self.test = test
        self.guards = guards
    }
}
