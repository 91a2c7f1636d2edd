import Chronology
import Money
import Web

/// How the events of a source of one's own are read: which signature, and where our fields stand in them.
struct GenericMapping: Sendable, Equatable {
    enum SignatureKind: String, Sendable, CaseIterable { case hmacHex, hmacBase64, standard, token }
    enum AmountForm: String, Sendable, CaseIterable { case minor, decimal }
    /// What an event is; found by its type, or always the same.
    enum Kind: String, Sendable, CaseIterable { case sale, refund, lead }

    /// Our fields that a path may be given for.
    static let fields = [
        "invoiceId", "customerExternalId", "amount", "currency", "clickId", "code", "customerEmail", "customerName", "country", "occurredAt", "refundId",
        "eventName",
    ]
    static let pathLengthMax = 200

    var signature: SignatureKind
    /// The header that has the signature or token.
    var header: String
    var amountForm: AmountForm
    /// Where the event's own id stands; without one, equal bodies are one event.
    var eventIDPath: String?
    var typePath: String?
    /// Types and what they are; `*` is every type.
    var kinds: [String: Kind]
    var paths: [String: String]

    /// Reads what a caller sends. Mistakes are noted at the reader.
    static func read(_ body: JSONReader) throws -> GenericMapping {
        let signature = try body.oneOf("signature", SignatureKind.self)
        let header = body.optionalText("header", maximumLength: 100) ?? "X-Signature"
        if !header.utf8.allSatisfy({ ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }) {
            body.note("header", "Must be the name of a header: letters, digits and hyphens.")
        }
        let form = body.optionalOneOf("amountForm", AmountForm.self) ?? .minor
        let eventID = body.optionalText("eventIdPath", maximumLength: pathLengthMax)
        let type = body.optionalText("typePath", maximumLength: pathLengthMax)
        let kinds: [String: Kind] = body.optionalCustom("kinds") { value in
            guard case .object(let members) = value, (1...50).contains(members.count) else { return .refused("Must be an object of 1 to 50 types.") }
            var kinds: [String: Kind] = [:]
            for member in members {
                guard case .text(let text) = member.value, let kind = Kind(rawValue: text) else { return .refused("Each must be sale, refund or lead.") }
                kinds[member.name] = kind
            }
            return .accepted(kinds)
        } ?? ["*": .sale]
        let paths: [String: String] = body.custom("fields", standIn: [:]) { value in
            guard case .object(let members) = value else { return .refused("Must be an object of our fields and paths.") }
            var paths: [String: String] = [:]
            for member in members {
                guard fields.contains(member.name) else { return .refused("\(member.name.prefix(50)) is none of \(fields.joined(separator: ", ")).") }
                guard case .text(let path) = member.value, !path.isEmpty, path.utf8.count <= pathLengthMax else {
                    return .refused("A path is a text such as data.order.total or lines[0].sku; =EUR is the text EUR itself.")
                }
                paths[member.name] = path
            }
            return .accepted(paths)
        }
        return GenericMapping(
            signature: signature, header: header, amountForm: form, eventIDPath: eventID, typePath: type, kinds: kinds, paths: paths)
    }

    init?(stored: JSONValue) {
        guard let reader = try? JSONReader(stored), let mapping = try? Self.read(reader), (try? reader.finish()) != nil else { return nil }
        self = mapping
    }

    init(
        signature: SignatureKind, header: String, amountForm: AmountForm, eventIDPath: String?, typePath: String?, kinds: [String: Kind],
        paths: [String: String]
    ) {
        (self.signature, self.header, self.amountForm, self.eventIDPath) = (signature, header, amountForm, eventIDPath)
        (self.typePath, self.kinds, self.paths) = (typePath, kinds, paths)
    }

    var json: JSONValue {
        func object(_ texts: [String: String]) -> JSONValue { .object(texts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .text($0.value)) }) }
        return [
            "signature": .text(signature.rawValue), "header": .text(header), "amountForm": .text(amountForm.rawValue),
            "eventIdPath": eventIDPath.map { .text($0) } ?? .null, "typePath": typePath.map { .text($0) } ?? .null,
            "kinds": object(kinds.mapValues(\.rawValue)), "fields": object(paths),
        ]
    }
}

