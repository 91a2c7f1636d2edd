/// A JSON document as it was sent: members in their order, numbers as the tokens that were written.
public indirect enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case number(JSONNumber)
    case text(String)
    case array([JSONValue])
    case object([JSONMember])

    /// The number for an integer.
    public static func integer(_ value: Int64) -> JSONValue { .number(JSONNumber(value)) }

    /// A statistic, with all digits that it takes to read the same number back; null where there is no number. Never money.
    public static func decimal(_ value: Double?) -> JSONValue {
        guard let value, value.isFinite else { return .null }
        return .number(JSONNumber(token: "\(value)"))
    }

    /// The member of an object with exactly these bytes as its name; nil for other values and for a missing member.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The document as UTF-8 text without white space, members in their order.
    public var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }
}

/// A name and its value in a JSON object.
public struct JSONMember: Sendable, Equatable {
    public var name: String
    public var value: JSONValue

    public init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// A number as its raw token, so that nothing is lost or rounded before someone says what it should be.
public struct JSONNumber: Sendable, Equatable {
    /// The token as it was written, for instance `1.0` or `1e2`.
    public let token: String

    /// A number whose token is already known to be a JSON number.
    init(token: String) { self.token = token }

    public init(_ value: Int64) { token = String(value) }

    /// The whole number; nil when the token has a fraction or an exponent, even `1.0`, or is outside of Int64.
    public var integer: Int64? { Int64(token) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { JSONMember($0.0, $0.1) }) }
    public init(nilLiteral: ()) { self = .null }
}
