import Foundation
import Web

/// Addresses that somebody wants to be told at. What counts in the end is the address that is really connected to (`Outbound`); this
/// refuses at once, with a reason, what could never be delivered.
struct WebhookURL: Sendable {
    private let addresses: PublicAddress
    private let allowed: [AddressRange]

    init(_ settings: Settings) {
        addresses = PublicAddress(allowed: settings.egressAllow)
        allowed = settings.egressAllow.compactMap(AddressRange.init)
    }

    /// Why an address can't be one; nil when it can.
    func fault(_ text: String) -> Fault? {
        guard (1...WebhookEndpoint.urlBytesMax).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !text.utf8.contains(UInt8(ascii: "\\")), let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http"
        else { return .malformed }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else { return .credentials }
        if let port = parts.port, !(1...65_535).contains(port) { return .malformed }
        var name = host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        // The root's point makes no other name of it: localhost. is localhost.
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty, !name.hasSuffix("."), !name.contains("%") else { return .malformed }
        if let bytes = AddressRange.bytes(name) {
            guard addresses.mayConnect(bytes) else { return .notPublic }
            return scheme == "https" || allowed.contains { $0.contains(bytes) } ? nil : .notEncrypted
        }
        // In brackets stands an address, and without a zone: that of one machine's wires means nothing elsewhere.
        if name.contains(":") { return .malformed }
        // 2130706433, 0x7f.1 and 0177.0.0.1 are addresses to a resolver and names to a reader: nobody means well by them.
        if Self.isNumeric(name) { return .oddNumber }
        if name == "localhost" || name.hasSuffix(".localhost") {
            return AddressRange.bytes("127.0.0.1").map { addresses.mayConnect($0) } == true || AddressRange.bytes("::1").map { addresses.mayConnect($0) } == true
                ? nil : .notPublic
        }
        guard scheme == "http" else { return nil }
        // A name inside of a network that the operator lists; the connection is made only if it leads there.
        return !allowed.isEmpty && (!name.contains(".") || name.hasSuffix(".internal") || name.hasSuffix(".local")) ? nil : .notEncrypted
    }

    enum Fault: String, Sendable, CaseIterable {
        case malformed, credentials, notPublic, notEncrypted, oddNumber, macroUnknown

        var sentence: String {
            switch self {
            case .malformed: "Must be an address such as https://shop.example/hooks, of at most \(WebhookEndpoint.urlBytesMax) characters."
            case .credentials: "Must hold no user name, no password and no part after #."
            case .notPublic: "Leads to an address that is not public; a server's operator may allow its network with KITH_EGRESS_ALLOW."
            case .notEncrypted: "Must begin with https://; http:// is for networks that the server's operator allows with KITH_EGRESS_ALLOW."
            case .oddNumber: "Write the address as a name, or as four numbers from 0 to 255."
            case .macroUnknown: "May name {click_id}, {transaction_id}, {commission_amount}, {currency} and {event_type}, after the host alone."
            }
        }
    }

    /// Whether a resolver that reads old ways of writing numbers would take this for an address.
    private static func isNumeric(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: true)
        guard let last = labels.last else { return true }
        if last.hasPrefix("0x") { return true }
        return last.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension Problem {
    static func webhookURL(_ fault: WebhookURL.Fault) -> Problem { Refusal.field("url", fault.sentence, code: "invalid_url") }
}
