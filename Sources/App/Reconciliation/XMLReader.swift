import Foundation

/// Reads XML as banks write it, piece by piece, forward only: elements, attributes, text. It knows no document types, so there are no
/// entities but the five of XML itself, nothing is fetched, and nothing grows. Everything has a limit. In the tests xmllint reads the same.
final class XMLReader {
    static let bytesMax = 64 * 1024 * 1024
    static let depthMax = 40
    static let nameBytesMax = 200
    /// Bytes of one text; ISO 20022 has none longer than 500 characters.
    static let textBytesMax = 20_000
    static let attributesMax = 30

    struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        var line: Int
        var reason: String
        var description: String { "Line \(line): \(reason)" }
    }

    enum Event: Equatable {
        /// Names are without their prefix; attributes keep it.
        case start(String, [String: String])
        case text(String)
        case end(String)
    }

    private(set) var line = 1
    private let bytesMax: Int
    private let next: () throws -> [UInt8]
    private var piece: [UInt8] = []
    private var position = 0
    private var read = 0
    /// The elements that are open, with their prefixes.
    private var open: [[UInt8]] = []
    private var hasRoot = false
    private var waiting: [Event] = []

    /// `next` gives the next bytes, none at the end.
    init(bytesMax: Int = XMLReader.bytesMax, _ next: @escaping () throws -> [UInt8]) throws {
        self.bytesMax = bytesMax
        self.next = next
        _ = try peek()
        if piece.starts(with: [0xFE, 0xFF]) || piece.starts(with: [0xFF, 0xFE]) { throw malformed("The file is UTF-16. Save it as UTF-8.") }
        if piece.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard try peek() != nil else { throw malformed("The file is empty.") }
        if let declaration = try declaration() { try check(declaration) }
    }

    /// The next event; nil at the end of the document.
    func event() throws -> Event? {
        if !waiting.isEmpty { return waiting.removeFirst() }
        while let byte = try peek() {
            if byte != UInt8(ascii: "<") {
                if let text = try text() { return .text(text) }
                continue
            }
            _ = try take()
            switch try peek() {
            case UInt8(ascii: "!"):
                _ = try take()
                if let text = try bang() { return .text(text) }
            case UInt8(ascii: "?"): try passInstruction()
            case UInt8(ascii: "/"):
                _ = try take()
                return try end()
            default: return try start()
            }
        }
        guard open.isEmpty else { throw malformed("The file ends before “\(name(open[open.count - 1]))” is closed. Is a part of it missing?") }
        guard hasRoot else { throw malformed("There is no element in this file.") }
        return nil
    }

    // MARK: Elements

    private func start() throws -> Event {
        guard !hasRoot || !open.isEmpty else { throw malformed("Something stands behind the end of the document.") }
        hasRoot = true
        let full = try readName()
        guard open.count < Self.depthMax else { throw malformed("Elements are nested more than \(Self.depthMax) deep.") }
        var attributes: [String: String] = [:]
        while true {
            let hadSpace = try skipSpace()
            switch try peek() {
            case UInt8(ascii: ">"):
                _ = try take()
                open.append(full)
                return .start(name(full), attributes)
            case UInt8(ascii: "/"):
                _ = try take()
                try expect(">")
                waiting.append(.end(name(full)))
                return .start(name(full), attributes)
            case nil: throw malformed("The file ends inside “\(name(full))”.")
            default:
                guard hadSpace else { throw malformed("A space is missing before an attribute.") }
                guard attributes.count < Self.attributesMax else { throw malformed("An element has more than \(Self.attributesMax) attributes.") }
                let key = String(decoding: try readName(), as: UTF8.self)
                try skipSpace()
                try expect("=")
                try skipSpace()
                guard attributes.updateValue(try attributeValue(), forKey: key) == nil else { throw malformed("The attribute \(key) stands twice.") }
            }
        }
    }

    private func end() throws -> Event {
        let full = try readName()
        try skipSpace()
        try expect(">")
        guard let opened = open.popLast(), opened == full else { throw malformed("“\(name(full))” is closed where another element is open.") }
        return .end(name(full))
    }

    private func attributeValue() throws -> String {
        guard let quote = try take(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw malformed("A value stands without quotes.") }
        var bytes: [UInt8] = []
        while let byte = try take() {
            if byte == quote { return try string(bytes) }
            guard byte != UInt8(ascii: "<") else { throw malformed("A “<” stands inside a value.") }
            guard bytes.count <= Self.textBytesMax else { throw tooLong() }
            if byte == UInt8(ascii: "&") { bytes += try reference() } else { bytes.append(byte) }
        }
        throw malformed("A value is never closed.")
    }

    private func readName() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let byte = try peek(), isNameByte(byte) {
            bytes.append(byte)
            _ = try take()
            guard bytes.count <= Self.nameBytesMax else { throw malformed("A name has more than \(Self.nameBytesMax) bytes.") }
        }
        guard let first = bytes.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-"), first != UInt8(ascii: ".") else {
            throw malformed("A name is missing or begins with a sign that no name begins with.")
        }
        return bytes
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte >= 0x80 || "_-.:".utf8.contains(byte)
    }

    private func name(_ full: [UInt8]) -> String {
        String(decoding: full.lastIndex(of: UInt8(ascii: ":")).map { full[($0 + 1)...] } ?? full[...], as: UTF8.self)
    }

    // MARK: Text

    /// Text between two tags; nil when it stands outside of the document, where only white space may.
    private func text() throws -> String? {
        var bytes: [UInt8] = []
        while let byte = try peek(), byte != UInt8(ascii: "<") {
            _ = try take()
            guard bytes.count <= Self.textBytesMax else { throw tooLong() }
            if byte == UInt8(ascii: "&") { bytes += try reference() } else { bytes.append(byte) }
        }
        let text = try string(bytes)
        if !open.isEmpty { return text }
        guard bytes.allSatisfy(isSpace) else { throw malformed("Text stands outside of the document. Is this file XML?") }
        return nil
    }

    /// `&amp;`, `&#233;` and the like.
    private func reference() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let byte = try take(), byte != UInt8(ascii: ";") {
            bytes.append(byte)
            guard bytes.count <= 10 else { break }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        switch text {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default: break
        }
        let digits = text.dropFirst(text.hasPrefix("#x") ? 2 : 1)
        guard text.hasPrefix("#"), !digits.isEmpty, digits.allSatisfy(\.isHexDigit), let number = UInt32(digits, radix: text.hasPrefix("#x") ? 16 : 10),
            let scalar = UnicodeScalar(number), number >= 0x20 || [9, 10, 13].contains(number), number != 0xFFFE, number != 0xFFFF
        else { throw malformed("“&\(text.prefix(10));” stands for nothing here: files that bring entities of their own are not read.") }
        return Array(String(Character(scalar)).utf8)
    }

    /// Behind `<!`: a comment, or text that is quoted as a whole. A document type is refused.
    private func bang() throws -> String? {
        if try peek() == UInt8(ascii: "-") {
            try expect("--")
            try pass(until: "-->")
            return nil
        }
        guard try peek() == UInt8(ascii: "[") else {
            throw malformed("The file has a document type (<!DOCTYPE>). No bank's file has one; it is not read.")
        }
        try expect("[CDATA[")
        guard !open.isEmpty else { throw malformed("Text stands outside of the document.") }
        var bytes: [UInt8] = []
        while let byte = try take() {
            bytes.append(byte)
            if byte == UInt8(ascii: ">"), bytes.suffix(3) == Array("]]>".utf8)[...] { return try string(bytes.dropLast(3)) }
            guard bytes.count <= Self.textBytesMax else { throw tooLong() }
        }
        throw malformed("A quoted text is never closed.")
    }

    private func passInstruction() throws {
        _ = try take()
        guard try readName().map({ $0 | 0x20 }) != Array("xml".utf8) else { throw malformed("An XML declaration stands in the middle of the file.") }
        try pass(until: "?>")
    }

    private func pass(until ending: String) throws {
        let ending = Array(ending.utf8)
        var last: [UInt8] = []
        var count = 0
        while let byte = try take() {
            last.append(byte)
            if last.count > ending.count { last.removeFirst() }
            if last == ending { return }
            count += 1
            guard count <= Self.textBytesMax else { throw tooLong() }
        }
        throw malformed("The file ends inside a comment.")
    }

    // MARK: Declaration

    private func declaration() throws -> String? {
        guard piece.count - position >= 6, piece[position..<(position + 5)].elementsEqual("<?xml".utf8), isSpace(piece[position + 5]) else { return nil }
        for _ in 0..<5 { _ = try take() }
        var bytes: [UInt8] = []
        while let byte = try take() {
            if byte == UInt8(ascii: "?") {
                try expect(">")
                return try string(bytes)
            }
            bytes.append(byte)
            guard bytes.count <= Self.nameBytesMax else { break }
        }
        throw malformed("The XML declaration is never closed.")
    }

    private func check(_ declaration: String) throws {
        guard
            let found = declaration.wholeMatch(
                of: #/\s+version\s*=\s*(?:"1\.[0-9]+"|'1\.[0-9]+')(?:\s+encoding\s*=\s*(?:"([A-Za-z][A-Za-z0-9._\-]*)"|'([A-Za-z][A-Za-z0-9._\-]*)'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*/#)
        else { throw malformed("The XML declaration is malformed.") }
        guard let encoding = found.1 ?? found.2 else { return }
        guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(encoding.lowercased()) else {
            throw malformed("The file says it is \(encoding.prefix(20)). Save it as UTF-8, as ISO 20022 asks.")
        }
    }

    // MARK: Bytes

    private func peek() throws -> UInt8? {
        if position >= piece.count {
            piece = try next()
            position = 0
            read += piece.count
            guard read <= bytesMax else { throw malformed("A file has at most \(Self.bytesMax / 1_048_576) MB. Ask the bank for a shorter period.") }
        }
        return position < piece.count ? piece[position] : nil
    }

    private func take() throws -> UInt8? {
        guard let byte = try peek() else { return nil }
        position += 1
        if byte == 0x0A { line += 1 }
        return byte
    }

    private func expect(_ text: String) throws {
        for byte in text.utf8 {
            guard try take() == byte else { throw malformed("“\(text)” is missing.") }
        }
    }

    @discardableResult
    private func skipSpace() throws -> Bool {
        var hadSpace = false
        while let byte = try peek(), isSpace(byte) {
            _ = try take()
            hadSpace = true
        }
        return hadSpace
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private func string(_ bytes: some Collection<UInt8>) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("There is something that is not UTF-8. Save the file as UTF-8.") }
        guard bytes.allSatisfy({ $0 >= 0x20 || isSpace($0) }) else { throw malformed("There is a control character in the text.") }
        return text
    }

    private func tooLong() -> Malformed { malformed("A text has more than \(Self.textBytesMax) bytes.") }

    private func malformed(_ reason: String) -> Malformed { Malformed(line: line, reason: reason) }
}
