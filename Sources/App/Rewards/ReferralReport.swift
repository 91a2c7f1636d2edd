import Chronology
import Money
import Persistence
import Rules
import Web

/// What referrals brought a program month by month, and what both sides got for it.
struct ReferralReport: Sendable {
    static let monthsMax: Int64 = 24
    static let monthsUsual: Int64 = 6

    /// Orders that are credited to somebody.
    struct Brought: Sendable, Hashable {
        var sharers: Int64 = 0
        /// Buyers for the first time.
        var newFriends: Int64 = 0
        var orders: Int64 = 0
        /// In the program's currency, without what came back.
        var revenueMinor: Int64 = 0
    }

    /// What a side got of one kind.
    struct Given: Sendable, Hashable {
        var side: Reward.Side
        /// money, credit, points, or the kind of a thing.
        var kind: String
        /// What `amountMinor` is in; of a thing the currency of its value.
        var unit: String
        /// Those that stand, whether waiting or given.
        var count: Int64 = 0
        var amountMinor: Int64 = 0
        /// Of these, not yet given.
        var waiting: Int64 = 0
        /// Taken back, refused or lapsed.
        var undone: Int64 = 0
    }

    struct Month: Sendable {
        var first: LocalDay
        var brought: Brought
        var given: [Given]

        /// What a side cost in the program's currency: money, credit, and things at their value.
        func costMinor(_ side: Reward.Side, currency: String) -> Int64 {
            given.filter { $0.side == side && ($0.unit == currency || $0.unit == "credit:\(currency)") }.reduce(0) { $0 &+ $1.amountMinor }
        }
    }

    var programID: ProgramID
    var currency: String
    /// The newest first.
    var months: [Month]

    static func load(_ program: Program, months: Int64, at now: Instant, on connection: any Connection) throws -> ReferralReport {
        let today = program.zone.day(of: now)
        let current = LocalDay(year: today.year, month: today.month, day: 1) ?? today
        let friendRules = Set(
            try RuleStore.all(of: program.id, on: connection).filter { $0.terms.recipient == .friend }.map { "\($0.id.text)/\($0.terms.version)" })
        var found: [Month] = []
        for back in 0..<months {
            guard let first = try? current.adding(months: -back), let next = try? first.adding(months: 1) else { break }
            let span = program.zone.start(of: first)..<program.zone.start(of: next)
            found.append(
                Month(
                    first: first, brought: try ReferralReportStore.brought(program, span, on: connection),
                    given: try given(program, span, friendRules: friendRules, on: connection)))
        }
        return ReferralReport(programID: program.id, currency: program.currency, months: found)
    }

    private static func given(_ program: Program, _ span: Range<Instant>, friendRules: Set<String>, on connection: any Connection) throws -> [Given] {
        var sums: [[String]: Given] = [:]
        func add(_ given: Given) {
            let key = [given.side.rawValue, given.kind, given.unit]
            guard var known = sums[key] else {
                sums[key] = given
                return
            }
            known.count &+= given.count
            known.amountMinor &+= given.amountMinor
            known.waiting &+= given.waiting
            known.undone &+= given.undone
            sums[key] = known
        }
        for part in try ReferralReportStore.commissions(program.id, in: program.workspaceID, span, on: connection) {
            guard let unit = try? UnitCode(part.unit) else { continue }
            let kind =
                switch unit.kind {
                case .currency: "money"
                case .credit: "credit"
                case .points: "points"
                }
            add(part.given(friendRules.contains("\(part.rule)/\(part.version)") ? .friend : .member, kind: kind))
        }
        for given in try ReferralReportStore.rewards(program.id, span, on: connection) { add(given) }
        if let given = try ReferralReportStore.discounts(program, span, on: connection) { add(given) }
        return sums.values.sorted { ($0.side.rawValue, $0.kind, $0.unit) > ($1.side.rawValue, $1.kind, $1.unit) }
    }

    /// All months together.
    var total: [Given] {
        var sums: [[String]: Given] = [:]
        for given in months.flatMap(\.given) {
            var sum = sums[[given.side.rawValue, given.kind, given.unit]] ?? Given(side: given.side, kind: given.kind, unit: given.unit)
            sum.count &+= given.count
            sum.amountMinor &+= given.amountMinor
            sum.waiting &+= given.waiting
            sum.undone &+= given.undone
            sums[[given.side.rawValue, given.kind, given.unit]] = sum
        }
        return sums.values.sorted { ($0.side.rawValue, $0.kind, $0.unit) > ($1.side.rawValue, $1.kind, $1.unit) }
    }
}

extension ReferralReport {
    var json: JSONValue {
        [
            "programId": .text(programID.text), "currency": .text(currency),
            "months": .array(
                months.map { month in
                    let (member, friend) = (month.costMinor(.member, currency: currency), month.costMinor(.friend, currency: currency))
                    return [
                        "month": .text(String(month.first.iso8601.prefix(7))), "sharers": .integer(month.brought.sharers),
                        "newFriends": .integer(month.brought.newFriends), "orders": .integer(month.brought.orders),
                        "revenue": .integer(month.brought.revenueMinor), "memberCost": .integer(member), "friendCost": .integer(friend),
                        "costPerNewFriend": month.brought.newFriends > 0 ? .integer((member &+ friend) / month.brought.newFriends) : .null,
                        "given": .array(month.given.map(\.json)),
                    ]
                }),
        ]
    }

    static let schema = APISchema.object([
        .required("programId", .text), .required("currency", .text),
        .required(
            "months",
            .array(
                .object([
                    .required("month", .text), .required("sharers", .integer()), .required("newFriends", .integer()), .required("orders", .integer()),
                    .required("revenue", .described(.integer(), description: "Of credited orders, in the program's currency, without what came back.")),
                    .required("memberCost", .described(.integer(), description: "Money, store credit and things at their value, on the side of who shared.")),
                    .required("friendCost", .integer()), .required("costPerNewFriend", .nullable(.integer())), .required("given", .array(Given.schema)),
                ]))),
    ])
}

extension ReferralReport.Given {
    var json: JSONValue {
        [
            "side": .text(side.rawValue), "kind": .text(kind), "unit": .text(unit), "count": .integer(count), "amount": .integer(amountMinor),
            "waiting": .integer(waiting), "undone": .integer(undone),
        ]
    }

    static let schema = APISchema.object([
        .required("side", .enumeration(Reward.Side.allCases.map(\.rawValue))), .required("kind", .text), .required("unit", .text), .required("count", .integer()),
        .required("amount", .integer()), .required("waiting", .integer()), .required("undone", .integer()),
    ])
}
