import Chronology
import Crypto
import Money
import Persistence
import Rules
import Web

/// A sale or lead of the past with all that a rule looks at, as it was credited then.
struct PastEvent: Sendable {
    var id: String
    var customerID: CustomerID
    var facts: SaleFacts
    var credited: [CreditedMember]
    var barred: [MemberID: PayBar]
    var refundedMinor: Int64
    var keptMinor: Int64
}

/// The sales and leads of a program in a period, to work rules out on again. Reads only.
struct PastFacts: Sendable {
    /// Events that are looked at.
    static let eventsMax = 5_000

    var days: ClosedRange<LocalDay>
    var from: Instant
    var until: Instant
    /// Whether the days are a whole month that has passed.
    var isWholeMonth: Bool
    var events: [PastEvent]
    /// There were more than `eventsMax`.
    var isCut: Bool

    /// What the rules in question ask for: the rest is not looked up.
    struct Wanted: Sendable {
        var depth = 0
        var leads = false
        var firstSales = false
        var totals = false
        var metadata = false
        var codes = false

        init(_ rules: [CommissionRule]) {
            depth = rules.map(\.level).max() ?? 0
            leads = rules.contains { $0.event == .lead }
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
    static func lastMonth(of program: Program, _ wanted: Wanted, at now: Instant, vault: Vault, on connection: any Connection) throws -> PastFacts {
        let today = program.zone.day(of: now)
        let first = LocalDay(year: today.year, month: today.month, day: 1) ?? today
        let past = (try? first.adding(months: -1)) ?? first
        let before = try load(program, past...first.plus(days: -1), isWholeMonth: true, wanted, vault: vault, on: connection)
        if !before.events.isEmpty { return before }
        return try load(program, first...today, isWholeMonth: false, wanted, vault: vault, on: connection)
    }

    private static func load(
        _ program: Program, _ days: ClosedRange<LocalDay>, isWholeMonth: Bool, _ wanted: Wanted, vault: Vault, on connection: any Connection
    ) throws -> PastFacts {
        let from = program.zone.start(of: days.lowerBound)
        let until = program.zone.start(of: days.upperBound.plus(days: 1))
        var rows = try PastFactsStore.sales(of: program.id, from: from, until: until, limit: eventsMax + 1, on: connection)
        if wanted.leads {
            rows += try PastFactsStore.leads(of: program, from: from, until: until, limit: eventsMax + 1, on: connection)
        }
        let isCut = rows.count > eventsMax
        // In the order in which they were told, as they were paid; what was told at once (an import) in the order in which it happened.
        rows = rows.sorted { ($0.recordedAt, $0.occurredAt, $0.id) < ($1.recordedAt, $1.occurredAt, $1.id) }.prefix(eventsMax).map { $0 }
        var reading = Reading(program: program, wanted: wanted, from: from, vault: vault, connection: connection)
        return PastFacts(
            days: days, from: from, until: until, isWholeMonth: isWholeMonth, events: try rows.compactMap { try reading.event($0) }, isCut: isCut)
    }
}

/// Turns stored rows into facts, remembering what several of them share.
private struct Reading {
    let program: Program
    let wanted: PastFacts.Wanted
    let from: Instant
    let vault: Vault
    let connection: any Connection
    private var enrollers: [MemberID: [MemberID]] = [:]
    private var statuses: [MemberID: Bool] = [:]
    private var firstSales: [CustomerID: Instant] = [:]
    private var codeRates: [LinkID: Rate?] = [:]
    private var sold: [String: [String: Int64]] = [:]

    init(program: Program, wanted: PastFacts.Wanted, from: Instant, vault: Vault, connection: any Connection) {
        self.program = program
        self.wanted = wanted
        self.from = from
        self.vault = vault
        self.connection = connection
    }

