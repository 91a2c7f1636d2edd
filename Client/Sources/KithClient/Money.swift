/// A currency by its ISO 4217 code.
public struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// Three capital letters.
    public let code: String

    /// Nil when the text has not the form of a code. Which codes there are is the server's to know.
    public init?(_ code: String) {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { return nil }
        self.code = code
    }

    private init(known code: String) { self.code = code }

    public static let eur = Currency(known: "EUR")
    public static let usd = Currency(known: "USD")
    public static let gbp = Currency(known: "GBP")
    public static let chf = Currency(known: "CHF")
    public static let jpy = Currency(known: "JPY")

    public var description: String { code }
}

extension Currency: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let currency = Currency(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text.prefix(20)) is no currency")
        }
        self = currency
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(code)
    }
}

/// An amount in the smallest unit of its currency: 12.34 € is `Money(minor: 1234, .eur)`, 100 ¥ is `Money(minor: 100, .jpy)`.
///
/// There is no way to make one from a floating-point number, and none to add two of different currencies.
public struct Money: Hashable, Sendable {
    /// In minor units of the currency. Answers may be below zero, what is told to Kith may not.
    public let amountMinor: Int64
    public let currency: Currency

    public init(minor amountMinor: Int64, _ currency: Currency) {
        self.amountMinor = amountMinor
        self.currency = currency
    }

    /// Nil when the currencies differ or the sum is too large.
    public func adding(_ other: Money) -> Money? {
        let (sum, isTooLarge) = amountMinor.addingReportingOverflow(other.amountMinor)
        return currency == other.currency && !isTooLarge ? Money(minor: sum, currency) : nil
    }
}
