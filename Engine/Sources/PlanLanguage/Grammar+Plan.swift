import Chronology
import Compensation
import Money

/// A plan while its names are still texts.
struct PlanParts {
    var plan = Plan(code: "plan", unit: .points, bonuses: [])
    var unit = ""
    var calendar = CalendarParts()
}

struct CalendarParts: Equatable {
    var length = PlanCalendar.Length.month
    var zone = "UTC"
    var orderTime = PlanCalendar.OrderTime.paid
}

struct PlanGrammar {
    let plan: Shape<PlanParts>

    init(condition: Shape<Condition>, bonus: Shape<Bonus>) {
        let rank = record(
            Rank(code: "", condition: .never),
            [
                required("rank", \Rank.code, codeShape, "The rank's name."),
                required("condition", \Rank.condition, condition, "What must hold in the period."),
            ])
        let tracker = record(
            Tracker(code: "", condition: .never),
            [
                required("tracker", \Tracker.code, codeShape, "The tracker's name."),
                required("condition", \Tracker.condition, condition, "What is remembered, period by period, for 64 periods."),
            ])
        let rankRule = record(
            RankRule(),
            [
                optional("cumulative", \RankRule.isCumulative, booleanShape, standard: false, "Whether a rank also needs the conditions of all ranks below it."),
                optional("gracePeriods", \RankRule.gracePeriods, count(0...64), standard: 0, "For how many periods a paid-as rank is kept after it was last achieved."),
                optional("tree", \RankRule.tree, treeShape, standard: .enroller, "The tree whose QV stands in statements."),
            ])
        let soldOrUsed = record(
            SoldOrUsedRule(atLeast: .whole),
            [
                required("atLeast", \SoldOrUsedRule.atLeast, shareShape, "The share, `70%`, of own purchases that must be sold or used; at exactly this share all is paid."),
                optional("below", \SoldOrUsedRule.below, choice(SoldOrUsedRule.Below.allCases) { $0.code }, standard: .proRata, "Whoever is below it is paid earnings × (sold + used) ÷ bought, or nothing."),
                optional("usedBelowMinor", \SoldOrUsedRule.usedBelowMinor, amountShape, standard: SoldOrUsedRule.usedBelowStandardMinor, "Own purchases count as used below this limit of the period, in minor units (20000: up to 199.99); 0: none do."),
                optional("bonuses", \SoldOrUsedRule.bonuses, distinct(codeShape, 1...Plan.bonusesLimit) { $0 }, standard: [], isNothing: true, "The bonuses that are cut; missing: all."),
            ])
        let caps = byRank("amountMinor", amountShape, filler: 0, startsAtNone: true, "The most, in minor units.")
        plan = record(
            PlanParts(),
            [
                required("plan", \.plan.code, codeShape, "The plan's name."),
                optional("version", \.plan.version, count(1...1_000_000), standard: 1, "Its version."),
                required("unit", \.unit, text("^([A-Z]{3}|credit:[A-Z]{3}|[a-z][a-z0-9_-]{0,31})$", "a currency (EUR), credit (credit:EUR) or points by name", isUnitShaped), "What amounts are counted in; all amounts are whole minor units of it."),
                optional("calendar", \.calendar, Self.calendar, standard: CalendarParts(), isNothing: true, "The periods; missing: months in UTC by the time of payment."),
                optional("active", \.plan.active, condition, standard: .status([.active]), "What “active” means. It reads no ranks and no active members."),
                optional("ranks", \.plan.ranks, list(rank, 0...Plan.ranksLimit), standard: [], "From the lowest to the highest."),
                optional("rankRule", \.plan.rankRule, rankRule, standard: RankRule(), "How ranks are given and kept."),
                optional("trackers", \.plan.trackers, list(tracker, 0...Plan.trackersLimit), standard: [], "Conditions whose outcome is remembered."),
                required("bonuses", \.plan.bonuses, list(bonus, 1...Plan.bonusesLimit), "Computed in this order; a bonus that reads another stands after it."),
                optional("soldOrUsed", \.plan.soldOrUsed, soldOrUsed, "What is paid to somebody who sold or used too little of what they bought (the 70 % rule); missing: everything. It stands after all bonuses and before `personCap` and `planCap`."),
                optional("personCap", \.plan.personCapMinor, caps, standard: [], isNothing: true, "The most one person earns in a period, by paid-as rank; missing: no cap."),
                optional("planCap", \.plan.planCap, rate, "The most the plan pays, as a share of the company's CV of the period; missing: no cap."),
            ])
    }

