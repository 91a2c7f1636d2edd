import Chronology
import HTTPTypes
import Testing
import Web

/// An answer over HTTP.
struct Reply: Sendable {
    var status: Int
    var headers: HTTPFields
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONValue.parse(body, maximumBytes: 64_000_000)) ?? .null }
    /// The `code` of a problem.
    var code: String { json["code"].text }
    /// The fields that a problem names.
    var fields: [String] { json["errors"].list.map { $0["field"].text } }
    var isReplayed: Bool { HTTPField.Name("Idempotency-Replayed").map { headers[$0] == "true" } ?? false }

    /// The JSON, when the call succeeded.
    func success(_ what: String) throws -> JSONValue {
        guard (200..<300).contains(status) else { throw Unexpected(description: "\(what) answered \(status): \(text)") }
        return json
    }
}

struct Unexpected: Error, CustomStringConvertible {
    var description: String
}

/// Reading what must be there: a missing member reads as empty, and the expectation that uses it fails.
extension JSONValue {
    var textValue: String { if case .text(let text) = self { text } else { "" } }
    var integerValue: Int64? { if case .number(let number) = self { number.integer } else { nil } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var names: [String] { if case .object(let members) = self { members.map(\.name) } else { [] } }
    func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name } + [JSONMember(name, value)])
    }
}

extension Optional<JSONValue> {
    var text: String { self?.textValue ?? "" }
    var integer: Int64? { self?.integerValue }
    var list: [JSONValue] { self?.elements ?? [] }
    subscript(name: String) -> JSONValue? { self.flatMap { $0[name] } }
    func instant() throws -> Instant { try Instant(rfc3339: text) }
}

/// A document in which ids, times, hashes and sequences stand as what they are, numbered in order of appearance,
/// so that two runs of one story read alike.
enum Normal {
    static func form(_ value: JSONValue) -> JSONValue {
        var names: [String: String] = [:]
        return form(value, &names)
    }

    // The depth is that of the answers' own shape.
    private static func form(_ value: JSONValue, _ names: inout [String: String]) -> JSONValue {
        switch value {
        case .text(let text): return .text(replaced(text, &names))
        case .array(let elements):
            var kept: [JSONValue] = []
            for element in elements { kept.append(form(element, &names)) }
            return .array(kept)
        case .object(let members):
            var kept: [JSONMember] = []
            for member in members { kept.append(JSONMember(member.name, form(member.value, &names))) }
            return .object(kept)
        default: return value
        }
    }

    private static func replaced(_ text: String, _ names: inout [String: String]) -> String {
        if let instant = try? Instant(rfc3339: text) {
            _ = instant
            return "<time>"
        }
        var result = ""
        for part in text.split(separator: "/", omittingEmptySubsequences: false) {
            if !result.isEmpty || text.hasPrefix("/") && part.startIndex != text.startIndex { result += "/" }
            let pieces = part.split(separator: "_")
            if pieces.count == 2, pieces[1].count == 26, pieces[1].allSatisfy({ $0.isNumber || $0.isLowercase }) {
                let known = names.filter { $0.value.hasPrefix("<\(pieces[0])") }.count
                let name = names[String(part)] ?? "<\(pieces[0]) \(known + 1)>"
                names[String(part)] = name
                result += name
            } else {
                result += part
            }
        }
        return result
    }
}
