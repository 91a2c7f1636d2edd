import Foundation

/// Writes a file through a buffer. Nothing is shown under the file's name before `finish`.
final class ByteWriter {
    private static let chunkBytes = 1 << 20
    private let path: String
    private let handle: Int32
    private var bytes: [UInt8] = []

    init(path: String) throws(FileFailure) {
        self.path = path
        handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw FileFailure(path: path, message: "could not be made: \(String(cString: strerror(errno)))") }
        bytes.reserveCapacity(Self.chunkBytes + 4_096)
    }

    deinit { close(handle) }

    func write(_ text: String) throws(FileFailure) {
        bytes.append(contentsOf: text.utf8)
        try flushWhenFull()
    }

    func write(_ byte: UInt8) { bytes.append(byte) }

    func write(_ value: Int64) {
        if value < 0 { bytes.append(45) }
        var rest = value.magnitude
        let start = bytes.count
        repeat {
            bytes.append(48 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// A CSV cell, in quotes where it must be.
    func cell(_ text: String) throws(FileFailure) {
        if text.utf8.contains(where: { $0 == 44 || $0 == 34 || $0 == 10 || $0 == 13 }) {
            bytes.append(34)
            for byte in text.utf8 {
                if byte == 34 { bytes.append(34) }
                bytes.append(byte)
            }
            bytes.append(34)
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        try flushWhenFull()
    }

    func comma() { bytes.append(44) }

    func endLine() throws(FileFailure) {
        bytes.append(10)
        try flushWhenFull()
    }

    /// A JSON text with its quotes.
    func json(_ text: String) throws(FileFailure) {
        bytes.append(34)
        for byte in text.utf8 {
            switch byte {
            case 34, 92:
                bytes.append(92)
                bytes.append(byte)
            case 0..<32, 127:
                bytes.append(contentsOf: "\\u00".utf8)
                for half in [byte >> 4, byte & 15] { bytes.append(half < 10 ? 48 + half : 87 + half) }
            default: bytes.append(byte)
            }
        }
        bytes.append(34)
        try flushWhenFull()
    }

    /// Everything on disk.
    func finish() throws(FileFailure) {
        try flush()
        guard fsync(handle) == 0 else { throw FileFailure(path: path, message: "could not be written: \(String(cString: strerror(errno)))") }
    }

    @inline(__always)
    private func flushWhenFull() throws(FileFailure) { if bytes.count >= Self.chunkBytes { try flush() } }

    private func flush() throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Foundation.write(handle, $0.baseAddress.map { $0 + done }, bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(path: path, message: "could not be written: \(String(cString: strerror(errno)))") }
            done += count
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