extension GenericMapping {
    func type(of document: JSONValue) -> String {
        let found = typePath.flatMap { Self.text(at: $0, in: document) } ?? "event"
        return String(found.prefix(100))
    }

    func eventID(of document: JSONValue) -> String? { eventIDPath.flatMap { Self.text(at: $0, in: document) } }

    func translate(_ document: InboundDocument) throws -> Translation {
        guard let kind = kinds[document.type] ?? kinds["*"] else {
            return .nothing(code: "other_event", reason: "The mapping names no kind for events of this type.")
        }
        let body = document.body
        func text(_ field: String) -> String? { paths[field].flatMap { Self.text(at: $0, in: body) } }
        func needed(_ field: String) throws -> String {
            guard let value = text(field) else {
                throw VendorRefusal(
                    code: "missing_field",
                    detail: paths[field] == nil ? "The mapping has no path for \(field)." : "There is nothing at \(paths[field] ?? "") for \(field).")
            }
            return value
        }
        let when = text("occurredAt").flatMap { VendorTime.text($0) ?? VendorTime.seconds(Int64($0)) }
        let touch = VendorTouch(
            clicks: [text("clickId")].compactMap { $0 }, codes: [text("code")].compactMap { $0 },
            customerExternalID: text("customerExternalId").flatMap(Normalised.externalID))
        let email = text("customerEmail").flatMap(Normalised.email)
        switch kind {
        case .sale:
            let currency = try VendorMoney.currency(needed("currency"))
            let amount = try minor(needed("amount"), currency)
            let invoice = try needed("invoiceId")
            return .facts([
                .sale(
                    VendorSale(
                        invoiceID: invoice, grossMinor: amount, netMinor: amount, currency: currency.code, customer: nil,
                        fallbackExternalID: email ?? Vendor.generic.namespaced("order-\(invoice)"), email: email, name: text("customerName"), country: text("country"), touch: touch,
                        occurredAt: when, eventName: text("eventName")))
            ])
        case .refund:
            // Of the whole when no amount is told.
            let currency = try paths["amount"] == nil ? nil : VendorMoney.currency(needed("currency"))
            let amount = try currency.map { try minor(needed("amount"), $0) }
            return .facts([
                .refund(
                    VendorRefund(
                        refundID: try needed("refundId"), references: [try needed("invoiceId")], grossMinor: amount, currency: currency?.code, occurredAt: when))
            ])
        case .lead:
            let customer = try touch.customerExternalID ?? email ?? needed("customerExternalId")
            return .facts([
                .lead(
                    VendorLead(
                        eventName: text("eventName") ?? "lead", customer: nil, fallbackExternalID: customer, email: email, name: text("customerName"),
                        country: text("country"), touch: touch, occurredAt: when))
            ])
        }
    }

    private func minor(_ text: String, _ currency: Currency) throws -> Int64 {
        switch amountForm {
        case .decimal: return try VendorMoney.minor(text, currency, "amount")
        case .minor:
            guard let value = Int64(text), value >= 0 else {
                throw VendorRefusal(code: "malformed_amount", detail: "amount is not a whole number of minor units. Is it a decimal? Set amountForm to decimal.")
            }
            return value
        }
    }

    /// The text or number at a path of names, dots and `[number]`; a path that begins with `=` is the text behind it.
    static func text(at path: String, in document: JSONValue) -> String? {
        if path.hasPrefix("=") { return String(path.dropFirst()) }
        var value: JSONValue? = document
        for part in path.split(separator: ".", omittingEmptySubsequences: false).prefix(40) {
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            if let name = pieces.first, !name.isEmpty, name != "$" { value = value?[String(name)] }
            for piece in pieces.dropFirst() {
                guard piece.hasSuffix("]"), let index = Int(piece.dropLast()), case .array(let elements)? = value, elements.indices.contains(index) else {
                    return nil
                }
                value = elements[index]
            }
        }
        switch value {
        case .text(let text)? where !text.isEmpty: return text
        case .number(let number)?: return number.token
        case .boolean(let flag)?: return String(flag)
        default: return nil
        }
    }
}
