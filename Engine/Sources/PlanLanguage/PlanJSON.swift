/// A JSON value with its keys in order: what plans and their schema are written as.
indirect enum PlanJSON: Hashable, Sendable {
    case boolean(Bool)
    case integer(Int64)
    case text(String)
    case list([PlanJSON])
    case object([PlanJSONMember])

    static func object(_ members: (String, PlanJSON)...) -> PlanJSON {
        .object(members.map { PlanJSONMember(key: $0.0, value: $0.1) })
    }

    static func texts(_ texts: [String]) -> PlanJSON { .list(texts.map { .text($0) }) }

    subscript(_ key: String) -> PlanJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The object with more members at its end; other values stay as they are.
    func adding(_ key: String, _ value: PlanJSON?) -> PlanJSON {
        guard case .object(let members) = self, let value, !members.contains(where: { $0.key == key }) else { return self }
        return .object(members + [PlanJSONMember(key: key, value: value)])
    }

    /// Without spaces: the bytes that are hashed.
    var compact: String { written(indent: nil, depth: 0) }
    /// Two spaces a level; short lists and objects on one line.
    var pretty: String { written(indent: 2, depth: 0) + "\n" }

    private func written(indent: Int?, depth: Int) -> String {
        switch self {
        case .boolean(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .text(let value): return Self.quoted(value)
        case .list(let items):
            return block("[", "]", items.map { $0.written(indent: indent, depth: depth + 1) }, indent, depth)
        case .object(let members):
            let gap = indent == nil ? ":" : ": "
            return block(
                "{", "}", members.map { Self.quoted($0.key) + gap + $0.value.written(indent: indent, depth: depth + 1) }, indent, depth)
        }
    }

    private func block(_ open: String, _ close: String, _ items: [String], _ indent: Int?, _ depth: Int) -> String {
        guard let indent else { return open + items.joined(separator: ",") + close }
        let line = open + items.joined(separator: ", ") + close
        if line.utf8.count <= 80, !items.contains(where: { $0.contains("\n") }) { return line }
        let space = String(repeating: " ", count: indent * (depth + 1))
        return open + "\n" + items.map { space + $0 }.joined(separator: ",\n") + "\n" + String(repeating: " ", count: indent * depth) + close
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

struct PlanJSONMember: Hashable, Sendable {
    var key: String
    var value: PlanJSON
}
