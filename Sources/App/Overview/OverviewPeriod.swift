import Chronology

/// A period until today, and the one before it of the same length, in the workspace's zone.
struct OverviewPeriod: Sendable {
    enum Kind: String, Sendable, CaseIterable { case week, month, quarter, year }

    let kind: Kind
    let days: ClosedRange<LocalDay>
    let pastDays: ClosedRange<LocalDay>
    let zone: Zone

    init(_ kind: Kind, today: LocalDay, zone: Zone) {
        self.kind = kind
        self.zone = zone
        let start: LocalDay
        let pastStart: LocalDay
        switch kind {
        case .week:
            start = today.plus(days: -6)
            pastStart = start.plus(days: -7)
        case .month:
            start = LocalDay(year: today.year, month: today.month, day: 1) ?? today
            pastStart = start.plus(months: -1)
        case .quarter:
            start = LocalDay(year: today.year, month: (today.month - 1) / 3 * 3 + 1, day: 1) ?? today
            pastStart = start.plus(months: -3)
        case .year:
            start = LocalDay(year: today.year, month: 1, day: 1) ?? today
            pastStart = start.plus(months: -12)
        }
        days = start...max(start, today)
        // The same number of days, but never into the period itself: February has no 31st.
        let length = today.dayNumber - start.dayNumber
        pastDays = pastStart...max(pastStart, min(pastStart.plus(days: length), start.plus(days: -1)))
    }

    var from: Instant { zone.start(of: days.lowerBound) }
    var until: Instant { zone.start(of: days.upperBound.plus(days: 1)) }
    var pastFrom: Instant { zone.start(of: pastDays.lowerBound) }
    var pastUntil: Instant { zone.start(of: pastDays.upperBound.plus(days: 1)) }

    /// What one bar of the chart covers: a day, or a month of a year.
    var bars: [ClosedRange<LocalDay>] { Self.bars(of: days, isMonthly: kind == .year) }
    var pastBars: [ClosedRange<LocalDay>] { Self.bars(of: pastDays, isMonthly: kind == .year) }
    var isMonthly: Bool { kind == .year }

    private static func bars(of days: ClosedRange<LocalDay>, isMonthly: Bool) -> [ClosedRange<LocalDay>] {
        var bars: [ClosedRange<LocalDay>] = []
        var day = days.lowerBound
        while day <= days.upperBound {
            let last = isMonthly ? (LocalDay(year: day.year, month: day.month, day: 1) ?? day).plus(months: 1).plus(days: -1) : day
            bars.append(day...min(max(last, day), days.upperBound))
            let next = last.plus(days: 1)
            guard next > day else { break }
            day = next
        }
        return bars
    }
}

extension LocalDay {
    /// The day so many later; the calendar's ends stay.
    func plus(days: Int64) -> LocalDay { (try? adding(days: days)) ?? self }
    func plus(months: Int64) -> LocalDay { (try? adding(months: months)) ?? self }
}
