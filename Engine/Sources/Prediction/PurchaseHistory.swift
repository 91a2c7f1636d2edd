/// What a customer bought up to the end of the observed time. Purchases of one day count as one; time is in weeks.
public struct PurchaseHistory: Hashable, Sendable {
    /// A day on which something was bought, the first such day left out; 0 for who bought once.
    public var frequency: Int
    /// From the first purchase to the last.
    public var recency: Double
    /// From the first purchase to the end of the observed time.
    public var age: Double
    /// What a purchase after the first was worth on average; 0 where there is none.
    public var averageValue: Double

    public init(frequency: Int, recency: Double, age: Double, averageValue: Double = 0) {
        self.frequency = frequency
        self.recency = recency
        self.age = age
        self.averageValue = averageValue
    }

    /// A customer with more purchases than this is a reseller or a mistake.
    public static let frequencyLimit = 100_000

    /// What cannot be true of any customer; nil when all is well.
    public var problem: Problem? {
        if !recency.isFinite || !age.isFinite || !averageValue.isFinite { return .notANumber }
        if frequency < 0 || frequency > Self.frequencyLimit { return .impossibleFrequency }
        if recency < 0 || age < recency { return .impossibleTime }
        if (frequency == 0) != (recency == 0) { return .frequencyAgainstRecency }
        if averageValue < 0 { return .negativeValue }
        return nil
    }

    public enum Problem: Hashable, Sendable {
        case notANumber
        /// Below 0 or above `frequencyLimit`.
        case impossibleFrequency
        /// Not 0 ≤ recency ≤ age.
        case impossibleTime
        /// Bought again without time in between, or time in between without a second purchase.
        case frequencyAgainstRecency
        case negativeValue
    }
}

extension PurchaseHistory {
    /// The history that purchases on days up to `until` make, in any order; nil when there is none by then.
    public init?(purchases: [Purchase], until: Int64) {
        var byDay: [Int64: Double] = [:]
        for purchase in purchases where purchase.dayNumber <= until { byDay[purchase.dayNumber, default: 0] += purchase.value }
        guard let first = byDay.keys.min(), let last = byDay.keys.max() else { return nil }
        let repeats = byDay.keys.sorted().dropFirst()
        self.init(
            frequency: repeats.count, recency: Double(last - first) / Self.daysOfWeek, age: Double(until - first) / Self.daysOfWeek,
            averageValue: repeats.isEmpty ? 0 : repeats.reduce(0) { $0 + (byDay[$1] ?? 0) } / Double(repeats.count))
    }

    static let daysOfWeek = 7.0
}

/// Something bought on a day, as a whole number of days since some fixed one.
public struct Purchase: Hashable, Sendable {
    public var dayNumber: Int64
    public var value: Double

    public init(dayNumber: Int64, value: Double) {
        self.dayNumber = dayNumber
        self.value = value
    }
}
