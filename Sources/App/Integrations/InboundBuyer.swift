import Chronology
import Persistence
import Web

/// Who bought and what brought them, as far as it is known here: what the event says, filled with what earlier events said.
struct InboundBuyer: Sendable, Equatable {
    var externalID: String
    var clickID: String?
    var code: String?
    /// Somebody said who this is: the event itself or one before.
    var isKnown: Bool

    /// What a sale or lead knows of its buyer before anything is looked up.
    struct Told: Sendable {
        var customer: String?
        var identities: [String] = []
        var subscription: String?
        var fallbackExternalID: String
        var touch: VendorTouch

        init(_ sale: VendorSale) {
            (customer, identities, subscription) = (sale.customer, sale.identities, sale.subscription)
            (fallbackExternalID, touch) = (sale.fallbackExternalID, sale.touch)
        }

        init(_ lead: VendorLead) { (customer, fallbackExternalID, touch) = (lead.customer, lead.fallbackExternalID, lead.touch) }

        /// Everything that others may know this buyer by, the best first.
        var ids: [String] { [customer].compactMap { $0 } + identities }
    }

    /// The mark on an id whose code has counted.
    static let spentCode = ""

    static func resolve(_ told: Told, _ references: InboundReferences, on connection: any Connection) throws -> InboundBuyer {
        let known = try told.ids.compactMap { try references.find(references.person($0), on: connection) }
        var isKnown = !told.touch.isEmpty || !known.isEmpty
        var externalID = told.touch.customerExternalID
        if externalID == nil, let id = known.lazy.compactMap(\.customerID).first, let customer = try CustomerStore.find(id, in: references.workspace, on: connection) {
            externalID = try PersonStore.fields(of: [customer.personID], [.externalId], vault: references.vault, on: connection)[customer.personID]?[.externalId]
        }
        if !isKnown, let customer = told.customer {
            let hash = references.vault.lookupHash(references.workspace, "customer", references.externalID(customer))
            isKnown = try CustomerStore.find(externalHash: hash, in: references.workspace, on: connection) != nil
        }
        // What counted once with this subscription, or with this customer's own code, does not count again.
        let subscription = try told.subscription.flatMap { try references.find(references.person($0), on: connection) }
        let isSpent = subscription?.code == spentCode
        let codes = isSpent ? [] : told.touch.codes + known.compactMap(\.code).filter { $0 != spentCode }
        return InboundBuyer(
            externalID: externalID ?? told.customer.map(references.externalID) ?? told.fallbackExternalID, clickID: told.touch.clickID ?? known.lazy.compactMap(\.clickID).first,
            code: try choose(codes, references, on: connection), isKnown: isKnown)
    }

    /// The first code that is one of ours; else the first that looks like a code, so that the receipt says that it is none.
    private static func choose(_ told: [String], _ references: InboundReferences, on connection: any Connection) throws -> String? {
        var unknown: String?
        for text in told.prefix(40) {
            let meant = try references.find(references.thing(text), on: connection)?.code ?? text
            guard let folded = Normalised.code(meant) else { continue }
            if try LinkStore.find(code: folded, in: references.workspace, on: connection) != nil { return meant }
            // A vendor's own id of a promotion is no code that a person entered.
            if !meant.hasPrefix("promo_"), !meant.hasPrefix("di_") { unknown = unknown ?? meant }
        }
        return unknown
    }
}

extension InboundFact {
    var told: InboundBuyer.Told? {
        switch self {
        case .sale(let sale): .init(sale)
        case .lead(let lead): .init(lead)
        default: nil
        }
    }
}
