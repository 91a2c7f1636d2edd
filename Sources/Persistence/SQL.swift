/// One statement with its parameters bound apart from its text.
///
///     let sql: SQL = "SELECT name FROM member WHERE id = \(id)"      // text "… id = $1", values [id]
///
/// The text is the same for both engines: `$1` is PostgreSQL's own form, and SQLite reads it as a named
/// parameter that is numbered in order of appearance. Interpolated values can only ever become parameters;
/// a column name or a clause made by the program needs `\(raw:)` and must never hold user text.
public struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    public private(set) var text: String
    public private(set) var values: [Value]

    public init(stringLiteral value: String) {
        text = value
        values = []
    }

    public init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        values = stringInterpolation.values
    }

    public static func + (left: SQL, right: SQL) -> SQL { "\(sql: left)\(sql: right)" }

    public struct StringInterpolation: StringInterpolationProtocol {
        var text: String
        var values: [Value]

        public init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            values = []
            values.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// A bound parameter.
        public mutating func appendInterpolation(_ value: some Bindable) {
            values.append(value.databaseValue)
            text += "$\(values.count)"
        }

        /// A parenthesised list of parameters for `IN`; an empty list matches nothing.
        public mutating func appendInterpolation(list: [some Bindable]) {
            text += "("
            if list.isEmpty { text += "NULL" }
            for (position, value) in list.enumerated() {
                if position > 0 { text += "," }
                appendInterpolation(value)
            }
            text += ")"
        }

        /// Trusted text of the program itself.
        public mutating func appendInterpolation(raw: String) { text += raw }

        /// Another statement's text and values, its parameters renumbered after those already here.
        public mutating func appendInterpolation(sql other: SQL) {
            if values.isEmpty {
                text += other.text
                values = other.values
                return
            }
            let shift = values.count
            var number: Int?
            for character in other.text.unicodeScalars {
                if let digit = character.properties.numericType == .decimal ? Int(String(character)) : nil, let so = number {
                    number = so * 10 + digit
                    continue
                }
                flush(&number, shift)
                if character == "$" { number = 0 } else { text.unicodeScalars.append(character) }
            }
            flush(&number, shift)
            values += other.values
        }

        private mutating func flush(_ number: inout Int?, _ shift: Int) {
            if let found = number { text += found == 0 ? "$" : "$\(found + shift)" }
            number = nil
        }
    }
}
