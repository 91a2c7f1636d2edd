import Chronology
import Money
import Web

/// Server-to-server postbacks: a GET whose address proves itself by a secret of the workspace, for networks and tools that can only call
/// addresses. Its query is kept as a document of texts, and read like any other event.
enum InboundPostback {
    /// Parameters, and how trackers call theirs.
    static let parameters = [
        "event", "transaction_id", "click_id", "code", "customer_id", "amount", "currency", "refund_id", "email", "event_name", "country",
    ]
    static let valueLengthMax = 255
    /// Random bytes in an address.
    static let tokenBytes = 24

    /// The document of a query; unknown parameters are refused, so that a misspelt one is seen.
    static func document(_ query: FormFields) throws -> JSONValue {
        var members: [JSONMember] = []
        var errors: [FieldError] = []
        for name in query.names {
            guard parameters.contains(name) else {
                errors.append(FieldError(field: String(name.prefix(100)), message: "Is no parameter of a postback; it has \(parameters.joined(separator: ", "))."))
                continue
            }
            let values = query.all(name)
            guard values.count == 1, values[0].unicodeScalars.count <= valueLengthMax else {
                errors.append(FieldError(field: name, message: "Must stand there once, with at most \(valueLengthMax) characters."))
                continue
            }
            // A macro that the caller did not fill in is no value.
            if !values[0].isEmpty, !(values[0].hasPrefix("{") && values[0].hasSuffix("}")) { members.append(JSONMember(name, .text(values[0]))) }
        }
        let document = JSONValue.object(members)
        if document.string("transaction_id") == nil { errors.append(FieldError(field: "transaction_id", message: "Is required: it makes a postback count once.")) }
        if type(of: document) == "refund", document.string("amount") != nil, document.string("refund_id") == nil {
            errors.append(FieldError(field: "refund_id", message: "Is required with an amount: it tells one part that was given back from the next."))
        }
        if !errors.isEmpty { throw Problem.unprocessable(errors: errors) }
        return document
    }

    /// What makes two postbacks the same: a transaction is a sale once, a lead once, and has each refund once.
    static func eventID(of document: JSONValue) -> String {
        // With its length before each, so that no two texts look like two others.
        [type(of: document), document.string("transaction_id"), document.string("refund_id")].compactMap { $0 }.map { "\($0.utf8.count):\($0)" }.joined()
    }

    static func type(of document: JSONValue) -> String { document.string("event") ?? "sale" }

    static func translate(_ document: InboundDocument) throws -> Translation {
        let query = document.body
        guard let transaction = query.string("transaction_id") else { throw VendorRefusal(code: "missing_field", detail: "There is no transaction_id.") }
        let email = query.string("email").flatMap(Normalised.email)
        let touch = VendorTouch(
            clicks: [query.string("click_id")].compactMap { $0 }, codes: [query.string("code")].compactMap { $0 },
            customerExternalID: query.string("customer_id").flatMap(Normalised.externalID))
        func amount() throws -> (Int64, String) {
            let currency = try VendorMoney.currency(query.string("currency"))
            return (try VendorMoney.minor(query.string("amount"), currency, "amount"), currency.code)
        }
        switch document.type {
        case "sale":
            let (minor, currency) = try amount()
            return .facts([
                .sale(
                    VendorSale(
                        invoiceID: transaction, grossMinor: minor, netMinor: minor, currency: currency, fallbackExternalID: email ?? Vendor.postback.namespaced("order-\(transaction)"),
                        email: email, country: query.string("country"), touch: touch, eventName: query.string("event_name")))
            ])
        case "lead":
            return .facts([
                .lead(
                    VendorLead(
                        eventName: query.string("event_name") ?? "lead", fallbackExternalID: email ?? Vendor.postback.namespaced("lead-\(transaction)"), email: email,
                        country: query.string("country"), touch: touch))
            ])
        case "refund":
            let told = try query.string("amount") == nil ? nil : amount()
            return .facts([
                .refund(VendorRefund(refundID: query.string("refund_id"), references: [transaction], grossMinor: told?.0, currency: told?.1))
            ])
        default: throw VendorRefusal(code: "unknown_event", detail: "event must be sale, lead or refund.")
        }
    }
}
