import Chronology
import Crypto
import Foundation
import Money

/// A file of a bank or provider, read: its entries, and what it says of itself.
struct BankFile: Sendable {
    enum Format: String, Sendable, CaseIterable {
        case pain002, camt053, csv, paypal, wise

        /// Files of one family tell the same things.
        var family: String { rawValue }
        var isXML: Bool { self == .pain002 || self == .camt053 }
    }

    /// Entries of one file.
    static let entriesMax = 50_000
    /// Mistakes told at most; the others are counted.
    static let errorsMax = 100

    struct Mistake: Error, Sendable, Equatable {
        var line: Int
        var message: String
    }

    /// One account over one time, from its opening to its closing balance.
    struct Balance: Sendable, Equatable {
        var currency: String
        var openingMinor: Int64
        var closingMinor: Int64
    }

    var format: Format
    /// Of its bytes.
    var hash: String
    var entries: [BankEntry] = []
    /// The account that was charged, for each entry's identity. Never stored.
    var accounts: [String?] = []
    var accountEnding: String?
    /// Nil where the file has no balances, or several accounts.
    var balance: Balance?
    /// Entries that are not booked yet.
    var pendingCount = 0
    var mistakes: [Mistake] = []
    var mistakeCount = 0

    mutating func add(_ mistake: Mistake) {
        mistakeCount += 1
        if mistakes.count < Self.errorsMax { mistakes.append(mistake) }
    }

    mutating func add(_ entry: BankEntry, account: String?) throws {
        guard entries.count < Self.entriesMax else {
            throw XMLReader.Malformed(line: entry.line, reason: "A file has at most \(Self.entriesMax) entries. Ask the bank for a shorter period.")
        }
        entries.append(entry)
        accounts.append(account)
    }

