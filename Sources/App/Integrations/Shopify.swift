import Chronology
import Money
import Web

/// Shopify's webhooks as facts, after shopify.dev/docs/api/webhooks (topics `orders/paid`, `orders/cancelled`, `refunds/create` and the three
/// that the privacy law compliance page demands). Amounts are decimals in the shop's currency.
enum Shopify {
    static let events = [
        "orders/paid", "orders/cancelled", "refunds/create", "customers/redact", "customers/data_request", "shop/redact",
    ]

    static func translate(_ document: InboundDocument) throws -> Translation {
        let body = document.body
        switch document.type {
        case "orders/paid": return try order(body)
        case "orders/cancelled": return try cancellation(body)
        case "refunds/create": return try refund(body)
        case "customers/redact":
            return .facts([.erasure(try redaction(body))])
        case "customers/data_request":
            return .facts([
                .attention(
                    code: "data_request",
                    reason: "A customer asked the shop for their data. Open them under Customers, and send what stands there within 30 days.")
            ])
        case "shop/redact":
            return .facts([
                .attention(
                    code: "shop_left",
                    reason: "The shop has uninstalled the app and asks for its data to be erased. Erase its customers, or keep what the law wants kept.")
            ])
        default: return .otherEvent
        }
    }

    private static let paid: Set<String> = ["paid", "partially_refunded", "refunded"]

    /// Only a body that is a request to redact erases anybody: the topic in the header is not signed.
    private static func redaction(_ body: JSONValue) throws -> VendorErasure {
        guard case .array(let orders)? = body["orders_to_redact"], body.id("shop_id") ?? body.string("shop_domain") != nil, let customer = body["customer"] else {
            throw VendorRefusal(code: "not_a_redaction", detail: "The body is no request to redact a customer: it has no shop, customer and orders_to_redact.")
        }
        return VendorErasure(
            customers: [customer.id("id")].compactMap { $0 }, emails: [customer.string("email").flatMap(Normalised.email)].compactMap { $0 },
            orders: orders.compactMap { order in
                switch order {
                case .text(let text) where !text.isEmpty: text
                case .number(let number): number.integer.map(String.init)
                default: nil
                }
            })
    }

    private static func order(_ order: JSONValue) throws -> Translation {
        guard let id = order.id("id") else { throw VendorRefusal(code: "not_an_order", detail: "The order has no id.") }
        let currency = try VendorMoney.currency(order.string("currency"))
        let gross = try VendorMoney.minor(order.decimal("total_price"), currency, "total_price")
        let tax = try order.decimal("total_tax").map { try VendorMoney.minor($0, currency, "total_tax") } ?? 0
        guard gross > 0 else { return .nothing(code: "nothing_paid", reason: "Nothing was paid for this order.") }
        // The topic in the header is not signed: the body has to say that it was paid.
        if let status = order.string("financial_status"), !paid.contains(status) {
            return .nothing(code: "not_paid_yet", reason: "The order is not paid: its financial_status is \(status.prefix(40)).")
        }
        let net = try VendorMoney.untaxed(gross, tax: tax)
        let customer = order["customer"] ?? .null
        let email = (order.string("email") ?? order.string("contact_email") ?? customer.string("email")).flatMap(Normalised.email)
        var touch = VendorTouch.attributes(order.list("note_attributes"), name: "name", value: "value")
        touch.codes = order.list("discount_codes").prefix(20).compactMap { $0.string("code") } + touch.codes
        let name = [customer.string("first_name"), customer.string("last_name")].compactMap { $0 }.joined(separator: " ")
        let address = order["billing_address"] ?? order["shipping_address"] ?? customer["default_address"] ?? .null
        return .facts([
            .sale(
                VendorSale(
                    invoiceID: id, grossMinor: gross, netMinor: net, currency: currency.code, customer: customer.id("id"),
                    fallbackExternalID: email ?? Vendor.shopify.namespaced("order-\(id)"), email: email, name: name.isEmpty ? nil : name, country: address.string("country_code"),
                    touch: touch, occurredAt: VendorTime.text(order.string("processed_at") ?? order.string("created_at")),
                    items: items(order, currency, netMinor: net), isTest: order.flag("test") ?? false))
        ])
    }

