/// An active currency of ISO 4217 with its minor unit.
public struct Currency: Hashable, Comparable, Sendable {
    /// Three upper-case letters.
    public let code: String
    /// The three-digit number of ISO 4217, such as 978 for EUR.
    public let number: Int
    /// Digits of the minor unit: 0, 2, 3 or 4.
    public let exponent: Int

    /// Nil for codes that are not in the table: withdrawn ones, lower case, metals and others without a minor unit.
    public init?(code: String) {
        guard let known = Self.byCode[code], known.code.utf8.elementsEqual(code.utf8) else { return nil }
        self = known
    }

    /// All active currencies in the order of their codes.
    public static let all: [Currency] = byCode.values.sorted()

    public static func < (one: Currency, other: Currency) -> Bool {
        one.code.utf8.lexicographicallyPrecedes(other.code.utf8)
    }

    private init(code: String, number: Int, exponent: Int) {
        self.code = code
        self.number = number
        self.exponent = exponent
    }

    private static let byCode: [String: Currency] = {
        var currencies: [String: Currency] = [:]
        for entry in currencyTable.split(whereSeparator: \.isWhitespace) {
            let code = String(entry.prefix(3))
            guard entry.utf8.count == 7, let number = Int(entry.dropFirst(3).prefix(3)), let exponent = Int(entry.suffix(1))
            else { continue }
            currencies[code] = Currency(code: code, number: number, exponent: exponent)
        }
        return currencies
    }()
}

extension Currency: CustomStringConvertible {
    public var description: String { code }
}