    /// Entries of single payments first: what is said of a batch holds for the payments that were not named.
    var ordered: [Numbered] {
        var turns: [String: Int] = [:]
        let numbered = zip(entries, accounts).enumerated().map { position, pair -> Numbered in
            let first = pair.0.identity(format, account: pair.1, turn: 0)
            let turn = turns[first] ?? 0
            turns[first] = turn + 1
            let identity = SHA256.hash(data: Data(pair.0.identity(format, account: pair.1, turn: turn).utf8))
            return Numbered(position: position, identity: identity.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), entry: pair.0)
        }
        return numbered.filter { !$0.entry.isBatch } + numbered.filter(\.entry.isBatch)
    }

    struct Numbered: Sendable {
        var position: Int
        var identity: String
        var entry: BankEntry
    }

    // MARK: Reading

    enum Content: Sendable {
        case file(path: String)
        case text(String)
    }

    /// Throws `Problem` or `XMLReader.Malformed` or `CSVReader.Malformed` when it is no such file at all; single mistakes are in `mistakes`.
    static func read(_ content: Content, _ format: Format, mapping: EntryTable.Columns? = nil) throws -> BankFile {
        let source = try Source(content)
        var file: BankFile
        switch format {
        case .pain002: file = try PaymentStatusReport.read(try XMLReader(source.next))
        case .camt053: file = try AccountStatement.read(try XMLReader(source.next))
        case .csv, .paypal, .wise: file = try EntryTable.read(source, format, mapping)
        }
        // What stands behind the end counts for the hash too.
        while try !source.next().isEmpty {}
        file.hash = source.hash
        return file
    }

    /// The bytes of a file piece by piece, hashed as they pass.
    final class Source {
        private static let pieceBytes = 64 * 1024
        private let handle: FileHandle?
        private var pieces: [[UInt8]]
        private var hasher = SHA256()
        private var read = 0

        init(_ content: Content) throws {
            switch content {
            case .file(let path):
                guard let handle = FileHandle(forReadingAtPath: path) else { throw FileFailure(path: path, reason: "can't be read") }
                guard try handle.seekToEnd() <= UInt64(XMLReader.bytesMax) else {
                    throw XMLReader.Malformed(line: 0, reason: "A file has at most \(XMLReader.bytesMax / 1_048_576) MB. Ask the bank for a shorter period.")
                }
                try handle.seek(toOffset: 0)
                self.handle = handle
                pieces = []
            case .text(let text):
                handle = nil
                pieces = [Array(text.utf8)]
            }
        }

        func next() throws -> [UInt8] {
            let piece = try handle.map { try $0.read(upToCount: Self.pieceBytes).map { [UInt8]($0) } ?? [] } ?? pieces.popLast() ?? []
            read += piece.count
            guard read <= XMLReader.bytesMax else {
                throw XMLReader.Malformed(line: 0, reason: "A file has at most \(XMLReader.bytesMax / 1_048_576) MB. Ask the bank for a shorter period.")
            }
            hasher.update(data: piece)
            return piece
        }

        var hash: String { hasher.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }

    // MARK: Amounts

    /// An amount as ISO 20022 writes it: digits and a point, never a sign. Noughts behind the currency's decimals count for nothing.
    static func amount(_ text: String, _ currency: String?, line: Int) throws(Mistake) -> Int64 {
        guard let currency, let exponent = Currency(code: currency)?.exponent else {
            throw Mistake(line: line, message: "The currency \(currency.map { "“\($0.prefix(10))”" } ?? "of an amount") is not known.")
        }
        var plain = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !plain.hasPrefix("-"), !plain.hasPrefix("+") else {
            throw Mistake(line: line, message: "The amount \(plain.prefix(40)) has a sign. Whether money comes or goes is said by another field.")
        }
        if let point = plain.firstIndex(of: ".") {
            while plain.distance(from: point, to: plain.endIndex) > exponent + 1, plain.hasSuffix("0") { plain.removeLast() }
            if plain.hasSuffix(".") { plain.removeLast() }
        }
        do {
            return try Amount(decimalText: plain, exponent: exponent).minor
        } catch {
            throw Mistake(line: line, message: "The amount \(plain.prefix(40)) is no amount of \(currency): it has at most \(exponent) decimals.")
        }
    }

    static func day(_ text: String) -> LocalDay? { try? LocalDay(iso8601: String(text.trimmingCharacters(in: .whitespaces).prefix(10))) }
}

/// Elements by the path that leads to them from `Document`, with the text of those that have no others inside.
struct XMLPaths {
    let reader: XMLReader
    private var names: [String] = []
    private var text = ""
    private var attributes: [String: String] = [:]
    private(set) var message: String?

    init(_ reader: XMLReader) { self.reader = reader }

    enum Step {
        case opened(String)
        /// An element that ended: its path, its text when nothing stood in it, and its attributes.
        case closed(String, text: String, attributes: [String: String])
    }

    var line: Int { reader.line }

    /// The next element that begins or ends inside of the document; nil at its end.
    mutating func next() throws -> Step? {
        while let event = try reader.event() {
            switch event {
            case .start(let name, let found):
                if names.isEmpty {
                    // A bank may put an envelope around it.
                    guard name == "Document" else { continue }
                    message = found.values.lazy.compactMap { value in value.split(separator: ":").last.map(String.init) }.first { $0.contains(".001.") }
                }
                names.append(name)
                (text, attributes) = ("", found)
                if names.count > 1 { return .opened(path) }
            case .text(let more):
                guard text.utf8.count + more.utf8.count <= XMLReader.textBytesMax else {
                    throw XMLReader.Malformed(line: reader.line, reason: "A text has more than \(XMLReader.textBytesMax) bytes.")
                }
                text += more
            case .end:
                guard !names.isEmpty else { continue }
                let (ended, said, of) = (path, text.trimmingCharacters(in: .whitespacesAndNewlines), attributes)
                names.removeLast()
                (text, attributes) = ("", [:])
                if !names.isEmpty { return .closed(ended, text: said, attributes: of) }
            }
        }
        return nil
    }

    private var path: String { names.dropFirst().joined(separator: "/") }
}
