public import NIOCore

/// Why a text is not acceptable JSON, and the byte at which it shows.
public struct JSONSyntaxError: Error, Sendable, Equatable {
    /// Distance from the first byte.
    public let offset: Int
    /// An English sentence part, for instance "a name appears twice".
    public let reason: String
    /// The path of the field that stands there twice, for instance "items[0].amount"; nil for all other failures.
    public internal(set) var repeatedField: String? = nil
    /// The path of the field whose text holds what no text may, NUL or half a character; nil for all other failures.
    public internal(set) var unfitField: String? = nil

    /// What the sender of a body is told: 422 with the field that cannot be taken, 400 for text that is no JSON.
    public var problem: Problem {
        if let unfitField { return .unprocessable(errors: [FieldError(field: unfitField, message: "Must be a text without NUL and half characters: it has \(reason).")]) }
        if let repeatedField {
            return .unprocessable(errors: [FieldError(field: repeatedField, message: "Stands there more than once.")])
        }
        return .badRequest(code: "malformed_json", detail: "The body is not acceptable JSON at byte \(offset): \(reason).")
    }
}

/// The limits of a JSON document.
public enum JSONLimits {
    /// Arrays and objects inside each other.
    public static let maximumDepth = 32
    /// Characters of one number token.
    public static let maximumNumberLength = 64
}

extension JSONValue {
    /// Reads one document strictly: valid UTF-8, no name twice, no NUL, no lone surrogate, at most 32 levels, nothing after the value.
    public static func parse(_ bytes: [UInt8], maximumBytes: Int) throws(JSONSyntaxError) -> JSONValue {
        try parse(collection: bytes, maximumBytes: maximumBytes)
    }

    /// Reads the readable bytes of a buffer.
    public static func parse(_ buffer: ByteBuffer, maximumBytes: Int) throws(JSONSyntaxError) -> JSONValue {
        try parse(collection: Array(buffer.readableBytesView), maximumBytes: maximumBytes)
    }

    private static func parse(collection: [UInt8], maximumBytes: Int) throws(JSONSyntaxError) -> JSONValue {
        guard collection.count <= maximumBytes else {
            throw JSONSyntaxError(offset: maximumBytes, reason: "the document is larger than \(maximumBytes) bytes")
        }
        var parser = JSONParser(bytes: collection)
        return try parser.document()
    }
}

