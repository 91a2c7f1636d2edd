import CZlib
import Persistence

/// Numbers and texts in few bytes: numbers in groups of seven bits, low groups first; signed ones with the sign in the lowest bit.
struct PackedWriter {
    private(set) var bytes: [UInt8] = []

    mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func count(_ value: Int) { unsigned(UInt64(clamping: value)) }

    mutating func signed(_ value: Int64) { unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    mutating func wide(_ value: Int128) {
        signed(Int64(truncatingIfNeeded: value >> 64))
        unsigned(UInt64(truncatingIfNeeded: value))
    }

    /// All 16 bytes, the highest first.
    mutating func whole(_ value: UInt128) {
        for shift in stride(from: 120, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt128(shift))) }
    }

    mutating func text(_ value: String) {
        count(value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }
}

/// Reads what `PackedWriter` wrote. Throws `DatabaseFailure` of kind `.corrupt` where the bytes end early.
struct PackedReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    private static let ended = DatabaseFailure(.corrupt, "a stored part of a run ends early")

    mutating func byte() throws -> UInt8 {
        guard place < bytes.count else { throw Self.ended }
        defer { place += 1 }
        return bytes[place]
    }

    mutating func unsigned() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
            guard shift < 64 else { throw Self.ended }
        }
    }

    mutating func count() throws -> Int { Int(clamping: try unsigned()) }

    mutating func signed() throws -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func wide() throws -> Int128 {
        let high = try signed()
        return Int128(high) << 64 | Int128(try unsigned())
    }

    mutating func whole() throws -> UInt128 {
        var value: UInt128 = 0
        for _ in 0..<16 { value = value << 8 | UInt128(try byte()) }
        return value
    }

    mutating func text() throws -> String {
        let length = try count()
        guard length <= bytes.count - place else { throw Self.ended }
        defer { place += length }
        return String(decoding: bytes[place..<(place + length)], as: UTF8.self)
    }
}

/// Bytes as they are stored: their length, then a zlib stream.
enum Deflated {
    /// The longest that one stored part may be when it is unpacked.
    static let lengthMax = 256 * 1024 * 1024

    static func pack(_ bytes: [UInt8]) throws -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(length))
        guard compress2(&output, &length, bytes, uLong(bytes.count), 4) == Z_OK else {
            throw DatabaseFailure(.other, "there is not enough memory to pack a part of a run")
        }
        var packed = PackedWriter()
        packed.count(bytes.count)
        return packed.bytes + output.prefix(Int(length))
    }

    static func unpack(_ packed: [UInt8]) throws -> [UInt8] {
        var reader = PackedReader(packed)
        let count = try reader.count()
        guard count <= lengthMax else { throw DatabaseFailure(.corrupt, "a stored part of a run is too long") }
        let head = headLength(count)
        var length = uLong(count)
        var output = [UInt8](repeating: 0, count: count)
        let state = packed.withUnsafeBufferPointer { input -> Int32 in
            guard let base = input.baseAddress else { return Z_DATA_ERROR }
            return uncompress(&output, &length, base + head, uLong(packed.count - head))
        }
        guard state == Z_OK, Int(length) == count else { throw DatabaseFailure(.corrupt, "a stored part of a run can't be unpacked") }
        return output
    }

    private static func headLength(_ count: Int) -> Int {
        var writer = PackedWriter()
        writer.count(count)
        return writer.bytes.count
    }
}
