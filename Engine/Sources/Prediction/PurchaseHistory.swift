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
    /// What was bought on the first day.
    public var firstValue: Double

    public init(frequency: Int, recency: Double, age: Double, averageValue: Double = 0, firstValue: Double = 0) {
        self.frequency = frequency
        self.recency = recency
        self.age = age
        self.averageValue = averageValue
        self.firstValue = firstValue
    }

    /// A customer with more purchases than this is a reseller or a mistake.
    public static let frequencyLimit = 100_000

    /// What cannot be true of any customer; nil when all is well.
    public var problem: Problem? {
        if !recency.isFinite || !age.isFinite || !averageValue.isFinite || !firstValue.isFinite { return .notANumber }
        if frequency < 0 || frequency > Self.frequencyLimit { return .impossibleFrequency }
        if recency < 0 || age < recency { return .impossibleTime }
        if (frequency == 0) != (recency == 0) { return .frequencyAgainstRecency }
        if averageValue < 0 || firstValue < 0 { return .negativeValue }
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
        let known = purchases.filter { $0.dayNumber <= until }.sorted { $0.dayNumber < $1.dayNumber }
        guard let first = known.first?.dayNumber, let last = known.last?.dayNumber else { return nil }
        var (frequency, day, firstValue, further) = (0, first, 0.0, 0.0)
        for purchase in known {
            if purchase.dayNumber > day {
                frequency += 1
                day = purchase.dayNumber
            }
            if day == first { firstValue += purchase.value } else { further += purchase.value }
        }
        self.init(
            frequency: frequency, recency: Double(last - first) / Self.daysOfWeek, age: Double(until - first) / Self.daysOfWeek,
            averageValue: frequency == 0 ? 0 : further / Double(frequency), firstValue: firstValue)
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