/// Walks the bytes once with a stack of open containers, never by recursion.
private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// What stands open; changed in place, because a copy of it for each member makes a long list cost its square.
    private struct Container {
        var elements: [JSONValue] = []
        var members: [JSONMember] = []
        var names: Set<String> = []
        /// The name whose value comes next; nil in an array.
        var pending: String?
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        var open: [Container] = []
        while true {
            skipSpace()
            var value: JSONValue?
            switch try peek() {
            case UInt8(ascii: "{"):
                position += 1
                skipSpace()
                if try peek() == UInt8(ascii: "}") {
                    position += 1
                    value = .object([])
                } else {
                    let name = try memberName()
                    open.append(Container(names: [name], pending: name))
                }
            case UInt8(ascii: "["):
                position += 1
                skipSpace()
                if try peek() == UInt8(ascii: "]") {
                    position += 1
                    value = .array([])
                } else {
                    open.append(Container())
                }
            default:
                do {
                    value = try scalar()
                } catch {
                    guard Self.unfitReasons.contains(error.reason) else { throw error }
                    var unfit = error
                    unfit.unfitField = path(in: open[...])
                    throw unfit
                }
            }
            if open.count > JSONLimits.maximumDepth || (open.count == JSONLimits.maximumDepth && isEmptyContainer(value)) {
                throw failure("more than \(JSONLimits.maximumDepth) levels of nesting")
            }
            guard var finished = value else { continue }
            closing: while true {
                skipSpace()
                guard let last = open.indices.last else {
                    guard position == bytes.count else { throw failure("something follows the value") }
                    return finished
                }
                let next = try peek()
                position += 1
                guard let pending = open[last].pending else {
                    open[last].elements.append(finished)
                    if next == UInt8(ascii: ",") { break closing }
                    guard next == UInt8(ascii: "]") else { throw failure("an array needs , or ]", at: position - 1) }
                    finished = .array(open.removeLast().elements)
                    continue
                }
                open[last].members.append(JSONMember(pending, finished))
                if next == UInt8(ascii: ",") {
                    skipSpace()
                    let start = position
                    let name = try memberName()
                    guard open[last].names.insert(name).inserted else {
                        var twice = failure("a name appears twice in one object", at: start)
                        twice.repeatedField = path(to: name, in: open.dropLast())
                        throw twice
                    }
                    open[last].pending = name
                    break closing
                }
                guard next == UInt8(ascii: "}") else { throw failure("an object needs , or }", at: position - 1) }
                finished = .object(open.removeLast().members)
            }
        }
    }

    /// Where a member of an object stands, as refusals name fields.
    private func path(to name: String, in open: ArraySlice<Container>) -> String {
        let path = path(in: open)
        return path.isEmpty ? name : "\(path).\(name)"
    }

    private func path(in open: ArraySlice<Container>) -> String {
        var path = ""
        for container in open {
            guard let pending = container.pending else {
                path += "[\(container.elements.count)]"
                continue
            }
            path += path.isEmpty ? pending : ".\(pending)"
        }
        return path
    }

    private static let loneSurrogate = "a lone surrogate"
    private static let nul = "the NUL character"
    private static let unfitReasons: Set<String> = [loneSurrogate, nul]

    private func isEmptyContainer(_ value: JSONValue?) -> Bool {
        switch value {
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    private mutating func memberName() throws(JSONSyntaxError) -> String {
        guard try peek() == UInt8(ascii: "\"") else { throw failure("a name must be a text in double quotes") }
        let name = try text()
        skipSpace()
        guard try peek() == UInt8(ascii: ":") else { throw failure("a name needs : after it") }
        position += 1
        return name
    }

    private mutating func scalar() throws(JSONSyntaxError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw failure("a value is expected")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        let matches = word.withUTF8Buffer { expected in end <= bytes.count && bytes[position..<end].elementsEqual(expected) }
        guard matches else { throw failure("a value is expected") }
        position = end
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONNumber {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        guard whole > 0 else { throw failure("a number needs digits") }
        if whole > 1, bytes[position - whole] == UInt8(ascii: "0") { throw failure("a number has no leading zeros", at: start) }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw failure("a fraction needs digits") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw failure("an exponent needs digits") }
        }
        guard position - start <= JSONLimits.maximumNumberLength else { throw failure("a number is too long", at: start) }
        return JSONNumber(token: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        return position - start
    }

    private mutating func text() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        var unescaped: [UInt8]?
        while true {
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                let content = unescaped ?? Array(bytes[start..<position])
                position += 1
                guard let text = String(validating: content, as: UTF8.self) else { throw failure("a text is not valid UTF-8", at: start) }
                return text
            case UInt8(ascii: "\\"):
                if unescaped == nil { unescaped = Array(bytes[start..<position]) }
                position += 1
                unescaped?.append(contentsOf: try escaped())
            case 0..<0x20:
                throw failure("a control character in a text must be escaped")
            default:
                unescaped?.append(byte)
                position += 1
            }
        }
    }

    private mutating func escaped() throws(JSONSyntaxError) -> [UInt8] {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw failure("an unknown escape", at: position - 1)
        }
        var code = UInt32(try hexadecimal())
        if code == 0 { throw failure(Self.nul, at: position - 6) }
        if (0xD800..<0xDC00).contains(code) {
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else {
                throw failure(Self.loneSurrogate, at: position - 6)
            }
            position += 2
            let low = UInt32(try hexadecimal())
            guard (0xDC00..<0xE000).contains(low) else { throw failure(Self.loneSurrogate, at: position - 12) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure(Self.loneSurrogate, at: position - 6) }
        return Array(UTF8.encode(scalar) ?? .init())
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = try peek()
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONSyntaxError) -> UInt8 {
        guard position < bytes.count else { throw failure("the document ends too early") }
        return bytes[position]
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func failure(_ reason: String, at offset: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(offset: offset ?? position, reason: reason)
    }
}
