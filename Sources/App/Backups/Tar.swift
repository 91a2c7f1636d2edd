import Chronology
import Foundation

/// Files of a backup in one file: the tar format (POSIX ustar), readable by any `tar`. Written and read in pieces.
enum Tar {
    static let pieceBytes = 1 << 20
    private static let blockBytes = 512

    struct Damaged: Error, CustomStringConvertible {
        var path: String
        var description: String { "\(path) is no backup of Kith, or it was cut short. Use another backup file." }
    }

    /// Writes files under names of at most 99 characters into a new archive, which is on disk when this returns. `at`: the time that they bear.
    static func write(_ files: [(name: String, path: String)], at time: Instant, to path: String) throws {
        let output = try create(path)
        defer { try? output.close() }
        for file in files {
            let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: file.path))
            defer { try? input.close() }
            let length = try input.seekToEnd()
            try input.seek(toOffset: 0)
            try output.write(contentsOf: header(name: file.name, length: length, at: time))
            try copy(input, to: output, length: length, from: file.path)
            let rest = Int(length % UInt64(blockBytes))
            if rest > 0 { try output.write(contentsOf: Data(count: blockBytes - rest)) }
        }
        try output.write(contentsOf: Data(count: 2 * blockBytes))
        try output.synchronize()
    }

    /// Reads the wanted files of an archive into new files. Throws `Damaged` when one is missing or cut short.
    static func read(_ path: String, into targets: [String: String]) throws {
        let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? input.close() }
        var missing = Set(targets.keys)
        while let block = try input.read(upToCount: blockBytes), block.count == blockBytes, block.contains(where: { $0 != 0 }) {
            guard let (name, length) = entry(block) else { throw Damaged(path: path) }
            let padded = (length + UInt64(blockBytes) - 1) / UInt64(blockBytes) * UInt64(blockBytes)
            let start = try input.offset()
            if let target = targets[name] {
                let output = try create(target)
                defer { try? output.close() }
                try copy(input, to: output, length: length, from: path)
                try output.synchronize()
                missing.remove(name)
            }
            try input.seek(toOffset: start + padded)
        }
        guard missing.isEmpty else { throw Damaged(path: path) }
    }

    /// A new file that only its owner reads.
    static func create(_ path: String) throws -> FileHandle {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: path, reason: String(cString: strerror(errno))) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private static func copy(_ input: FileHandle, to output: FileHandle, length: UInt64, from path: String) throws {
        var left = length
        while left > 0 {
            guard let piece = try input.read(upToCount: Int(min(left, UInt64(pieceBytes)))), !piece.isEmpty else { throw Damaged(path: path) }
            try output.write(contentsOf: piece)
            left -= UInt64(piece.count)
        }
    }

    private static func header(name: String, length: UInt64, at time: Instant) -> Data {
        var header = Data(count: blockBytes)
        func put(_ text: String, at offset: Int) { header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
        put(String(name.prefix(99)), at: 0)
        put("0000600\u{0}", at: 100)
        put("0000000\u{0}", at: 108)
        put("0000000\u{0}", at: 116)
        if length < 8 << 30 {
            put(octal(length, digits: 11), at: 124)
        } else {
            // GNU's form for larger files: the first bit set, then the number, big-endian.
            header[124] = 0x80
            withUnsafeBytes(of: length.bigEndian) { header.replaceSubrange(128..<136, with: $0) }
        }
        put(octal(UInt64(max(0, time.millisecondsSince1970 / 1000)), digits: 11), at: 136)
        put("        0", at: 148)
        put("ustar\u{0}00", at: 257)
        let sum = header.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(octal(sum, digits: 6) + "\u{0} ", at: 148)
        return header
    }

    private static func entry(_ block: Data) -> (name: String, length: UInt64)? {
        let bytes = [UInt8](block)
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self) }
        let sum = bytes.enumerated().reduce(UInt64(0)) { $0 + ((148..<156).contains($1.offset) ? 0x20 : UInt64($1.element)) }
        guard UInt64(text(148..<156), radix: 8) == sum else { return nil }
        if bytes[124] & 0x80 != 0 { return (text(0..<100), bytes[128..<136].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
        guard let length = UInt64(text(124..<136), radix: 8) else { return nil }
        return (text(0..<100), length)
    }

    private static func octal(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

struct FileFailure: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "\(path): \(reason)." }
}
