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
        var draft = FactsDraft(treeCodes: treeCodes)
        try FactsStore.members(of: program, before: endsAt, on: connection) { draft.note($0) }
        try readSales(into: &draft, on: connection)
        try readRefunds(into: &draft, on: connection)
        try noteBuyers(&draft, on: connection)
        var snapshot = draft.snapshot()
        for (tree, code) in treeCodes.enumerated() {
            try FactsStore.places(in: code, of: program, at: endsAt, on: connection) { member, parent, slot in
                guard let row = snapshot.row(ofMember: member), let parentRow = snapshot.row(ofMember: parent) else { return }
                snapshot.places[tree][row] = FactsSnapshot.Place(parent: Int32(parentRow), slot: Int32(clamping: slot ?? 0))
            }
        }
        return snapshot
    }

    // MARK: Sales and refunds

    private func readSales(into draft: inout FactsDraft, on connection: any Connection) throws {
        try FactsStore.sales(of: program, from: startsAt, until: endsAt, recordedUntil: cutoff, on: connection) { sale in
            guard sale.currency == unit.code else {
                throw Problem.unprocessable(
                    code: "other_currency",
                    detail: "The sale \(sale.invoice) is in \(sale.currency), and the plan pays in \(unit.code). Plans have one currency.")
            }
            guard draft.orders.count < Self.salesMax else {
                throw Problem.unprocessable(code: "too_many_sales", detail: "A period may have at most \(Self.salesMax) sales.")
            }
            let buyer = draft.buyerNumber(sale.customer)
            for (place, part) in SaleParts.of(sale.items, amountMinor: sale.amountMinor, byProduct: readsProducts).enumerated() {
                draft.orders.append(
                    FactsSnapshot.Order(
                        id: sale.id.with(part: place), buyer: buyer, occurredMs: sale.occurredAt.millisecondsSince1970,
                        amountMinor: part.amountMinor, commissionVolume: part.commissionVolume, qualifyingVolume: part.qualifyingVolume,
                        product: draft.product(part.sku), refundOf: nil))
            }
        }
    }

    private func readRefunds(into draft: inout FactsDraft, on connection: any Connection) throws {
        try FactsStore.refunds(of: program, from: startsAt, until: endsAt, recordedUntil: cutoff, on: connection) { refund in
            let buyer = draft.buyerNumber(refund.customer)
            let parts = SaleParts.of(refund.items, amountMinor: refund.saleAmountMinor, byProduct: readsProducts)
            for (place, part) in parts.enumerated() {
                let taken = part.taken(refund.amountMinor, after: refund.refundedBeforeMinor, of: refund.saleAmountMinor)
                guard taken.amountMinor != 0 || taken.commissionVolume != 0 || taken.qualifyingVolume != 0 else { continue }
                draft.orders.append(
                    FactsSnapshot.Order(
                        id: refund.id.with(part: place), buyer: buyer, occurredMs: refund.occurredAt.millisecondsSince1970,
                        amountMinor: -taken.amountMinor, commissionVolume: -taken.commissionVolume, qualifyingVolume: -taken.qualifyingVolume,
                        product: draft.product(part.sku), refundOf: refund.sale.with(part: place)))
            }
        }
    }

    /// Who bought: a member, or a customer below the member who was credited for their first sale.
    private func noteBuyers(_ draft: inout FactsDraft, on connection: any Connection) throws {
        try FactsStore.membersBehindCustomers(of: program, from: startsAt, until: endsAt, on: connection) { customer, member in
            draft.noteBuyer(customer, is: member)
        }
        let others = draft.unknownBuyers
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
