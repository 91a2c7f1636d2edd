/// A file that was put into the binary at build time.
public struct EmbeddedFile: Sendable {
    /// The path below the folder of its kind, for instance `0001-ledger.sql` or `Contests/contest-show.mustache`.
    public let name: String
    /// Leads to a literal of the binary, which is never written and never freed; hence it may be shared between threads.
    nonisolated(unsafe) private let content: UnsafeRawBufferPointer
    private let isBase64: Bool

    /// The content.
    public var bytes: [UInt8] { isBase64 ? Self.decodeBase64(content) : Array(content) }

    /// The content of a text file.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The files of a blob. Only the generated file of the application calls this.
    /// - Parameter index: one line a file: name, tab, first byte, tab, count of bytes, tab, `t` for text or `b` for base64.
    public static func unpack(index: StaticString, blob: StaticString) -> [EmbeddedFile] {
        let bytes = UnsafeRawBufferPointer(start: blob.utf8Start, count: blob.utf8CodeUnitCount)
        return index.description.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t")
            guard columns.count == 4, let offset = Int(columns[1]), let count = Int(columns[2]), offset + count <= bytes.count else { return nil }
            return EmbeddedFile(
                name: String(columns[0]), content: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), isBase64: columns[3] == "b")
        }
    }

    private static func decodeBase64(_ content: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in content {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
