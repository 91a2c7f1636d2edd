import Chronology
import Money
import Web

/// Stripe's events as facts, after docs.stripe.com/api/events/types of the API versions before and since 2025-03-31 ("basil").
///
/// One payment is one sale, whatever tells it first: a checkout session with an invoice has the invoice's id as ours, so that the session and
/// `invoice.paid` meet. A session without an invoice goes by its payment's id. Neither tells line items alike, so none are taken.
enum Stripe {
    static let events = [
        "checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.paid", "invoice_payment.paid", "charge.refunded",
        "refund.failed", "customer.created", "customer.updated", "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
        "promotion_code.created", "promotion_code.updated",
    ]

    static func translate(_ document: InboundDocument) throws -> Translation {
        guard let object = document.body.at("data", "object") else {
            throw VendorRefusal(code: "not_an_event", detail: "The event has no data.object.")
        }
        let created = VendorTime.seconds(document.body.whole("created"))
        switch document.type {
        case "checkout.session.completed", "checkout.session.async_payment_succeeded": return try session(object, at: created)
        case "invoice.paid", "invoice.payment_succeeded": return try invoice(object, at: created)
        case "invoice_payment.paid": return invoicePayment(object)
        case "charge.refunded": return try refund(object, at: created)
        case "refund.failed", "refund.updated", "charge.refund.updated": return failedRefund(object)
        case "customer.created", "customer.updated": return customer(object)
        case "customer.subscription.created", "customer.subscription.updated": return subscription(object, at: created)
        case "customer.subscription.deleted":
            return .nothing(code: "subscription_ended", reason: "A subscription ended: its invoices stop by themselves, and what was paid stays.")
        case "promotion_code.created", "promotion_code.updated":
            guard let id = object.id("id"), let code = object.string("code") else { return .otherEvent }
            return .facts([.promotion(reference: id, code: code)])
        default: return .otherEvent
        }
    }

    // MARK: Events

    private static func session(_ session: JSONValue, at created: Instant?) throws -> Translation {
        guard let id = session.id("id") else { throw VendorRefusal(code: "not_an_event", detail: "The checkout session has no id.") }
        let customer = session.reference("customer")
        let details = session["customer_details"] ?? .null
        let email = (details.string("email") ?? session.string("customer_email")).flatMap(Normalised.email)
        var touch = VendorTouch.metadata(session["metadata"])
        if let reference = session.string("client_reference_id") { touch.clicks.append(reference) }
        touch = touch.filled(from: VendorTouch.metadata(session.at("subscription", "metadata")))
            .filled(from: VendorTouch.metadata(session.at("customer", "metadata")))
        touch.codes += discounts(session)
        let country = details.at("address")?.string("country")
        let name = details.string("name")
        let references = [customer, session.reference("subscription"), session.reference("invoice")].compactMap { $0 }
        let identity = InboundFact.identity(
            VendorIdentity(customers: references, touch: touch, email: email, name: name, country: country))
        let amount = try session.amount("amount_total") ?? 0
        switch session.string("payment_status") {
        case "unpaid":
            return references.isEmpty
                ? .nothing(code: "not_paid_yet", reason: "Nothing is paid yet; checkout.session.async_payment_succeeded tells when it is.")
                : .facts([identity])
        case "no_payment_required": return .facts([identity])
        default: break
        }
        guard amount > 0 else { return .facts([identity]) }
        let currency = try VendorMoney.currency(session.string("currency"))
        let gross = try minor(amount, currency)
        let tax = try minor(session.at("total_details")?.amount("amount_tax") ?? 0, currency)
        let payment = session.reference("payment_intent")
        let sale = VendorSale(
            invoiceID: session.reference("invoice") ?? payment ?? id, grossMinor: gross, netMinor: try VendorMoney.untaxed(gross, tax: tax), currency: currency.code,
            customer: customer, identities: Array(references.dropFirst(customer == nil ? 0 : 1)), subscription: session.reference("subscription"),
            fallbackExternalID: email ?? id, email: email, name: name, country: country, touch: touch,
            references: [payment, id].compactMap { $0 }, occurredAt: created, waitsForInvoice: session.reference("invoice") != nil)
        return .facts([identity, .sale(sale)])
    }