    mutating func event(_ row: PastFactsStore.Row) throws -> PastEvent? {
        guard let currency = Currency(code: program.currency) else { return nil }
        let attribution = row.attribution.value
        var rates: [String: Rate] = [:]
        for touch in attribution["touches"]?.elements ?? [] {
            guard let id = touch["touchId"]?.string, ["friendCode", "coupon"].contains(touch["kind"]?.string),
                let link = touch["linkId"]?.string.flatMap({ LinkID($0) })
            else { continue }
            rates[id] = try codeRate(of: link)
        }
        var credited: [CreditedMember] = []
        for share in attribution["shares"]?.elements ?? [] {
            guard let member = share["memberId"]?.string.flatMap({ MemberID($0) }), let ppm = share["sharePpm"]?.int64.flatMap({ SharePPM(ppm: Int($0)) })
            else { continue }
            credited.append(
                CreditedMember(
                    memberID: member.text, share: ppm, enrollerIDs: try above(member).map(\.text),
                    rateOverride: share["touchId"]?.string.flatMap { rates[$0] }))
        }
        let people = Array(Set(credited.flatMap { [$0.memberID] + $0.enrollerIDs })).sorted().map { MemberID(stored: $0) }
        let kept = row.amountMinor - row.refundedMinor
        let facts = SaleFacts(
            event: row.isLead ? .lead : .sale, occurredAt: row.occurredAt, programCurrency: currency, currency: row.currency,
            amount: Amount(minor: row.amountMinor), country: row.country,
            couponUsed: wanted.codes && row.couponUsed ? try PastFactsStore.code(of: row.id, customer: row.customerID, on: connection) ?? "" : nil,
            customerIsNew: row.isLead || row.saleNumber == 1, saleNumber: row.saleNumber, monthsSinceFirstSale: try months(row),
            items: row.items.map { SaleItem(sku: $0.sku, category: $0.category, quantity: $0.quantity, amount: Amount(minor: $0.amountMinor)) },
            metadata: try metadata(row), memberTotals: try totals(people))
        if wanted.totals, row.currency == currency {
            for id in Set(credited.map(\.memberID)) {
                sold[id, default: [:]]["sales", default: 0] += 1
                sold[id, default: [:]]["amount", default: 0] += kept
            }
        }
        return PastEvent(
            id: row.id, customerID: row.customerID, facts: facts, credited: credited, barred: try bars(people, row.customerID),
            refundedMinor: row.refundedMinor, keptMinor: kept)
    }

    private mutating func above(_ member: MemberID) throws -> [MemberID] {
        guard wanted.depth > 0 else { return [] }
        if let known = enrollers[member] { return known }
        let found = try MemberStore.enrollers(above: member, limit: wanted.depth, on: connection)
        enrollers[member] = found
        return found
    }

    private mutating func codeRate(of link: LinkID) throws -> Rate? {
        if let known = codeRates[link] { return known }
        let rate = try LinkStore.codeTerms([link], on: connection)[link]?.rate
        codeRates[link] = .some(rate)
        return rate
    }

    private mutating func months(_ row: PastFactsStore.Row) throws -> Int64 {
        guard wanted.firstSales, !row.isLead else { return 0 }
        let first: Instant
        if let known = firstSales[row.customerID] {
            first = known
        } else {
            first = try SaleStore.firstSaleAt(of: row.customerID, in: program.id, on: connection) ?? row.occurredAt
            firstSales[row.customerID] = first
        }
        return program.zone.day(of: first).wholeMonths(until: program.zone.day(of: row.occurredAt))
    }

