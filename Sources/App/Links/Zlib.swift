import CZlib

/// zlib streams and checksums, as PNG needs them.
enum Zlib {
    static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(length))
        // The bound is the largest possible size, so only a lack of memory can fail here: the picture is then empty.
        guard compress2(&output, &length, bytes, uLong(bytes.count), 9) == Z_OK else { return [] }
        return Array(output.prefix(Int(length)))
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 { UInt32(crc32(0, bytes, UInt32(bytes.count))) }
}
