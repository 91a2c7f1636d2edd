import Chronology
import Compensation
import Money
import Persistence
import Web

/// Reads the facts of one period out of a program's members, sales and refunds, in one consistent snapshot of the database.
struct FactsReading {
    /// Sales of a period at most.
    static let salesMax = 50_000_000
    private static let batch = 500

    let program: Program
    let unit: UnitCode
    let startsAt: Instant
    let endsAt: Instant
    /// Facts recorded later are left out.
    let cutoff: Instant
    let treeCodes: [String]
    /// Whether sales of several products are told apart.
    let readsProducts: Bool

    func snapshot(on connection: any Connection) throws -> FactsSnapshot {
        var draft = Draft(treeCodes: treeCodes)
        try FactsStore.members(of: program, before: endsAt, on: connection) { draft.note($0) }
        let sales = try sales(on: connection)
        let refunds = try refunds(on: connection)
        try noteBuyers(sales.map(\.customer) + refunds.map(\.customer), &draft, on: connection)
        var snapshot = draft.snapshot()
        for (tree, code) in treeCodes.enumerated() {
            try FactsStore.places(in: code, of: program, at: endsAt, on: connection) { member, parent, slot in
                guard let row = snapshot.row(ofMember: member), let parentRow = snapshot.row(ofMember: parent) else { return }
                snapshot.places[tree][row] = FactsSnapshot.Place(parent: Int32(parentRow), slot: Int32(clamping: slot ?? 0))
            }
        }
        try add(sales, refunds, draft, to: &snapshot)
        return snapshot
    }

    // MARK: Sales and refunds

    private func sales(on connection: any Connection) throws -> [FactsStore.SaleRow] {
        var sales: [FactsStore.SaleRow] = []
        try FactsStore.sales(of: program, from: startsAt, until: endsAt, recordedUntil: cutoff, on: connection) { sale in
            guard sale.currency == unit.code else {
                throw Problem.unprocessable(
                    code: "other_currency",
                    detail: "The sale \(sale.invoice) is in \(sale.currency), and the plan pays in \(unit.code). Plans have one currency.")
            }
            guard sales.count < Self.salesMax else {
                throw Problem.unprocessable(code: "too_many_sales", detail: "A period may have at most \(Self.salesMax) sales.")
            }
            sales.append(sale)
        }
        return sales
    }

    private func refunds(on connection: any Connection) throws -> [FactsStore.RefundRow] {
        var refunds: [FactsStore.RefundRow] = []
        try FactsStore.refunds(of: program, from: startsAt, until: endsAt, recordedUntil: cutoff, on: connection) { refunds.append($0) }
        return refunds
    }

    /// Who bought: a member, or a customer below the member who was credited for their first sale.
    private func noteBuyers(_ customers: [PackedID], _ draft: inout Draft, on connection: any Connection) throws {
        try FactsStore.membersBehindCustomers(of: program, from: startsAt, until: endsAt, on: connection) { customer, member in
            draft.noteBuyer(customer, is: member)
        }
        let others = draft.unknownBuyers(customers)
        for first in stride(from: 0, to: others.count, by: Self.batch) {
            let part = Array(others[first..<min(first + Self.batch, others.count)])
            let known = try FactsStore.firstCredits(of: part.map(\.text), in: program, before: endsAt, recordedUntil: cutoff, on: connection)
            for customer in part {
                let found = known[customer.text]
                draft.noteCustomer(
                    customer, enroller: found?.member, joinedAt: found?.firstAt ?? startsAt, hasEarlierOrders: (found?.firstAt ?? startsAt) < startsAt)
            }
        }
    }

    private func add(
        _ sales: [FactsStore.SaleRow], _ refunds: [FactsStore.RefundRow], _ draft: Draft, to snapshot: inout FactsSnapshot
    ) throws {
        var products: [String: Int32] = [:]
        func product(_ sku: String?) -> Int32 {
            guard let sku else { return -1 }
            if let known = products[sku] { return known }
            let number = Int32(products.count)
            products[sku] = number
            snapshot.products.append(sku)
            return number
        }
        func row(_ customer: PackedID) throws -> Int32 {
            guard let row = snapshot.row(ofMember: draft.buyer(customer)) else {
                throw Problem.unprocessable(code: "unknown_buyer", detail: "The buyer \(customer.text) is not among the facts of the period.")
            }
            return Int32(row)
        }
        for sale in sales {
            let buyer = try row(sale.customer)
            for (place, part) in SaleParts.of(sale.items, amountMinor: sale.amountMinor, byProduct: readsProducts).enumerated() {
                snapshot.orders.append(
                    FactsSnapshot.Order(
                        id: sale.id.with(part: place), buyer: buyer, occurredMs: sale.occurredAt.millisecondsSince1970,
                        amountMinor: part.amountMinor, commissionVolume: part.commissionVolume, qualifyingVolume: part.qualifyingVolume,
                        product: product(part.sku), refundOf: nil))
            }
        }
        for refund in refunds {
            let buyer = try row(refund.customer)
            let parts = SaleParts.of(refund.items, amountMinor: refund.saleAmountMinor, byProduct: readsProducts)
            for (place, part) in parts.enumerated() {
                let taken = part.taken(refund.amountMinor, after: refund.refundedBeforeMinor, of: refund.saleAmountMinor)
                guard taken.amountMinor != 0 || taken.commissionVolume != 0 || taken.qualifyingVolume != 0 else { continue }
                snapshot.orders.append(
                    FactsSnapshot.Order(
                        id: refund.id.with(part: place), buyer: buyer, occurredMs: refund.occurredAt.millisecondsSince1970,
                        amountMinor: -taken.amountMinor, commissionVolume: -taken.commissionVolume, qualifyingVolume: -taken.qualifyingVolume,
                        product: product(part.sku), refundOf: refund.sale.with(part: place)))
            }
        }
        snapshot.orders.sort { $0.id < $1.id }
    }
}

