import Persistence
import Web

/// Erasing the people whom a vendor must have erased, in the event's own transaction: it is done when the event is, or neither is.
extension InboundApplying {
    /// Orders of one request that are looked at.
    private static let ordersMax = 1_000

    func erase(_ erasure: VendorErasure, _ outcome: inout InboundOutcome, in write: Write) throws {
        var people: [PersonID] = []
        func add(_ person: PersonID?) { if let person, !people.contains(person) { people.append(person) } }
        for customer in erasure.customers { add(try person(customer, in: write)) }
        for order in erasure.orders.prefix(Self.ordersMax) {
            guard try references.order(order, on: write.connection) != nil,
                let sale = try SaleStore.find(invoice: order, in: write.workspace.id, on: write.connection)
            else { continue }
            add(try CustomerStore.find(sale.customerID, in: write.workspace.id, on: write.connection)?.personID)
        }
        var isKnownElsewhere = false
        for email in erasure.emails {
            let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
            for (person, isVendors) in try InboundReferenceStore.customers(emailHash: hash, integration.vendor, in: write.workspace.id, on: write.connection) {
                if isVendors { add(person) } else if !people.contains(person) { isKnownElsewhere = true }
            }
        }
        var count: Int64 = 0
        for person in people where try PersonStore.key(of: person, vault: write.vault, on: write.connection) != nil {
            outcome.erased.append(try ErasureStore.erase(person, in: write))
            count += 1
        }
        try write.audit("integration.erase", subject: integration.vendor.rawValue, JSONText(["people": .integer(count)]))
        outcome.note(.handled)
        if isKnownElsewhere {
            (outcome.reasonCode, outcome.reason) = (
                "erasure_elsewhere", "A customer with this mail address is known from elsewhere and was not erased. Decide under Customers."
            )
        } else if people.isEmpty {
            (outcome.reasonCode, outcome.reason) = ("erasure_unknown", "Nobody is known by this id, these orders or this mail address. Look under Customers.")
        }
    }

    private func person(_ customer: String, in write: Write) throws -> PersonID? {
        if let id = try references.find(references.person(customer), on: write.connection)?.customerID {
            return try CustomerStore.find(id, in: write.workspace.id, on: write.connection)?.personID
        }
        let hash = write.vault.lookupHash(write.workspace.id, "customer", references.externalID(customer))
        return try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection)?.personID
    }
}