    private static func invoice(_ invoice: JSONValue, at created: Instant?) throws -> Translation {
        guard let id = invoice.id("id") else { throw VendorRefusal(code: "not_an_event", detail: "The invoice has no id.") }
        let paid = try invoice.amount("amount_paid") ?? invoice.amount("total") ?? 0
        guard paid > 0 else { return .nothing(code: "nothing_paid", reason: "Nothing was paid with this invoice.") }
        let currency = try VendorMoney.currency(invoice.string("currency"))
        let total = try invoice.amount("total") ?? paid
        let untaxed = try invoice.amount("total_excluding_tax") ?? VendorMoney.untaxed(total, tax: taxes(invoice))
        let gross = try minor(paid, currency)
        let net = total > 0 ? try VendorMoney.share(of: gross, net: min(untaxed, total), gross: total) : gross
        let subscription = invoice.at("parent", "subscription_details") ?? invoice["subscription_details"] ?? .null
        var touch = VendorTouch.metadata(invoice["metadata"]).filled(from: VendorTouch.metadata(subscription["metadata"]))
        touch.codes += discounts(invoice)
        let payments = invoice.at("payments")?.list("data").prefix(20).compactMap { $0.at("payment")?.reference("payment_intent") } ?? []
        let email = invoice.string("customer_email").flatMap(Normalised.email)
        let customer = invoice.reference("customer")
        let subscriptionID = subscription.reference("subscription") ?? invoice.reference("subscription")
        let sale = VendorSale(
            invoiceID: id, grossMinor: gross, netMinor: net, currency: currency.code, customer: customer,
            identities: [subscriptionID, id].compactMap { $0 }, subscription: subscriptionID, fallbackExternalID: email ?? id, email: email,
            name: invoice.string("customer_name"), country: invoice.at("customer_address")?.string("country"), touch: touch,
            references: ([invoice.reference("payment_intent"), invoice.reference("charge")] + payments).compactMap { $0 },
            occurredAt: VendorTime.seconds(invoice.at("status_transitions")?.whole("paid_at")) ?? created, waitsForIdentity: true, hasLastWord: true)
        return .facts([.sale(sale)])
    }

    /// Since 2025-03-31 an invoice no longer names its payment, nor a charge its invoice: this event ties them.
    private static func invoicePayment(_ payment: JSONValue) -> Translation {
        guard let invoice = payment.reference("invoice"),
            let reference = payment.at("payment")?.reference("payment_intent") ?? payment.at("payment")?.reference("charge")
        else { return .otherEvent }
        return .facts([.alias(reference: reference, invoiceID: invoice)])
    }

    private static func refund(_ charge: JSONValue, at created: Instant?) throws -> Translation {
        guard let id = charge.id("id") else { throw VendorRefusal(code: "not_an_event", detail: "The charge has no id.") }
        let references = [charge.reference("invoice"), charge.reference("payment_intent"), id].compactMap { $0 }
        let currency = try VendorMoney.currency(charge.string("currency"))
        let refunds = charge.at("refunds")?.list("data").prefix(100).filter { !["failed", "canceled"].contains($0.string("status") ?? "") } ?? []
        let parts = try refunds.compactMap { refund -> VendorChargeRefund.Part? in
            guard let refundID = refund.id("id"), let amount = try refund.amount("amount"), amount > 0 else { return nil }
            return VendorChargeRefund.Part(refundID: refundID, grossMinor: try minor(amount, currency), occurredAt: VendorTime.seconds(refund.whole("created")))
        }
        // Old and new versions tell the sum, and only old ones its parts.
        let sum = try charge.amount("amount_refunded").map { try minor($0, currency) } ?? Amount.sum(parts.map { Amount(minor: $0.grossMinor) }).minor
        guard sum > 0 else { return .nothing(code: "nothing_refunded", reason: "The charge gives nothing back.") }
        return .facts([
            .chargeRefund(VendorChargeRefund(charge: id, references: references, grossMinor: sum, currency: currency.code, parts: parts, occurredAt: created))
        ])
    }

    /// Sums only go up here: what failed after it was counted is for somebody to look at.
    private static func failedRefund(_ refund: JSONValue) -> Translation {
        guard ["failed", "canceled"].contains(refund.string("status") ?? "") else { return .otherEvent }
        return .facts([
            .attention(
                code: "refund_failed",
                reason: "A refund failed after it was told: the buyer has not got the money back. When it was counted, correct the commission by hand.")
        ])
    }