    private static var calendar: Shape<CalendarParts> {
        struct Week {
            var common = CalendarParts()
            var weekday = 1
        }
        struct Anchored {
            var common = CalendarParts()
            var anchor = LocalDay.earliest
        }
        let zone = text("^(UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2})$", "a time zone such as Europe/Berlin", isZoneShaped)
        func common<Part>(_ path: WritableKeyPath<Part, CalendarParts>) -> [Field<Part>] {
            [
                optional("zone", path.appending(path: \.zone), zone, standard: "UTC", "The time zone whose days count."),
                optional("orderTime", path.appending(path: \.orderTime), choice([.paid, .placed]) { $0.code }, standard: .paid, "Which time of an order decides its period: payment, or placing where it is known."),
            ]
        }
        let weekdays = choice(Array(1...7)) { ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][$0 - 1] }
        func plain(_ name: String, _ about: String, _ length: PlanCalendar.Length) -> Variant<CalendarParts> {
            variant(
                name, about, CalendarParts(length: length), common(\CalendarParts.self), make: { $0 },
                take: { $0.length == length ? $0 : nil })
        }
        func anchored(
            _ name: String, _ about: String, _ make: @escaping (LocalDay) -> PlanCalendar.Length, _ take: @escaping (PlanCalendar.Length) -> LocalDay?
        ) -> Variant<CalendarParts> {
            variant(
                name, about, Anchored(),
                [required("anchor", \Anchored.anchor, dayShape, "A day on which a period starts.")] + common(\Anchored.common),
                make: { CalendarParts(length: make($0.anchor), zone: $0.common.zone, orderTime: $0.common.orderTime) },
                take: { parts in take(parts.length).map { Anchored(common: parts, anchor: $0) } })
        }
        return tagged(
            "length",
            [
                plain("month", "Calendar months.", .month),
                variant(
                    "week", "Seven days.", Week(),
                    [optional("startsOn", \Week.weekday, weekdays, standard: 1, "The first day of a week.")] + common(\Week.common),
                    make: { CalendarParts(length: .week(startWeekday: $0.weekday), zone: $0.common.zone, orderTime: $0.common.orderTime) },
                    take: { if case .week(let weekday) = $0.length { Week(common: $0, weekday: weekday) } else { nil } }),
                anchored("fortnight", "Fourteen days.", { .fortnight(anchor: $0) }) { if case .fortnight(let day) = $0 { day } else { nil } },
                anchored("fourWeeks", "Twenty-eight days.", { .fourWeeks(anchor: $0) }) { if case .fourWeeks(let day) = $0 { day } else { nil } },
                plain("day", "One day.", .day),
            ])
    }
}

private func isUnitShaped(_ text: String) -> Bool {
    let upper = { (text: Substring) in text.utf8.count == 3 && text.utf8.allSatisfy { (65...90).contains($0) } }
    if upper(text[...]) { return true }
    if text.hasPrefix("credit:") { return upper(text.dropFirst(7)) }
    guard let first = text.utf8.first, (97...122).contains(first), text.utf8.count <= 32 else { return false }
    return text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
}

private func isZoneShaped(_ text: String) -> Bool {
    if text == "UTC" { return true }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return false }
    func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    return parts[0].utf8.allSatisfy(isLetter)
        && parts.dropFirst().allSatisfy { $0.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 95 || $0 == 43 || $0 == 45 } }
}