    /// Lines as the rules see them: without their discounts, and without tax where prices have it. None when they don't fit into the sale.
    private static func items(_ order: JSONValue, _ currency: Currency, netMinor: Int64) -> [Sale.Item] {
        let hasTax = order.flag("taxes_included") ?? false
        var items: [Sale.Item] = []
        var rest = netMinor
        for line in order.list("line_items").prefix(Sale.Item.itemsMax) {
            guard let sku = line.string("sku") ?? line.id("product_id").map({ "product-\($0)" }), let quantity = line.whole("quantity"), quantity > 0, quantity <= 1_000_000,
                let price = try? VendorMoney.minor(line.decimal("price"), currency, "price"),
                let whole = try? Amount(minor: price).multiplied(by: quantity).minor
            else { continue }
            let discounts = line.list("discount_allocations").prefix(50).compactMap { try? VendorMoney.minor($0.decimal("amount"), currency, "amount") }
            let taxes = hasTax ? line.list("tax_lines").prefix(50).compactMap { try? VendorMoney.minor($0.decimal("price"), currency, "price") } : []
            guard let less = try? Amount.sum((discounts + taxes).map { Amount(minor: $0) }).minor, less <= whole else { continue }
            rest -= whole - less
            guard rest >= 0 else { return [] }
            items.append(Sale.Item(sku: String(sku.prefix(200)), category: nil, quantity: quantity, amountMinor: whole - less, commissionVolume: nil, qualifyingVolume: nil))
        }
        return items
    }

    private static func refund(_ refund: JSONValue) throws -> Translation {
        guard let id = refund.id("id"), let order = refund.id("order_id") else {
            throw VendorRefusal(code: "not_a_refund", detail: "The refund has no id or no order_id.")
        }
        var sum = Amount.zero
        var currencies: Set<String> = []
        for transaction in refund.list("transactions").prefix(200)
        where transaction.string("kind") == "refund" && (transaction.string("status") ?? "success") == "success" {
            // The order is told in the shop's money; what the buyer saw may be another currency.
            let shop = transaction.at("amount_set", "shop_money")
            let currency = try VendorMoney.currency(shop?.string("currency_code") ?? transaction.string("currency"))
            let minor = try VendorMoney.minor(shop?.decimal("amount") ?? transaction.decimal("amount"), currency, "amount")
            sum = try sum.adding(Amount(minor: minor))
            currencies.insert(currency.code)
        }
        guard currencies.count <= 1 else {
            throw VendorRefusal(code: "refund_currency", detail: "The refund's transactions are in several currencies, and not all of them tell the shop's money.")
        }
        guard sum.minor > 0 else { return .nothing(code: "nothing_refunded", reason: "The refund gives no money back.") }
        return .facts([
            .refund(
                VendorRefund(
                    refundID: id, references: [order], grossMinor: sum.minor, currency: currencies.first,
                    occurredAt: VendorTime.text(refund.string("processed_at") ?? refund.string("created_at"))))
        ])
    }

    private static func cancellation(_ order: JSONValue) throws -> Translation {
        guard let id = order.id("id") else { throw VendorRefusal(code: "not_an_order", detail: "The order has no id.") }
        guard let cancelledAt = order.string("cancelled_at") else {
            throw VendorRefusal(code: "not_cancelled", detail: "The order has no cancelled_at: the topic is not signed, and the body says nothing of a cancellation.")
        }
        guard order.string("financial_status") == "partially_paid" || paid.contains(order.string("financial_status") ?? "paid") else {
            return .nothing(code: "never_paid", reason: "The order was cancelled before it was paid.")
        }
        return .facts([.cancellation(VendorCancellation(invoiceID: id, occurredAt: VendorTime.text(cancelledAt)))])
    }
}
