import Yams

/// A value of a plan's text, with its place.
struct PlanNode {
    enum Content {
        case null
        case boolean(Bool)
        case integer(Int64)
        /// A number that is no whole one, or too large.
        case number(String)
        case text(String)
        case list([PlanNode])
        case map([PlanEntry])
    }
    let line: Int
    let column: Int
    let path: String
    let content: Content

    var text: String? { if case .text(let text) = content { text } else { nil } }
    var entries: [PlanEntry]? { if case .map(let entries) = content { entries } else { nil } }
    var items: [PlanNode]? { if case .list(let items) = content { items } else { nil } }

    func child(_ key: String) -> PlanNode? { entries?.first { $0.key == key }?.value }

    /// What the value is, for messages.
    var kind: String {
        switch content {
        case .null: "nothing"
        case .boolean(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .number(let text): "the number \(text)"
        case .text(let text): "the text “\(text.prefix(40))”"
        case .list: "a list"
        case .map: "an object"
        }
    }
}

struct PlanEntry {
    let key: String
    let line: Int
    let column: Int
    let value: PlanNode
}

/// Reads YAML 1.2's core schema, of which JSON is a part: plain `NO` and `on` are texts, `1_000` is no number. Anchors,
/// aliases, tags and further documents are refused, and everything has a limit, so that a small text can't become a large one.
struct PlanNodeReader {
    static let bytesLimit = 1 << 20
    static let depthLimit = 64
    static let nodesLimit = 100_000
    static let keyBytesLimit = 64

    private var nodesCount = 0

    static func read(_ text: String) throws(PlanTextFailure) -> PlanNode {
        guard text.utf8.count <= bytesLimit else { throw refusal(0, 0, "", "the text is longer than \(bytesLimit) bytes") }
        try refuseAnchors(text)
        let root: Node
        do {
            guard let node = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot() else { throw refusal(1, 1, "", "the text is empty") }
            root = node
        } catch let failure as PlanTextFailure {
            throw failure
        } catch let error as YamlError {
            throw refusal(of: error)
        } catch {
            throw refusal(0, 0, "", "the text is no YAML")
        }
        var reader = PlanNodeReader()
        return try reader.convert(root, path: "", depth: 0)
    }

    /// Aliases are expanded while a text is parsed, so they are refused before. An anchor or alias is `&` or `*`
    /// before a letter, digit, `-` or `_` and after anything but those.
    private static func refuseAnchors(_ text: String) throws(PlanTextFailure) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let bytes = Array(line.utf8)
            let hasQuotes = bytes.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
            var before = UInt8(ascii: " ")
            for (place, byte) in bytes.enumerated() {
                // Without quotes on the line a # after a space starts a comment, or all of the line is inside of a text.
                if byte == UInt8(ascii: "#"), !hasQuotes, before == 32 || before == 9 { break }
                if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), !isNameByte(before), place + 1 < bytes.count, isNameByte(bytes[place + 1]) {
                    throw refusal(
                        number + 1, place + 1, "",
                        "anchors and aliases are not part of the language; write the value out (in a text, put a space after & and *)")
                }
                before = byte
            }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    private mutating func convert(_ node: Node, path: String, depth: Int) throws(PlanTextFailure) -> PlanNode {
        let line = node.mark?.line ?? 0
        let column = node.mark?.column ?? 0
        nodesCount += 1
        guard depth <= Self.depthLimit else { throw Self.refusal(line, column, path, "more than \(Self.depthLimit) levels inside each other") }
        guard nodesCount <= Self.nodesLimit else { throw Self.refusal(line, column, path, "more than \(Self.nodesLimit) values") }
        guard node.anchor == nil else { throw Self.refusal(line, column, path, "anchors are not part of the language") }
        switch node {
        case .alias: throw Self.refusal(line, column, path, "aliases are not part of the language")
        case .scalar(let scalar):
            guard Self.isUntagged(node) else { throw Self.refusal(line, column, path, "tags are not part of the language") }
            return PlanNode(line: line, column: column, path: path, content: Self.content(scalar))
        case .sequence(let sequence):
            guard Self.isUntagged(node) else { throw Self.refusal(line, column, path, "tags are not part of the language") }
            var items: [PlanNode] = []
            for (number, item) in sequence.enumerated() { items.append(try convert(item, path: "\(path)[\(number)]", depth: depth + 1)) }
            return PlanNode(line: line, column: column, path: path, content: .list(items))
        case .mapping(let mapping):
            guard Self.isUntagged(node) else { throw Self.refusal(line, column, path, "tags are not part of the language") }
            var entries: [PlanEntry] = []
            var keys: Set<String> = []
            for (key, value) in mapping {
                let line = key.mark?.line ?? line
                let column = key.mark?.column ?? column
                guard case .scalar(let scalar) = key, scalar.string.utf8.count <= Self.keyBytesLimit else {
                    throw Self.refusal(line, column, path, "a key is a text of at most \(Self.keyBytesLimit) bytes")
                }
                guard keys.insert(scalar.string).inserted else {
                    throw Self.refusal(line, column, path, "the key “\(scalar.string)” stands here twice")
                }
                let place = path.isEmpty ? scalar.string : path + "." + scalar.string
                entries.append(
                    PlanEntry(key: scalar.string, line: line, column: column, value: try convert(value, path: place, depth: depth + 1)))
            }
            return PlanNode(line: line, column: column, path: path, content: .map(entries))
        }
    }

    /// Without rules every scalar is a text, so that only a tag that was written shows; `!!str` does no harm.
    private static func isUntagged(_ node: Node) -> Bool {
        switch node {
        case .mapping: node.tag == Tag(.map)
        case .sequence: node.tag == Tag(.seq)
        default: node.tag == Tag(.str)
        }
    }

    private static func content(_ scalar: Node.Scalar) -> PlanNode.Content {
        let text = scalar.string
        guard scalar.style == .plain else { return .text(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: break
        }
        guard let number = number(text) else { return .text(text) }
        return number
    }

    /// `-?digits[.digits][e±digits]`; a whole number may be written `5.0`, as in JSON Schema.
    private static func number(_ text: String) -> PlanNode.Content? {
        var rest = Substring(text)
        if rest.first == "-" { rest.removeFirst() }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty else { return nil }
        rest = rest.dropFirst(whole.count)
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(fraction.count)
        }
        let hasExponent = rest.first == "e" || rest.first == "E"
        if hasExponent {
            rest.removeFirst()
            if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count)
        }
        guard rest.isEmpty else { return nil }
        let sign = text.hasPrefix("-") ? "-" : ""
        guard !hasExponent, fraction.allSatisfy({ $0 == "0" }), whole.count == 1 || whole.first != "0", let value = Int64(sign + whole) else {
            return .number(text)
        }
        return .integer(value)
    }

    private static func refusal(of error: YamlError) -> PlanTextFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            return refusal(mark.line, mark.column, "", problem)
        case .reader(let problem, _, _, _): return refusal(0, 0, "", problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return refusal(context.mark.line, context.mark.column, "", "the key “\(duplicates.first ?? "")” stands here twice")
        default: return refusal(0, 0, "", "the text is no YAML")
        }
    }

    private static func refusal(_ line: Int, _ column: Int, _ path: String, _ message: String) -> PlanTextFailure {
        PlanTextFailure(problems: [PlanTextProblem(kind: .text, line: line, column: column, path: path, message: message)])
    }
}
