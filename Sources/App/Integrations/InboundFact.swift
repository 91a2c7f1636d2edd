import Chronology
import Foundation
import Web

/// What an event of a vendor says, in our words. Translators make these out of bytes and know no database.
enum InboundFact: Sendable {
    /// Who a vendor's customer is, and what brought them.
    case identity(VendorIdentity)
    case sale(VendorSale)
    case lead(VendorLead)
    case refund(VendorRefund)
    /// How much a payment has given back so far.
    case chargeRefund(VendorChargeRefund)
    /// The whole of an order that was paid is taken back.
    case cancellation(VendorCancellation)
    /// A payment or charge belongs to an invoice.
    case alias(reference: String, invoiceID: String)
    /// A vendor's id of a promotion is this code.
    case promotion(reference: String, code: String)
    /// The law obliges the vendor to tell: erase this customer of theirs.
    case erasure(VendorErasure)
    /// A person asked the vendor for their data, or a shop left: somebody has to look.
    case attention(code: String, reason: String)
}

/// What a vendor's event says about how the buyer came. Metadata keys are ours, or those of a system that the company comes from.
struct VendorTouch: Sendable, Equatable {
    /// Texts that hold a click id of ours, perhaps behind a prefix.
    var clicks: [String] = []
    /// Codes, those that were entered before those that were passed along.
    var codes: [String] = []
    var customerExternalID: String?

    /// A click id stands in a text raw or behind a prefix, as in `dub_id_clk_…`.
    var clickID: String? { clicks.lazy.compactMap(Self.clickID).first }

    var isEmpty: Bool { clickID == nil && codes.isEmpty && customerExternalID == nil }

    /// What this one lacks is taken from the other.
    func filled(from other: VendorTouch) -> VendorTouch {
        VendorTouch(clicks: clicks + other.clicks, codes: codes + other.codes, customerExternalID: customerExternalID ?? other.customerExternalID)
    }

    static func clickID(in text: String) -> String? {
        let prefix = ClickKind.prefix
        guard text.utf8.count <= 500, let start = text.range(of: prefix, options: .backwards) else { return nil }
        let length = prefix.utf8.count + 26
        let candidate = String(text[start.lowerBound...].prefix(length))
        return ClickID(candidate)?.text
    }
}

struct VendorIdentity: Sendable {
    /// The vendor's ids of the customer; they name people, so they are only kept hashed.
    var customers: [String]
    var touch: VendorTouch
    var email: String?
    var name: String?
    var country: String?
}

struct VendorSale: Sendable {
    var invoiceID: String
    /// What was paid, in the minor unit of ISO 4217.
    var grossMinor: Int64
    /// What of it is the sale: without tax.
    var netMinor: Int64
    var currency: String
    /// The vendor's id of the buyer.
    var customer: String?
    /// Other ids of the vendor's under which somebody may have said who this is: the subscription, the invoice.
    var identities: [String] = []
    /// A subscription repeats the codes that it began with; they count with its first sale.
    var subscription: String?
    /// Who the buyer is when nothing better is known.
    var fallbackExternalID: String
    var email: String?
    var name: String?
    var country: String?
    var touch: VendorTouch
    /// The vendor's other ids of this payment, by which refunds name it.
    var references: [String] = []
    var occurredAt: Instant?
    var items: [Sale.Item] = []
    var metadata: [JSONMember] = []
    var eventName: String?
    /// Another event is on its way that says who this is: without knowing, wait for it a while.
    var waitsForIdentity = false
    /// A session of an invoice: what was paid is the invoice's to say, so it is waited for a while.
    var waitsForInvoice = false
    /// An invoice has the last word on what was paid, should a session have been counted before it.
    var hasLastWord = false
    /// Made with the vendor's test gateway: no sale of a live workspace.
    var isTest = false
}

struct VendorLead: Sendable {
    var eventName: String
    var customer: String?
    var fallbackExternalID: String
    var email: String?
    var name: String?
    var country: String?
    var touch: VendorTouch
    var occurredAt: Instant?
}

struct VendorRefund: Sendable {
    /// The vendor's id of the refund; nil: the one refund of the whole.
    var refundID: String?
    /// The order or payment that it is of: the first that is known counts.
    var references: [String]
    /// Of the buyer's money, with tax; nil: everything.
    var grossMinor: Int64?
    /// Of the amount: another one than the sale's is refused.
    var currency: String?
    var occurredAt: Instant?
}

/// What a payment has given back so far. Vendors tell the sum always and its parts sometimes; the sum alone counts, so that what is told in
/// both shapes counts once.
struct VendorChargeRefund: Sendable {
    struct Part: Sendable {
        var refundID: String
        var grossMinor: Int64
        var occurredAt: Instant?
    }

    var charge: String
    /// The order or payment that it is of: the first that is known counts.
    var references: [String]
    /// The sum of all refunds of this charge.
    var grossMinor: Int64
    var currency: String
    /// Single refunds that the event names, each by its own id.
    var parts: [Part] = []
    var occurredAt: Instant?
}

/// A customer whom a vendor wants erased, by everything that the vendor says of them.
struct VendorErasure: Sendable {
    var customers: [String]
    var emails: [String]
    var orders: [String]
}

struct VendorCancellation: Sendable {
    var invoiceID: String
    var occurredAt: Instant?
}

/// Why an event can't be taken in: told on the page and by the API, never with what names a person.
struct VendorRefusal: Error, Sendable, Equatable {
    var code: String
    var detail: String
}

/// What a translator makes of an event: facts, or why there are none.
enum Translation: Sendable {
    case facts([InboundFact])
    /// Nothing of it concerns Kith.
    case nothing(code: String, reason: String)

    static let otherEvent = Translation.nothing(code: "other_event", reason: "Kith needs nothing from events of this type.")
}

/// What a vendor sent: its own id, its type, and the document.
struct InboundDocument: Sendable {
    var type: String
    var body: JSONValue
}
