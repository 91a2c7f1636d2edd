/// What a ledger account counts: a currency (`EUR`), credit to be spent at the company (`credit:EUR`), or points by name (`points`).
public struct UnitCode: Hashable, Comparable, Sendable {
    /// What stands behind the code.
    public enum Kind: Hashable, Sendable {
        case currency(Currency)
        case credit(Currency)
        case points(name: String)
    }

    public let kind: Kind

    /// The longest name of a points unit.
    public static let longestNameBytes = 32

    public static let points = UnitCode(kind: .points(name: "points"))

    public static func currency(_ currency: Currency) -> UnitCode { UnitCode(kind: .currency(currency)) }

    public static func credit(_ currency: Currency) -> UnitCode { UnitCode(kind: .credit(currency)) }

    /// Reads a code: an ISO 4217 code, `credit:` and one, or a lower-case name of a–z, 0–9, `_`, `-` that starts with a
    /// letter and has at most 32 bytes (not `credit`). Throws `.malformed` for anything else.
    public init(_ code: String) throws(MoneyFailure) {
        if let currency = Currency(code: code) {
            kind = .currency(currency)
        } else if code.hasPrefix(Self.creditPrefix), let currency = Currency(code: String(code.dropFirst(7))) {
            kind = .credit(currency)
        } else if Self.isPointsName(code) {
            kind = .points(name: code)
        } else {
            throw .malformed
        }
    }

    public var code: String {
        switch kind {
        case .currency(let currency): currency.code
        case .credit(let currency): Self.creditPrefix + currency.code
        case .points(let name): name
        }
    }

    /// Digits after the point when shown: the currency's, or 0 for points.
    public var exponent: Int {
        switch kind {
        case .currency(let currency), .credit(let currency): currency.exponent
        case .points: 0
        }
    }

    public static func < (one: UnitCode, other: UnitCode) -> Bool {
        one.code.utf8.lexicographicallyPrecedes(other.code.utf8)
    }

    private init(kind: Kind) {
        self.kind = kind
    }

    private static let creditPrefix = "credit:"

    private static func isPointsName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (97...122).contains(first), name.utf8.count <= longestNameBytes,
            name != "credit"
        else { return false }
        return name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }
}

extension UnitCode: CustomStringConvertible {
    public var description: String { code }
}
