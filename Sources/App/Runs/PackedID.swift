/// An id of a member, customer, sale or refund in 16 bytes and its kind. Sorts as the texts do, byte by byte.
struct PackedID: Hashable, Comparable, Sendable {
    /// In the order of their bytes.
    private static let prefixes = ["cus_", "mem_", "ref_", "sale_"]

    private let kind: UInt8
    private let value: UInt128
    /// A sale of several products, part by part: 0 is the whole or the first.
    private let part: UInt16

    init(kind: UInt8, value: UInt128, part: UInt16) {
        self.kind = kind
        self.value = value
        self.part = part
    }

    /// Nil when it is no id that Kith made.
    init?(_ text: String) {
        var body = Substring(text)
        var part: UInt16 = 0
        if let slash = text.lastIndex(of: "/") {
            guard let number = UInt16(text[text.index(after: slash)...]) else { return nil }
            part = number
            body = text[..<slash]
        }
        guard let kind = Self.prefixes.firstIndex(where: { body.hasPrefix($0) }) else { return nil }
        let digits = body.utf8.dropFirst(Self.prefixes[kind].utf8.count)
        guard digits.count == 26 else { return nil }
        var value: UInt128 = 0
        for digit in digits {
            guard let number = Self.number(of: digit) else { return nil }
            value = value << 5 | UInt128(number)
        }
        self.init(kind: UInt8(kind), value: value, part: part)
    }

    var partNumber: Int { Int(part) }

    func with(part: Int) -> PackedID { PackedID(kind: kind, value: value, part: UInt16(clamping: part)) }

    var isMember: Bool { kind == 1 }
    var isCustomer: Bool { kind == 0 }

    /// Without the part.
    var wholeText: String {
        var bytes: [UInt8] = []
        writeWhole(utf8: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Puts the text in the place of what the bytes held.
    func write(utf8 bytes: inout [UInt8]) {
        writeWhole(utf8: &bytes)
        if part != 0 { bytes.append(contentsOf: "/\(part)".utf8) }
    }

    private func writeWhole(utf8 bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: Self.prefixes[Int(kind)].utf8)
        for shift in stride(from: 125, through: 0, by: -5) {
            bytes.append(Base32.digits[Int(truncatingIfNeeded: value >> UInt128(shift)) & 31])
        }
    }

    var text: String { part == 0 ? wholeText : "\(wholeText)/\(part)" }

    static func < (one: PackedID, other: PackedID) -> Bool {
        if one.kind != other.kind { return one.kind < other.kind }
        return one.value != other.value ? one.value < other.value : one.part < other.part
    }

    private static let numbers: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (number, digit) in Base32.digits.enumerated() { table[Int(digit)] = UInt8(number) }
        return table
    }()

    private static func number(of digit: UInt8) -> UInt8? {
        let number = numbers[Int(digit)]
        return number == 255 ? nil : number
    }
}

extension PackedWriter {
    mutating func id(_ id: PackedID) { id.write(to: &self) }
}

extension PackedReader {
    mutating func id() throws -> PackedID { try PackedID.read(&self) }
}

extension PackedID {
    fileprivate func write(to writer: inout PackedWriter) {
        writer.unsigned(UInt64(kind) | UInt64(part) << 2)
        writer.whole(value)
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> PackedID {
        let head = try reader.unsigned()
        return PackedID(kind: UInt8(head & 3), value: try reader.whole(), part: UInt16(truncatingIfNeeded: head >> 2))
    }
}