    private static func customer(_ customer: JSONValue) -> Translation {
        let touch = VendorTouch.metadata(customer["metadata"])
        guard let id = customer.id("id"), !touch.isEmpty else {
            return .nothing(code: "nothing_of_ours", reason: "The customer has none of the metadata that Kith knows.")
        }
        return .facts([
            .identity(
                VendorIdentity(
                    customers: [id], touch: touch, email: customer.string("email").flatMap(Normalised.email), name: customer.string("name"),
                    country: customer.at("address")?.string("country")))
        ])
    }

    private static func subscription(_ subscription: JSONValue, at created: Instant?) -> Translation {
        let touch = VendorTouch.metadata(subscription["metadata"])
        let customer = subscription.reference("customer")
        let ids = [customer, subscription.id("id")].compactMap { $0 }
        var facts: [InboundFact] = []
        if !touch.isEmpty { facts.append(.identity(VendorIdentity(customers: ids, touch: touch, email: nil, name: nil, country: nil))) }
        if subscription.string("status") == "trialing", let customer {
            facts.append(
                .lead(VendorLead(eventName: "trial", customer: customer, fallbackExternalID: customer, touch: touch, occurredAt: created)))
        }
        return facts.isEmpty
            ? .nothing(code: "nothing_of_ours", reason: "The subscription has none of the metadata that Kith knows, and is no trial.") : .facts(facts)
    }

    // MARK: Parts

    /// Codes of discounts. Events name a promotion by its id mostly, which `promotion_code.created` has told; a coupon's id or name may be the
    /// code itself.
    private static func discounts(_ object: JSONValue) -> [String] {
        let all = object.list("discounts").prefix(20) + [object["discount"] ?? .null]
        return all.flatMap { discount -> [String] in
            [
                discount.at("promotion_code")?.string("code"), discount.string("promotion_code"), discount.at("coupon")?.string("id"),
                discount.at("coupon")?.string("name"), discount.string("coupon"), discount.at("source", "coupon")?.string("id"), discount.at("source")?.string("coupon"),
            ].compactMap { $0 }
        }
    }

    private static func taxes(_ invoice: JSONValue) throws -> Int64 {
        if let tax = try invoice.amount("tax") { return tax }
        let lists = [invoice.list("total_taxes"), invoice.list("total_tax_amounts")]
        return (lists.first { !$0.isEmpty } ?? []).prefix(100).reduce(Int64(0)) { sum, tax in
            sum.addingReportingOverflow(max(0, tax.whole("amount") ?? 0)).partialValue
        }
    }

    /// Stripe's smallest unit in ours. Stripe has currencies without decimals that ISO 4217 gives some, and the other way about
    /// (docs.stripe.com/currencies, zero-decimal currencies and special cases).
    static func minor(_ amount: Int64, _ currency: Currency) throws -> Int64 {
        let stripe = zeroDecimal.contains(currency.code) ? 0 : threeDecimal.contains(currency.code) ? 3 : 2
        let (result, rest): (Int64, Int64)
        if currency.exponent >= stripe {
            let (product, overflow) = amount.multipliedReportingOverflow(by: power(currency.exponent - stripe))
            guard !overflow else { throw VendorRefusal(code: "amount_out_of_range", detail: "The amount is too large to be reckoned with.") }
            (result, rest) = (product, 0)
        } else {
            (result, rest) = amount.quotientAndRemainder(dividingBy: power(stripe - currency.exponent))
        }
        guard rest == 0, (0...Schemas.amountMax).contains(result) else {
            throw VendorRefusal(code: "malformed_amount", detail: "\(amount) is no whole amount in \(currency.code).")
        }
        return result
    }

    private static func power(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { value, _ in value * 10 } }

    /// ISK and UGX have no decimals, but Stripe writes them with two: the special cases say so, also of UGX, which its list of zero-decimal
    /// currencies names as well.
    private static let zeroDecimal: Set<String> = [
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
    ]
    private static let threeDecimal: Set<String> = ["BHD", "JOD", "KWD", "OMR", "TND"]
}
