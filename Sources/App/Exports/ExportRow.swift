import Persistence
import Web

/// A row as a line of JSON: integers as numbers, bytes as `{"hex": "…"}`.
enum ExportRow {
    static func json(_ row: Row, omitting omitted: Set<String>, adding extra: [JSONMember] = []) -> JSONValue {
        .object(
            zip(row.columns.names, row.values).filter { !omitted.contains($0.0) }.map { JSONMember($0.0, json($0.1)) } + extra)
    }

    static func json(_ value: Value) -> JSONValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .text(let text): .text(text)
        case .blob(let bytes): ["hex": .text(hexadecimal(bytes))]
        case .real(let number): ["real": .text(String(number))]
        }
    }

    /// The values of a line's columns. Throws when a name or value can't be one of a column.
    static func values(_ members: [JSONMember]) throws -> [(name: String, value: Value)] {
        try members.map { member in
            guard !member.name.isEmpty, member.name.utf8.allSatisfy({ ($0 >= 0x61 && $0 <= 0x7A) || $0 == 0x5F }) else { throw Malformed(name: member.name) }
            return (member.name, try value(member))
        }
    }

    struct Malformed: Error, CustomStringConvertible {
        var name: String
        var description: String { "\(name.prefix(60)) holds what an export never writes. Export again with the same version of Kith." }
    }

    private static func value(_ member: JSONMember) throws -> Value {
        switch member.value {
        case .null: return .null
        case .text(let text): return .text(text)
        case .number(let number):
            guard let integer = number.integer else { throw Malformed(name: member.name) }
            return .integer(integer)
        case .object:
            if case .text(let text)? = member.value["hex"], let bytes = bytes(text) { return .blob(bytes) }
            if case .text(let text)? = member.value["real"], let number = Double(text) { return .real(number) }
            throw Malformed(name: member.name)
        case .boolean, .array: throw Malformed(name: member.name)
        }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let halves = text.utf8.compactMap { byte in digits.firstIndex(of: byte).map { UInt8($0) } }
        guard halves.count == text.utf8.count, halves.count % 2 == 0 else { return nil }
        return stride(from: 0, to: halves.count, by: 2).map { halves[$0] << 4 | halves[$0 + 1] }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
