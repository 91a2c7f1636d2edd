import Money
import Persistence
import Web

/// The account's own words: `{kind, holder, iban + bic | routingNumber + accountNumber + accountType | email or payerId | stripeAccount |
/// email + currency | reference}`.
struct PayoutAccountDetails: Sendable, Equatable {
    /// American banks book to one of two kinds of account.
    enum AccountType: String, Sendable, CaseIterable { case checking, savings }

    var kind: PayoutAccount.Kind
    var holder: String?
    /// The IBAN, account number, mail, payer id, account at Stripe or reference.
    var number: String
    /// The BIC or routing number.
    var routing: String?
    var accountType: AccountType?
    /// What a recipient of Wise gets the money in.
    var currency: String?

    init(
        kind: PayoutAccount.Kind, holder: String?, number: String, routing: String?, accountType: AccountType? = nil, currency: String? = nil
    ) {
        self.kind = kind
        self.holder = holder
        self.number = number
        self.routing = routing
        self.accountType = accountType
        self.currency = currency
    }

    static let holderMaximum = 70

    static func read(_ body: JSONReader) -> PayoutAccountDetails {
        let kind = body.custom("kind", standIn: PayoutAccount.Kind.iban) { value -> JSONReader.Reading<PayoutAccount.Kind> in
            if case .text(let text) = value, let kind = PayoutAccount.Kind(rawValue: text) { return .accepted(kind) }
            return .refused("Must be \(PayoutAccount.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        // Wise and American banks compare the name with the account's.
        let holder = kind == .wise ? body.name("holder", maximumLength: holderMaximum) : body.optionalName("holder", maximumLength: holderMaximum)
        var details = PayoutAccountDetails(kind: kind, holder: holder, number: "", routing: nil)
        switch kind {
        case .iban:
            details.number = word(body, "iban", "Must be an IBAN: its length or its check digits are not right.") { IBAN($0)?.text }
            details.routing = body.optionalCustom("bic") { reading($0, "Must be a BIC of 8 or 11 letters and digits.") { BIC($0)?.text } }
        case .ach:
            details.number = word(body, "accountNumber", "Must be an account number of 4 to 17 digits.", accountNumber)
            details.routing = word(body, "routingNumber", "Must be a routing number of nine digits with its check digit.") {
                RoutingNumber.isValid($0) ? $0 : nil
            }
            details.accountType = body.optionalOneOf("accountType", AccountType.self) ?? .checking
        case .paypal:
            if body.has("payerId"), !body.isNull("payerId") {
                details.number = word(body, "payerId", "Must be a payer id: 13 capital letters and digits.", payerID)
            } else {
                details.number = body.custom("email", standIn: "", Normalised.readEmail)
            }
        case .stripe:
            details.number = word(body, "stripeAccount", "Must be a connected account's id: acct_ and letters and digits.", stripeAccount)
        case .wise:
            details.number = word(body, "email", "Must be a mail address that begins with a letter or digit.", wiseEmail)
            details.currency = word(body, "currency", "Must be a currency by its three letters, such as EUR.") { Currency(code: $0.uppercased())?.code }
        case .external: details.number = body.text("reference", maximumLength: 200)
        }
        return details
    }

    private static func word(_ body: JSONReader, _ field: String, _ refusal: String, _ read: (String) -> String?) -> String {
        body.custom(field, standIn: "") { reading($0, refusal, read) }
    }

    private static func reading(_ value: JSONValue, _ refusal: String, _ read: (String) -> String?) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, let known = read(text) else { return .refused(refusal) }
        return .accepted(known)
    }

    private static func accountNumber(_ text: String) -> String? {
        let bare = text.filter { $0 != " " && $0 != "-" }
        return (4...17).contains(bare.utf8.count) && bare.utf8.allSatisfy(isDigit) ? bare : nil
    }

    static func payerID(_ text: String) -> String? {
        text.utf8.count == 13 && text.utf8.allSatisfy { isDigit($0) || (0x41...0x5A).contains($0) } ? text : nil
    }

    private static func stripeAccount(_ text: String) -> String? {
        let rest = text.dropFirst(5).utf8
        return text.hasPrefix("acct_") && (8...64).contains(rest.count)
            && rest.allSatisfy { isDigit($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) } ? text : nil
    }

    /// A spreadsheet could take another beginning for a formula, and a bank reads no apostrophe before it.
    private static func wiseEmail(_ text: String) -> String? {
        guard let email = Normalised.email(text), let first = email.unicodeScalars.first, first.properties.isAlphabetic || ("0"..."9").contains(first) else {
            return nil
        }
        return email
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    // MARK: Sealed

    var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        var members: [JSONMember] = [
            JSONMember("kind", .text(kind.rawValue)), JSONMember("holder", text(holder)), JSONMember("number", .text(number)),
            JSONMember("routing", text(routing)),
        ]
        if let accountType { members.append(JSONMember("accountType", .text(accountType.rawValue))) }
        if let currency { members.append(JSONMember("currency", .text(currency))) }
        return .object(members)
    }

    /// The details as they were sealed.
    init?(sealed text: String) {
        let value = JSONText(text: text).value
        guard case .text(let kind)? = value["kind"], let kind = PayoutAccount.Kind(rawValue: kind), case .text(let number)? = value["number"]
        else { return nil }
        func optional(_ name: String) -> String? { if case .text(let text)? = value[name] { text } else { nil } }
        self.init(
            kind: kind, holder: optional("holder"), number: number, routing: optional("routing"),
            accountType: optional("accountType").flatMap { AccountType(rawValue: $0) }, currency: optional("currency"))
    }
}

/// An American routing number: nine digits, weighted 3-7-1 to a multiple of ten.
enum RoutingNumber {
    static func isValid(_ text: String) -> Bool {
        let digits = text.utf8.map { Int($0) - 0x30 }
        guard digits.count == 9, digits.allSatisfy({ (0...9).contains($0) }), digits != Array(repeating: 0, count: 9) else { return false }
        return zip(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]).reduce(0) { $0 + $1.0 * $1.1 } % 10 == 0
    }
}
