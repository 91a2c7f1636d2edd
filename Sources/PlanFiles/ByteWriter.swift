import Foundation

/// Writes a file through a buffer. Nothing is shown under the file's name before `finish`.
final class ByteWriter {
    private static let chunkBytes = 1 << 20
    private let path: String
    private let handle: Int32
    private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: chunkBytes)
    private var count = 0
    /// What went wrong, told at the next call that may fail.
    private var failure: FileFailure?

    init(path: String) throws(FileFailure) {
        self.path = path
        handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw FileFailure(path: path, message: "could not be made: \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(handle)
        bytes.deallocate()
    }

    func write(_ text: String) throws(FileFailure) {
        var text = text
        text.withUTF8 { write($0) }
        try check()
    }

    @inline(__always)
    func put(_ byte: UInt8) {
        if count == Self.chunkBytes { flush() }
        bytes[count] = byte
        count += 1
    }

    func write(_ text: UnsafeBufferPointer<UInt8>) {
        guard let from = text.baseAddress else { return }
        var done = 0
        while done < text.count {
            if count == Self.chunkBytes { flush() }
            let part = min(text.count - done, Self.chunkBytes - count)
            (bytes + count).update(from: from + done, count: part)
            done += part
            count += part
        }
    }

    func write(_ value: Int64) {
        // Room for a sign and 19 digits.
        if count + 20 > Self.chunkBytes { flush() }
        var rest = value.magnitude
        var digits = 1
        var power: UInt64 = 10
        while rest >= power, digits < 19 {
            digits += 1
            power &*= 10
        }
        if value < 0 {
            bytes[count] = 45
            count += 1
        }
        var place = count + digits
        count = place
        repeat {
            place -= 1
            bytes[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
    }

    /// A CSV cell, in quotes where it must be.
    func cell(_ text: String) throws(FileFailure) {
        var text = text
        text.withUTF8 { cell($0) }
        try check()
    }

    func cell(_ text: UnsafeBufferPointer<UInt8>) {
        guard text.contains(where: { $0 == 44 || $0 == 34 || $0 == 10 || $0 == 13 }) else { return write(text) }
        put(34)
        for byte in text {
            if byte == 34 { put(34) }
            put(byte)
        }
        put(34)
    }

    func comma() { put(44) }

    func endLine() throws(FileFailure) {
        put(10)
        try check()
    }

    /// A JSON text with its quotes.
    func json(_ text: String) throws(FileFailure) {
        put(34)
        for byte in text.utf8 {
            switch byte {
            case 34, 92:
                put(92)
                put(byte)
            case 0..<32, 127:
                for escape in "\\u00".utf8 { put(escape) }
                for half in [byte >> 4, byte & 15] { put(half < 10 ? 48 + half : 87 + half) }
            default: put(byte)
            }
        }
        put(34)
        try check()
    }

    /// Everything on disk.
    func finish() throws(FileFailure) {
        flush()
        try check()
        guard fsync(handle) == 0 else { throw FileFailure(path: path, message: "could not be written: \(String(cString: strerror(errno)))") }
    }

    @inline(__always)
    private func check() throws(FileFailure) { if let failure { throw failure } }

    private func flush() {
        var done = 0
        while done < count, failure == nil {
            let written = Foundation.write(handle, bytes + done, count - done)
            if written < 0 && errno == EINTR { continue }
            if written <= 0 { failure = FileFailure(path: path, message: "could not be written: \(String(cString: strerror(errno)))") }
            done += max(0, written)
        }
        count = 0
    }
}
