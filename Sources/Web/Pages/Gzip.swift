import CZlib

/// Compresses bytes in the gzip format, at once or piece by piece.
final class Gzip {
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 32 * 1024)

    /// Nil when zlib has no memory left.
    init?(level: Int32 = 6) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, plus 16 for the gzip frame; 8 is zlib's usual memory level.
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if status != Z_OK {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// All bytes as one gzip document; nil when compressing fails.
    static func compress(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? {
        Gzip(level: level)?.add(bytes, isLast: true)
    }

    /// The compressed bytes that are ready after these; with `isLast` the document is finished.
    func add(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var input = bytes
        var output: [UInt8] = []
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            var isDone = false
            while !isDone {
                buffer.withUnsafeMutableBufferPointer { buffer in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    let status = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    output.append(contentsOf: buffer[..<(buffer.count - Int(stream.pointee.avail_out))])
                    isDone = status == Z_STREAM_END || status == Z_BUF_ERROR || stream.pointee.avail_out > 0
                }
            }
        }
        return output
    }
}
