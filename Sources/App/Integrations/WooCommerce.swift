import Chronology
import Money
import Web

/// WooCommerce's webhooks as facts, after the REST API documentation (woocommerce.github.io/woocommerce-rest-api-docs, orders and webhooks).
/// Each event is the whole order as it stands, refunds included, so that a lost event is made good by the next.
enum WooCommerce {
    static let events = ["order.created", "order.updated"]

    /// What a new webhook sends to see whether somebody listens: a form without a signature.
    static func isPing(_ body: [UInt8], contentType: String?) -> Bool {
        guard contentType?.hasPrefix("application/x-www-form-urlencoded") ?? false, body.count <= 40 else { return false }
        let text = String(decoding: body, as: UTF8.self)
        return text.hasPrefix("webhook_id=") && text.dropFirst("webhook_id=".count).allSatisfy(\.isNumber)
    }

    static func translate(_ document: InboundDocument) throws -> Translation {
        guard document.type.hasPrefix("order."), document.type != "order.deleted" else { return .otherEvent }
        let order = document.body
        guard let id = order.id("id") else { throw VendorRefusal(code: "not_an_order", detail: "The order has no id.") }
        let currency = try VendorMoney.currency(order.string("currency"))
        let isPaid = order.string("date_paid_gmt") != nil || order.string("date_paid") != nil
        let refunds = try refunds(of: order, id, currency)
        switch order.string("status") {
        case "processing", "completed": return try .facts([sale(order, id, currency)].compactMap { $0 } + refunds)
        case "refunded":
            let rest = InboundFact.cancellation(VendorCancellation(invoiceID: id, occurredAt: modified(order)))
            return try .facts([sale(order, id, currency)].compactMap { $0 } + refunds + [rest])
        case "cancelled":
            guard isPaid else { return .nothing(code: "never_paid", reason: "The order was cancelled before it was paid.") }
            return .facts(refunds + [.cancellation(VendorCancellation(invoiceID: id, occurredAt: modified(order)))])
        default:
            return .nothing(code: "not_paid_yet", reason: "An order counts when its status is processing or completed.")
        }
    }

    private static func sale(_ order: JSONValue, _ id: String, _ currency: Currency) throws -> InboundFact? {
        let gross = try VendorMoney.minor(order.decimal("total"), currency, "total")
        guard gross > 0 else { return nil }
        let tax = try order.decimal("total_tax").map { try VendorMoney.minor($0, currency, "total_tax") } ?? 0
        let net = try VendorMoney.untaxed(gross, tax: tax)
        let billing = order["billing"] ?? .null
        let email = billing.string("email").flatMap(Normalised.email)
        var touch = VendorTouch.attributes(order.list("meta_data"), name: "key", value: "value")
        touch.codes = order.list("coupon_lines").prefix(20).compactMap { $0.string("code") } + touch.codes
        let name = [billing.string("first_name"), billing.string("last_name")].compactMap { $0 }.joined(separator: " ")
        // Guests all have the id 0.
        let customer = order.id("customer_id").flatMap { $0 == "0" ? nil : $0 }
        return .sale(
            VendorSale(
                invoiceID: id, grossMinor: gross, netMinor: net, currency: currency.code, customer: customer,
                fallbackExternalID: email ?? Vendor.wooCommerce.namespaced("order-\(id)"), email: email, name: name.isEmpty ? nil : name, country: billing.string("country"),
                touch: touch, occurredAt: VendorTime.text(order.string("date_paid_gmt") ?? order.string("date_created_gmt"), isUTC: true),
                items: items(order, currency, netMinor: net)))
    }

    private static func items(_ order: JSONValue, _ currency: Currency, netMinor: Int64) -> [Sale.Item] {
        var items: [Sale.Item] = []
        var rest = netMinor
        for line in order.list("line_items").prefix(Sale.Item.itemsMax) {
            guard let sku = line.string("sku") ?? line.id("product_id").map({ "product-\($0)" }), let quantity = line.whole("quantity"), quantity > 0, quantity <= 1_000_000,
                // A line's total has its discounts taken off, and no tax.
                let amount = try? VendorMoney.minor(line.decimal("total"), currency, "total"), amount >= 0
            else { continue }
            rest -= amount
            guard rest >= 0 else { return [] }
            items.append(Sale.Item(sku: String(sku.prefix(200)), category: nil, quantity: quantity, amountMinor: amount, commissionVolume: nil, qualifyingVolume: nil))
        }
        return items
    }

    /// Refunds stand in the order with a negative total.
    private static func refunds(of order: JSONValue, _ id: String, _ currency: Currency) throws -> [InboundFact] {
        try order.list("refunds").prefix(200).compactMap { refund in
            guard let refundID = refund.id("id"), let text = refund.decimal("total") else { return nil }
            let minor = try VendorMoney.minor(text.hasPrefix("-") ? String(text.dropFirst()) : text, currency, "refunds.total")
            guard minor > 0 else { return nil }
            return .refund(VendorRefund(refundID: refundID, references: [id], grossMinor: minor, currency: currency.code, occurredAt: modified(order)))
        }
    }

    private static func modified(_ order: JSONValue) -> Instant? { VendorTime.text(order.string("date_modified_gmt"), isUTC: true) }
}