    private func metadata(_ row: PastFactsStore.Row) throws -> [String: FactValue] {
        guard wanted.metadata, let sealed = row.metadataSealed,
            let customer = try CustomerStore.find([row.customerID], on: connection)[row.customerID],
            let key = try PersonStore.key(of: customer.personID, vault: vault, on: connection)
        else { return [:] }
        let plain = try Vault.open(sealed, under: key, for: row.id)
        guard case .object(let members)? = try? JSONValue.parse(plain, maximumBytes: 1_000_000) else { return [:] }
        return Dictionary(members.compactMap { member in member.value.fact.map { (member.name, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    /// What members had brought before: all before the period, then event by event.
    private mutating func totals(_ people: [MemberID]) throws -> [String: [String: Int64]] {
        guard wanted.totals else { return [:] }
        let unknown = people.filter { sold[$0.text] == nil }
        let before = try CreditStore.totals(of: unknown, in: program, until: from, on: connection)
        for id in unknown { sold[id.text] = before[id.text] ?? ["sales": 0, "amount": 0] }
        return Dictionary(people.map { ($0.text, sold[$0.text] ?? [:]) }, uniquingKeysWith: { first, _ in first })
    }

    private mutating func bars(_ people: [MemberID], _ customer: CustomerID) throws -> [MemberID: PayBar] {
        let unknown = people.filter { statuses[$0] == nil }
        for (id, member) in try MemberStore.find(unknown, on: connection) {
            statuses[id] = member.status == .active || member.status == .inactive
        }
        var bars: [MemberID: PayBar] = [:]
        for member in try MemberStore.buyers(behind: customer, among: people, on: connection) { bars[member] = .ownPurchase }
        for member in people where statuses[member] == false { bars[member] = .memberNotActive }
        return bars
    }
}

enum PastFactsStore {
    struct Row: Sendable {
        var id: String
        var isLead = false
        var customerID: CustomerID
        var amountMinor: Int64
        var currency: Currency
        var saleNumber: Int64
        var country: String?
        var couponUsed: Bool
        var items: [Sale.Item]
        var refundedMinor: Int64
        var attribution: JSONText
        var occurredAt: Instant
        var recordedAt: Instant
        var metadataSealed: [UInt8]?
    }

    static func sales(of program: ProgramID, from: Instant, until: Instant, limit: Int, on connection: any Connection) throws -> [Row] {
        try connection.rows(
            """
            SELECT id, customer_id, amount, currency, sale_number, country, coupon_used, items, refunded_amount, attribution, occurred_at,
                recorded_at, metadata_sealed
            FROM sale WHERE program_id = \(program) AND occurred_at >= \(from) AND occurred_at < \(until) ORDER BY occurred_at, id LIMIT \(limit)
            """
        ).compactMap { row in
            guard let currency = Currency(code: try row.get(at: 3)) else { return nil }
            return Row(
                id: try row.get(at: 0), customerID: try row.get(at: 1), amountMinor: try row.get(at: 2), currency: currency,
                saleNumber: try row.get(at: 4), country: try row.get(at: 5), couponUsed: try row.get(at: 6),
                items: try Sale.Item.list(row.get(at: 7, as: String.self)), refundedMinor: try row.get(at: 8),
                attribution: JSONText(text: try row.get(at: 9)), occurredAt: try row.get(at: 10), recordedAt: try row.get(at: 11),
                metadataSealed: try row.get(at: 12))
        }
    }

    static func leads(of program: Program, from: Instant, until: Instant, limit: Int, on connection: any Connection) throws -> [Row] {
        guard let currency = Currency(code: program.currency) else { return [] }
        return try connection.rows(
            """
            SELECT id, customer_id, attribution, occurred_at, recorded_at, metadata_sealed FROM lead
            WHERE workspace_id = \(program.workspaceID) AND occurred_at >= \(from) AND occurred_at < \(until) AND program_id = \(program.id)
                AND counted_at IS NOT NULL
            ORDER BY occurred_at, id LIMIT \(limit)
            """
        ).map { row in
            Row(
                id: try row.get(at: 0), isLead: true, customerID: try row.get(at: 1), amountMinor: 0, currency: currency, saleNumber: 1,
                country: nil, couponUsed: false, items: [], refundedMinor: 0, attribution: JSONText(text: try row.get(at: 2)),
                occurredAt: try row.get(at: 3), recordedAt: try row.get(at: 4), metadataSealed: try row.get(at: 5))
        }
    }

    /// The code that was used with a sale.
    static func code(of sale: String, customer: CustomerID, on connection: any Connection) throws -> String? {
        let code: String? = try connection.row(
            """
            SELECT l.code_folded FROM touch t JOIN link l ON l.id = t.link_id
            WHERE t.customer_id = \(customer) AND t.cause_id = \(sale) AND t.kind IN ('friendCode', 'coupon') ORDER BY t.at DESC LIMIT 1
            """)?.get(at: 0)
        return code
    }

    /// What a rule gave since an instant, by member and customer: what is left of it, and how often.
    static func given(
        by rule: RuleID, in workspace: WorkspaceID, since: Instant, on connection: any Connection
    ) throws -> [(member: MemberID, customer: CustomerID?, occurredAt: Instant, keptMinor: Int64)] {
        try connection.rows(
            """
            SELECT c.member_id, s.customer_id, c.occurred_at, c.amount - c.reversed_amount FROM commission c LEFT JOIN sale s ON s.id = c.sale_id
            WHERE c.workspace_id = \(workspace) AND c.occurred_at >= \(since) AND c.rule_id = \(rule)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2), try $0.get(at: 3)) }
    }
}
