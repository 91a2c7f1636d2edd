import Chronology
import Crypto
import Money
import Persistence
import Rules
import Web

/// Turns stored rows into facts, remembering what several of them share.
struct PastReading {
    let program: Program
    let wanted: PastFacts.Wanted
    let from: Instant
    let vault: Vault
    let connection: any Connection
    /// Members who share a mailbox, address, device or payment means with a customer.
    private var buyers: [CustomerID: Set<MemberID>] = [:]
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

    /// Looks up what several events of a chunk ask for.
    mutating func know(_ customers: [CustomerID]) throws {
        buyers = try PastFactsStore.buyers(behind: customers, on: connection)
    }

    mutating func event(_ click: PastClick) throws -> PastEvent? {
        guard let currency = Currency(code: program.currency) else { return nil }
        var facts = SaleFacts(
            event: .click, occurredAt: click.at, programCurrency: currency, currency: currency, amount: .zero, country: click.country)
        try MemberFacts.load(wanted.members, of: [click.memberID], in: program.id, at: click.at, on: connection).add(to: &facts)
        return PastEvent(
            id: click.id, customerID: nil, facts: facts,
            credited: [CreditedMember(memberID: click.memberID.text, share: .whole)], barred: try bars([click.memberID], nil), refundedMinor: 0,
            keptMinor: 0)
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
        var facts = SaleFacts(
            event: row.isLead ? .lead : .sale, occurredAt: row.occurredAt, programCurrency: currency, currency: row.currency,
            amount: Amount(minor: row.amountMinor), country: row.country,
            couponUsed: wanted.codes && row.couponUsed ? try PastFactsStore.code(of: row.id, customer: row.customerID, on: connection) ?? "" : nil,
            customerIsNew: row.isLead || row.saleNumber == 1, saleNumber: row.saleNumber, monthsSinceFirstSale: try months(row),
            items: row.items.map { SaleItem(sku: $0.sku, category: $0.category, quantity: $0.quantity, amount: Amount(minor: $0.amountMinor)) },
            metadata: try metadata(row), memberTotals: try totals(people))
        try MemberFacts.load(wanted.members, of: people, in: program.id, at: row.occurredAt, on: connection).add(to: &facts)
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

    private mutating func bars(_ people: [MemberID], _ customer: CustomerID?) throws -> [MemberID: PayBar] {
        let unknown = people.filter { statuses[$0] == nil }
        for (id, member) in try MemberStore.find(unknown, on: connection) {
            statuses[id] = member.status == .active || member.status == .inactive
        }
        var bars: [MemberID: PayBar] = [:]
        if let customer, let own = buyers[customer] {
            for member in people where own.contains(member) { bars[member] = .ownPurchase }
        }
        for member in people where statuses[member] == false { bars[member] = .memberNotActive }
        return bars
    }
}
