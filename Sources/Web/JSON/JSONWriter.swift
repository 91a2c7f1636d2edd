public import NIOCore

/// Writes JSON straight into bytes: members in the order of the calls, no white space, all texts escaped.
///
///     var writer = JSONWriter()
///     writer.object { $0.field("id", id); $0.field("amount", 1200) }
public struct JSONWriter: Sendable {
    /// The text so far, UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init(reservedBytes: Int = 512) { bytes.reserveCapacity(reservedBytes) }

    /// The text so far as a buffer, for an answer.
    public var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

    // MARK: Members of an object

    public mutating func field(_ name: String, _ value: String) { self.name(name); text(value) }
    public mutating func field(_ name: String, _ value: Int64) { self.name(name); integer(value) }
    public mutating func field(_ name: String, _ value: Int) { self.name(name); integer(Int64(value)) }
    public mutating func field(_ name: String, _ value: Bool) { self.name(name); boolean(value) }
    public mutating func field(_ name: String, _ value: JSONValue) { self.name(name); self.value(value) }
    /// A text or `null`.
    public mutating func field(_ name: String, _ value: String?) { self.name(name); if let value { text(value) } else { null() } }
    /// An integer or `null`.
    public mutating func field(_ name: String, _ value: Int64?) { self.name(name); if let value { integer(value) } else { null() } }
    public mutating func field(_ name: String, _ values: [String]) {
        array(name) { writer in for value in values { writer.text(value) } }
    }
    public mutating func object(_ name: String, _ members: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try object(members)
    }
    public mutating func array(_ name: String, _ elements: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try array(elements)
    }

    // MARK: Values

    public mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
        try enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    public mutating func array(_ elements: (inout JSONWriter) throws -> Void) rethrows {
        try enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    public mutating func text(_ value: String) {
        separate()
        quoted(value)
    }

    public mutating func integer(_ value: Int64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    public mutating func boolean(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// A whole value. Its depth is that of the program's own nesting or of the reader's limit, so recursion is bounded.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .boolean(let flag): boolean(flag)
        case .text(let text): self.text(text)
        case .number(let number):
            separate()
            bytes.append(contentsOf: number.token.utf8)
        case .array(let elements): array { writer in for element in elements { writer.value(element) } }
        case .object(let members): object { writer in for member in members { writer.field(member.name, member.value) } }
        }
    }

    /// A document that is already JSON, for instance a stored answer. It is copied unchanged.
    public mutating func raw(_ document: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: document)
    }

    /// The name of the next value.
    public mutating func name(_ name: String) {
        separate()
        quoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        bytes.append(open)
        needsComma = false
        try content(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    private mutating func quoted(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0x0D: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
            case 0x09: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Self.hexadecimal[Int(byte >> 4)])
                bytes.append(Self.hexadecimal[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