/// A sale, or the part of it that is one product.
struct SaleParts: Sendable, Hashable {
    var sku: String?
    var amountMinor: Int64
    var commissionVolume: Int64
    var qualifyingVolume: Int64

    /// Items without volumes count their amount. Without items the sale is one part; what a sale costs beside its items (shipping) is
    /// money of its first part, and no volume.
    static func of(_ items: [Sale.Item], amountMinor: Int64, byProduct: Bool) -> [SaleParts] {
        guard !items.isEmpty else {
            return [SaleParts(sku: nil, amountMinor: amountMinor, commissionVolume: amountMinor, qualifyingVolume: amountMinor)]
        }
        var parts: [SaleParts] = []
        for item in items {
            let sku = byProduct ? item.sku : nil
            if let known = parts.firstIndex(where: { $0.sku == sku }) {
                parts[known].add(item)
            } else {
                var part = SaleParts(sku: sku, amountMinor: 0, commissionVolume: 0, qualifyingVolume: 0)
                part.add(item)
                parts.append(part)
            }
        }
        parts[0].amountMinor &+= amountMinor &- parts.reduce(0) { $0 &+ $1.amountMinor }
        if !byProduct, let sku = items.first?.sku, items.allSatisfy({ $0.sku == sku }) { parts[0].sku = sku }
        return parts
    }

    private mutating func add(_ item: Sale.Item) {
        amountMinor &+= item.amountMinor
        commissionVolume &+= item.commissionVolume ?? item.amountMinor
        qualifyingVolume &+= item.qualifyingVolume ?? item.amountMinor
    }

    /// What a refund takes of this part: in proportion, so that partial refunds add up to the part exactly.
    func taken(_ refunded: Int64, after before: Int64, of whole: Int64) -> SaleParts {
        func share(_ value: Int64) -> Int64 {
            guard whole > 0 else { return value }
            return SaleParts.proportion(value, before &+ refunded, whole) &- SaleParts.proportion(value, before, whole)
        }
        return SaleParts(
            sku: sku, amountMinor: share(amountMinor), commissionVolume: share(commissionVolume), qualifyingVolume: share(qualifyingVolume))
    }

    private static func proportion(_ value: Int64, _ part: Int64, _ whole: Int64) -> Int64 {
        Int64(clamping: Int128(value) * Int128(part) / Int128(whole))
    }
}

/// Members and buyers while they are gathered.
private struct Draft {
    private struct Known {
        var member: FactsSnapshot.Member
        var enroller: PackedID?
        var isEnrolled: Bool
        var attributes: [String?]
    }

    private let treeCodes: [String]
    private var known: [PackedID: Known] = [:]
    private var buyers: [PackedID: PackedID] = [:]
    private var customers: [PackedID: Known] = [:]

    init(treeCodes: [String]) { self.treeCodes = treeCodes }

    mutating func note(_ row: FactsStore.MemberRow) {
        known[row.id] = Known(
            member: FactsSnapshot.Member(
                id: row.id, isPromoter: row.isPromoter, status: row.status.rawValue, joinedMs: row.joinedAt.millisecondsSince1970, enroller: -1,
                hasEarlierOrders: false),
            enroller: row.enroller, isEnrolled: row.isEnrolled, attributes: [row.country, row.group, row.stage])
    }

    mutating func noteBuyer(_ customer: PackedID, is member: PackedID) {
        guard known[member]?.isEnrolled ?? false else { return }
        if let before = buyers[customer], before < member { return }
        buyers[customer] = member
    }

    func unknownBuyers(_ all: [PackedID]) -> [PackedID] {
        var seen = Set<PackedID>()
        return all.filter { buyers[$0] == nil && seen.insert($0).inserted }.sorted()
    }

    mutating func noteCustomer(_ id: PackedID, enroller: PackedID?, joinedAt: Instant, hasEarlierOrders: Bool) {
        customers[id] = Known(
            member: FactsSnapshot.Member(
                id: id, isPromoter: false, status: Compensation.MemberStatus.active.rawValue, joinedMs: joinedAt.millisecondsSince1970,
                enroller: -1, hasEarlierOrders: hasEarlierOrders),
            enroller: enroller, isEnrolled: true, attributes: [nil, nil, nil])
    }

    func buyer(_ customer: PackedID) -> PackedID { buyers[customer] ?? customer }

    /// Members of the program only; who was introduced from outside of it stands below the nearest enroller inside.
    func snapshot() -> FactsSnapshot {
        var snapshot = FactsSnapshot()
        snapshot.treeCodes = treeCodes
        let all = (known.values.filter(\.isEnrolled) + Array(customers.values)).sorted { $0.member.id < $1.member.id }
        snapshot.members = all.map(\.member)
        snapshot.places = treeCodes.map { _ in Array(repeating: .none, count: all.count) }
        var values: [String: Int32] = [:]
        for (row, entry) in all.enumerated() {
            var next = entry.enroller
            var stepsLeft = known.count
            while let id = next, stepsLeft > 0 {
                if let found = snapshot.row(ofMember: id) {
                    snapshot.members[row].enroller = Int32(found)
                    break
                }
                next = known[id]?.enroller
                stepsLeft -= 1
            }
            for (name, value) in entry.attributes.enumerated() {
                guard let value else {
                    snapshot.attributes[name].append(-1)
                    continue
                }
                let number = values[value] ?? Int32(values.count)
                if values[value] == nil {
                    values[value] = number
                    snapshot.attributeValues.append(value)
                }
                snapshot.attributes[name].append(number)
            }
        }
        return snapshot
    }
}
