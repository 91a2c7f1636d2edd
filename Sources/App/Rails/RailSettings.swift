import Money
import Web

/// What a company says about a rail that is no secret.
enum RailSettings: Sendable, Equatable {
    case paypal(clientID: String, isSandbox: Bool)
    case stripe
    case external(url: String)
    case nacha(NACHACompany)
    /// The currency that the company pays Wise in; nil: the payout's own.
    case wise(sourceCurrency: String?)

    var isSandbox: Bool { if case .paypal(_, true) = self { true } else { false } }

    /// What must stay the same while payments are under way.
    var identity: String {
        switch self {
        case .paypal(let clientID, let isSandbox): "\(clientID) \(isSandbox)"
        case .external(let url): url
        case .stripe, .nacha, .wise: ""
        }
    }

    /// Takes the fields of a rail from a request; mistakes are noted by the field's name.
    static func read(_ kind: RailKind, _ body: JSONReader, urls: WebhookURL) -> RailSettings {
        switch kind {
        case .paypal:
            return .paypal(
                clientID: body.custom("clientId", standIn: "") { value in
                    guard case .text(let text) = value, (10...128).contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else {
                        return .refused("Must be the client id of a PayPal app: 10 to 128 letters, digits, - and _.")
                    }
                    return .accepted(text)
                }, isSandbox: body.optionalBoolean("sandbox") ?? false)
        case .stripe: return .stripe
        case .external:
            return .external(
                url: body.custom("url", standIn: "") { value in
                    guard case .text(let text) = value else { return .refused(WebhookURL.Fault.malformed.sentence) }
                    if let fault = urls.fault(text) { return .refused(fault.sentence) }
                    return .accepted(text)
                })
        case .nacha: return .nacha(NACHACompany.read(body))
        case .wise:
            return .wise(
                sourceCurrency: body.optionalCustom("sourceCurrency") { value in
                    guard case .text(let text) = value, let currency = Currency(code: text.uppercased()) else {
                        return .refused("Must be a currency by its three letters, such as EUR.")
                    }
                    return .accepted(currency.code)
                })
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    var json: JSONValue {
        switch self {
        case .paypal(let clientID, let isSandbox): ["clientId": .text(clientID), "sandbox": .boolean(isSandbox)]
        case .stripe: .object([])
        case .external(let url): ["url": .text(url)]
        case .nacha(let company): company.json
        case .wise(let currency): ["sourceCurrency": currency.map { .text($0) } ?? .null]
        }
    }

    /// As it was stored.
    init?(_ kind: RailKind, stored: JSONValue) {
        func text(_ name: String) -> String? { if case .text(let text)? = stored[name] { text } else { nil } }
        switch kind {
        case .paypal:
            guard let clientID = text("clientId") else { return nil }
            self = .paypal(clientID: clientID, isSandbox: stored["sandbox"] == .boolean(true))
        case .stripe: self = .stripe
        case .external:
            guard let url = text("url") else { return nil }
            self = .external(url: url)
        case .nacha:
            guard let company = NACHACompany(stored: stored) else { return nil }
            self = .nacha(company)
        case .wise: self = .wise(sourceCurrency: text("sourceCurrency"))
        }
    }
}

/// Who pays, as an American bank knows it.
struct NACHACompany: Sendable, Equatable {
    /// The bank's routing number.
    var destination: String
    var destinationName: String
    /// Ten characters that the bank gives, most often 1 and the tax number.
    var origin: String
    var name: String
    var companyID: String
    /// The routing number of the account that pays; most often the bank's.
    var originatingRouting: String
    /// What stands on the member's statement.
    var entryDescription: String

    static func read(_ body: JSONReader) -> NACHACompany {
        func routing(_ field: String) -> String {
            body.custom(field, standIn: "") { value in
                guard case .text(let text) = value, RoutingNumber.isValid(text) else {
                    return .refused("Must be a routing number of nine digits with its check digit.")
                }
                return .accepted(text)
            }
        }
        func plain(_ field: String, _ maximum: Int, standIn: String? = nil) -> String? {
            let message = "Must be 1 to \(maximum) letters, digits, spaces and simple signs."
            func reading(_ value: JSONValue) -> JSONReader.Reading<String> {
                guard case .text(let text) = value, (1...maximum).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }),
                    text.first != " "
                else { return .refused(message) }
                return .accepted(text)
            }
            return standIn == nil ? body.custom(field, standIn: "", reading) : body.optionalCustom(field, reading)
        }
        let destination = routing("immediateDestination")
        let origin = plain("immediateOrigin", 10) ?? ""
        return NACHACompany(
            destination: destination, destinationName: plain("immediateDestinationName", 23) ?? "", origin: origin,
            name: plain("companyName", 16) ?? "", companyID: plain("companyId", 10, standIn: origin) ?? origin,
            originatingRouting: body.has("originatingRouting") ? routing("originatingRouting") : destination,
            entryDescription: plain("entryDescription", 10, standIn: standardDescription) ?? standardDescription)
    }

    private static let standardDescription = "PAYOUT"

    var json: JSONValue {
        [
            "immediateDestination": .text(destination), "immediateDestinationName": .text(destinationName), "immediateOrigin": .text(origin),
            "companyName": .text(name), "companyId": .text(companyID), "originatingRouting": .text(originatingRouting),
            "entryDescription": .text(entryDescription),
        ]
    }
}

extension NACHACompany {
    init?(stored: JSONValue) {
        func text(_ name: String) -> String? { if case .text(let text)? = stored[name] { text } else { nil } }
        guard let destination = text("immediateDestination"), let destinationName = text("immediateDestinationName"), let origin = text("immediateOrigin"),
            let name = text("companyName"), let companyID = text("companyId"), let originatingRouting = text("originatingRouting"),
            let entryDescription = text("entryDescription")
        else { return nil }
        self.init(
            destination: destination, destinationName: destinationName, origin: origin, name: name, companyID: companyID,
            originatingRouting: originatingRouting, entryDescription: entryDescription)
    }
}
