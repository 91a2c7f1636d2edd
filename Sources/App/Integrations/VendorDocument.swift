import Chronology
import Money
import Web

/// Reading vendors' documents: what is missing or of another kind is nil, for they add and leave out as they like.
extension JSONValue {
    /// A text that is not blank.
    func string(_ name: String) -> String? {
        guard case .text(let text)? = self[name], !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { return nil }
        return text
    }

    /// An id that vendors write as a number or as a text.
    func id(_ name: String) -> String? {
        switch self[name] {
        case .text(let text)? where !text.isEmpty: text
        case .number(let number)?: number.integer.map(String.init)
        default: nil
        }
    }

    /// An id, or the id of an object that stands in its place.
    func reference(_ name: String) -> String? { id(name) ?? self[name]?.id("id") }

    func whole(_ name: String) -> Int64? { if case .number(let number)? = self[name] { number.integer } else { nil } }

    /// An amount in a smallest unit: nil when it is not there, refused when it is anything but a whole number that is not negative.
    func amount(_ name: String) throws -> Int64? {
        switch self[name] {
        case nil, .null?: return nil
        case .number(let number)?:
            if let whole = number.integer, whole >= 0 { return whole }
        default: break
        }
        throw VendorRefusal(code: "malformed_amount", detail: "\(name) is not a whole number of the currency's smallest unit.")
    }

    func flag(_ name: String) -> Bool? { if case .boolean(let flag)? = self[name] { flag } else { nil } }

    func list(_ name: String) -> [JSONValue] { if case .array(let elements)? = self[name] { elements } else { [] } }

    /// The value at a path of names.
    func at(_ path: String...) -> JSONValue? {
        var value: JSONValue? = self
        for name in path { value = value?[name] }
        return value
    }

    /// A decimal that vendors write as a text or as a number.
    func decimal(_ name: String) -> String? {
        switch self[name] {
        case .text(let text)? where !text.isEmpty: text
        case .number(let number)?: number.token
        default: nil
        }
    }
}

enum VendorMoney {
    static func currency(_ code: String?) throws -> Currency {
        let upper = (code ?? "").uppercased()
        guard let currency = Currency(code: upper) else {
            throw VendorRefusal(
                code: "unknown_currency",
                detail: code == nil ? "The event names no currency." : "\(upper.prefix(20)) is no currency of ISO 4217.")
        }
        return currency
    }

    /// A decimal text such as `19.90` in minor units, exactly. Zeros beyond the currency's digits are dropped; other digits are refused.
    static func minor(_ text: String?, _ currency: Currency, _ field: String) throws -> Int64 {
        guard let text else { throw VendorRefusal(code: "missing_amount", detail: "The event has no \(field).") }
        var plain = text
        if let point = plain.firstIndex(of: ".") {
            while plain.hasSuffix("0"), plain.distance(from: point, to: plain.endIndex) > currency.exponent + 1 { plain.removeLast() }
            if plain.hasSuffix(".") { plain.removeLast() }
        }
        do {
            return try Amount(decimalText: plain, exponent: currency.exponent).minor
        } catch {
            throw VendorRefusal(
                code: "malformed_amount", detail: "\(field) is not an amount in \(currency.code) with at most \(currency.exponent) decimals.")
        }
    }

    /// What is left without tax; more tax than was paid is a mistake and no sale of nothing.
    static func untaxed(_ grossMinor: Int64, tax taxMinor: Int64) throws -> Int64 {
        guard (0...grossMinor).contains(taxMinor) else {
            throw VendorRefusal(code: "malformed_amount", detail: "The tax is more than what was paid with it.")
        }
        return grossMinor - taxMinor
    }

    /// The part of `gross` that `net` is, of an amount told with tax: rounded once.
    static func share(of amountMinor: Int64, net: Int64, gross: Int64) throws -> Int64 {
        guard gross > 0 else { return 0 }
        return try Rounding.halfEven(Int128(amountMinor) * Int128(net), over: Int128(gross))
    }
}

enum VendorTime {
    /// Seconds since 1970 as vendors tell them. The whole second is meant, so its end counts: a click in the same second came before.
    static func seconds(_ value: Int64?) -> Instant? {
        guard let value, value > 0, value < 253_402_300_800 else { return nil }
        return Instant(millisecondsSince1970: value * 1_000 + 999)
    }

    /// RFC 3339 with an offset, or without one where the vendor means UTC.
    static func text(_ value: String?, isUTC: Bool = false) -> Instant? {
        guard let value else { return nil }
        guard let instant = try? Instant(rfc3339: isUTC && !value.hasSuffix("Z") ? value + "Z" : value) else { return nil }
        return value.contains(".") ? instant : (try? instant.adding(milliseconds: 999)) ?? instant
    }
}

extension VendorTouch {
    /// How many texts of one kind are looked at.
    private static let textsMax = 20

    /// Our keys, then those of systems that companies come from:
    /// - Dub: `dubCustomerExternalId`, `dubClickId`, `client_reference_id` = `dub_id_…` (dub.co/docs, Stripe)
    /// - Rewardful: `referral`, `client_reference_id` (developers.rewardful.com, Stripe Checkout)
    /// - PromoteKit: `promotekit_referral` (promotekit.com/docs/affiliate-links/stripe-api)
    /// - Tolt: `tolt_referral` (help.tolt.io, "How to set up Stripe with Tolt")
    static func metadata(_ metadata: JSONValue?) -> VendorTouch {
        guard let metadata else { return VendorTouch() }
        var touch = VendorTouch()
        touch.clicks = ["kith_click", "dubClickId", "promotekit_referral", "tolt_referral", "referral"].compactMap { metadata.string($0) }
        touch.codes = metadata.string("kith_code").map { [$0] } ?? []
        touch.customerExternalID = (metadata.string("kith_customer") ?? metadata.string("dubCustomerExternalId")).flatMap(Normalised.externalID)
        return touch
    }

    /// Fields of an order by name: Shopify's note attributes, WooCommerce's meta data.
    static func attributes(_ elements: [JSONValue], name: String, value: String) -> VendorTouch {
        var members: [JSONMember] = []
        for element in elements.prefix(200) {
            guard let key = element.string(name), let text = element.string(value) else { continue }
            let plain = String(key.drop { $0 == "_" })
            if plain.hasPrefix("kith_"), members.count < textsMax { members.append(JSONMember(plain, .text(text))) }
        }
        return metadata(.object(members))
    }
}
