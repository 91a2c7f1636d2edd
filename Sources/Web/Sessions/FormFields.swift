public import NIOCore

/// The fields of an `application/x-www-form-urlencoded` body, in the order they were sent.
public struct FormFields: Sendable, Equatable {
    /// The most fields a form may have.
    public static let maximumCount = 500
    private let fields: [Field]

    private struct Field: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// - Throws: `Problem` 400 for broken percent escapes, invalid UTF-8, NUL and too many fields.
    public static func parse(_ buffer: ByteBuffer) throws -> FormFields {
        let pairs = buffer.readableBytesView.split(separator: UInt8(ascii: "&"), maxSplits: maximumCount, omittingEmptySubsequences: true)
        guard pairs.count <= maximumCount else {
            throw Problem.badRequest(code: "malformed_form", detail: "A form may have at most \(maximumCount) fields.")
        }
        return FormFields(
            fields: try pairs.map { pair in
                let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                return Field(name: try decode(halves[0]), value: halves.count > 1 ? try decode(halves[1]) : "")
            })
    }

    static func of(_ fields: [(name: String, value: String)]) -> FormFields {
        FormFields(fields: fields.map { Field(name: $0.name, value: $0.value) })
    }

    /// The first value of a field, without white space around it; nil when it was not sent.
    public subscript(name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }.map { String($0.value.trimmingASCIISpace()) }
    }

    /// The first value of a field exactly as it was sent, for passwords.
    public func exact(_ name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// Every value of a field, in order.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
    }

    /// The names that were sent, each once, in order.
    public var names: [String] {
        var seen: Set<String> = []
        return fields.map(\.name).filter { seen.insert($0).inserted }
    }

    private static func decode(_ bytes: ByteBufferView.SubSequence) throws -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw Problem.badRequest(code: "malformed_form", detail: "The form has a broken % escape.")
                }
                result.append(high << 4 | low)
            default: result.append(byte)
            }
        }
        guard !result.contains(0), let text = String(validating: result, as: UTF8.self) else {
            throw Problem.badRequest(code: "malformed_form", detail: "The form must be UTF-8 without the NUL character.")
        }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
