import Chronology
import Money
import Persistence
import Rules
import Web

/// A sale, lead or click of the past with all that a rule looks at, as it was credited then.
struct PastEvent: Sendable {
    var id: String
    /// Nil for clicks.
    var customerID: CustomerID?
    var facts: SaleFacts
    var credited: [CreditedMember]
    var barred: [MemberID: PayBar]
    var refundedMinor: Int64
    var keptMinor: Int64
}

/// A counted click of a member's link.
struct PastClick: Sendable {
    var id: String
    var memberID: MemberID
    var country: String?
    var at: Instant
}

/// Which events of a program in a period rules are worked out on again: their ids alone, so that there may be many. Reads only.
struct PastFacts: Sendable {
    /// How many events are looked at: the newest.
    struct Limits: Sendable {
        /// Sales and leads together.
        var eventsMax = 50_000
        var clicksMax = 100_000
        /// Events that are read at once.
        var chunk = 500
    }

    struct Key: Sendable {
        var id: String
        var isLead: Bool
        var occurredAt: Instant
        var recordedAt: Instant
    }

    var days: ClosedRange<LocalDay>
    var from: Instant
    var until: Instant
    /// Whether the days are a whole month that has passed.
    var isWholeMonth: Bool
    /// In the order in which they were told, as they were paid; what was told at once (an import) in the order in which it happened.
    var keys: [Key]
    /// How many there were.
    var total: Int64
    /// Counted clicks of members' links, where a rule asks for them.
    var clicksTotal: Int64
    var limits: Limits

    var isEmpty: Bool { total == 0 && clicksTotal == 0 }

    /// What the rules in question ask for: the rest is not looked up.
    struct Wanted: Sendable {
        var depth = 0
        var leads = false
        var clicks = false
        var firstSales = false
        var totals = false
        var metadata = false
        var codes = false
        var members: MemberFacts.Wanted

        init(_ rules: [CommissionRule]) {
            depth = rules.map(\.level).max() ?? 0
            leads = rules.contains { $0.event == .lead }
            clicks = rules.contains { $0.event == .click }
            members = MemberFacts.Wanted(rules.map(\.conditions))
            for rule in rules {
                if rule.months != .none { firstSales = true }
                for leaf in rule.conditions.leaves {
                    switch leaf.field {
                    case .monthsSinceFirstSale: firstSales = true
                    case .memberTotal: totals = true
                    case .metadata: metadata = true
                    case .couponUsed: codes = true
                    default: break
                    }
                }
            }
        }
    }

    /// The month before this one; when nothing happened in it, this month so far.
    static func lastMonth(
        of program: Program, _ wanted: Wanted, limits: Limits, at now: Instant, on connection: any Connection
    ) throws -> PastFacts {
        let today = program.zone.day(of: now)
        let first = LocalDay(year: today.year, month: today.month, day: 1) ?? today
        let past = (try? first.adding(months: -1)) ?? first
        let before = try load(program, past...first.plus(days: -1), isWholeMonth: true, wanted, limits, on: connection)
        return before.isEmpty ? try load(program, first...today, isWholeMonth: false, wanted, limits, on: connection) : before
    }

    private static func load(
        _ program: Program, _ days: ClosedRange<LocalDay>, isWholeMonth: Bool, _ wanted: Wanted, _ limits: Limits, on connection: any Connection
    ) throws -> PastFacts {
        let from = program.zone.start(of: days.lowerBound)
        let until = program.zone.start(of: days.upperBound.plus(days: 1))
        var total = try PastFactsStore.count("sale", of: program, from: from, until: until, on: connection)
        var keys = try PastFactsStore.keys("sale", of: program, from: from, until: until, limit: limits.eventsMax, on: connection)
        if wanted.leads {
            total += try PastFactsStore.count("lead", of: program, from: from, until: until, on: connection)
            keys += try PastFactsStore.keys("lead", of: program, from: from, until: until, limit: limits.eventsMax, on: connection)
        }
        keys = keys.sorted { ($0.occurredAt, $0.id) < ($1.occurredAt, $1.id) }.suffix(limits.eventsMax)
            .sorted { ($0.recordedAt, $0.occurredAt, $0.id) < ($1.recordedAt, $1.occurredAt, $1.id) }
        return PastFacts(
            days: days, from: from, until: until, isWholeMonth: isWholeMonth, keys: keys, total: total,
            clicksTotal: wanted.clicks ? try PastFactsStore.clicks(of: program, days, on: connection) : 0, limits: limits)
    }

    /// Works through the sales and leads, a chunk at a time: no more than that is held at once.
    func forEach(
        of program: Program, _ wanted: Wanted, vault: Vault, on connection: any Connection, _ body: (PastEvent) throws -> Void
    ) throws {
        var reading = PastReading(program: program, wanted: wanted, from: from, vault: vault, connection: connection)
        var start = 0
        while start < keys.count {
            let part = keys[start..<min(start + limits.chunk, keys.count)]
            start += limits.chunk
            var rows: [String: PastFactsStore.Row] = [:]
            for row in try PastFactsStore.sales(part.filter { !$0.isLead }.map(\.id), on: connection) { rows[row.id] = row }
            for row in try PastFactsStore.leads(part.filter(\.isLead).map(\.id), of: program, on: connection) { rows[row.id] = row }
            try reading.know(Set(rows.values.map(\.customerID)).sorted())
            for key in part {
                if let row = rows[key.id], let event = try reading.event(row) { try body(event) }
            }
        }
    }

    /// The clicks, in their order.
    func forEach(
        _ clicks: [PastClick], of program: Program, _ wanted: Wanted, vault: Vault, on connection: any Connection, _ body: (PastEvent) throws -> Void
    ) throws {
        var reading = PastReading(program: program, wanted: wanted, from: from, vault: vault, connection: connection)
        for click in clicks {
            if let event = try reading.event(click) { try body(event) }
        }
    }
}
