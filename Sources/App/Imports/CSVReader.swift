import Foundation

/// Reads comma-separated files row by row as RFC 4180 writes them: UTF-8 with or without a byte order mark, CRLF or LF, fields in
/// quotes with doubled quotes inside. The first row names the columns. Memory is bounded by one row.
final class CSVReader {
    static let pieceBytes = 64 * 1024
    static let columnsMax = 200
    static let comma = UInt8(ascii: ",")
    static let fieldBytesMax = 64 * 1024
    static let rowBytesMax = 1 << 20

    /// A row of the file: the line that it begins on, and its fields by column.
    struct CSVRow {
        var line: Int
        var fields: [String]
    }

    /// Where the file is not CSV, and what would be.
    struct Malformed: Error, CustomStringConvertible {
        var line: Int
        /// Empty when no column alone is to blame.
        var column = ""
        var reason: String
        var description: String { "Line \(line): \(reason)" }
    }

    let columns: [String]
    private let input: Input
    private var line = 1

    /// Opens a file and reads its header.
    convenience init(path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileFailure(path: path, reason: "can't be read") }
        try self.init { try handle.read(upToCount: Self.pieceBytes).map { [UInt8]($0) } ?? [] }
    }

    convenience init(text: String) throws {
        var pieces = [Array(text.utf8)]
        try self.init { pieces.popLast() ?? [] }
    }

    /// `next` gives the next bytes, none at the end.
    init(separator: UInt8 = CSVReader.comma, _ next: @escaping () throws -> [UInt8]) throws {
        input = Input(separator, next)
        try input.skipMark()
        guard let header = try Self.row(input, &line) else { throw Malformed(line: 1, reason: "The file is empty; its first row must name the columns.") }
        columns = header.fields.map { $0.trimmingCharacters(in: .whitespaces) }
        if let twice = Dictionary(grouping: columns, by: { $0 }).filter({ $0.value.count > 1 }).keys.min() {
            throw Malformed(line: 1, reason: "The column \(twice) stands twice.")
        }
    }

    /// The next row with as many fields as there are columns; nil at the end. Empty lines are passed over.
    func next() throws -> CSVRow? {
        while let row = try Self.row(input, &line) {
            if row.fields == [""] { continue }
            guard row.fields.count == columns.count else {
                throw Malformed(line: row.line, reason: "There are \(row.fields.count) fields; the header names \(columns.count) columns.")
            }
            return row
        }
        return nil
    }

    private static func row(_ input: Input, _ line: inout Int) throws -> CSVRow? {
        guard try input.peek() != nil else { return nil }
        let start = line
        var fields: [String] = []
        var field: [UInt8] = []
        var rowBytes = 0
        var state = State.start
        func end() throws {
            guard fields.count < columnsMax else { throw Malformed(line: start, reason: "A row has at most \(columnsMax) fields.") }
            guard let text = String(validating: field, as: UTF8.self) else {
                throw Malformed(line: start, reason: "Field \(fields.count + 1) is not UTF-8 text. Save the file as UTF-8.")
            }
            guard !field.contains(0) else { throw Malformed(line: start, reason: "Field \(fields.count + 1) holds a NUL character. Take it out.") }
            fields.append(text)
            field.removeAll(keepingCapacity: true)
            state = .start
        }
        while let byte = try input.take() {
            rowBytes += 1
            guard rowBytes <= rowBytesMax, field.count <= fieldBytesMax else {
                throw Malformed(line: start, reason: "A field has at most \(fieldBytesMax) bytes and a row \(rowBytesMax).")
            }
            switch (state, byte) {
            case (.quoted, quote): state = .quoteInQuoted
            case (.quoted, _):
                if byte == newline { line += 1 }
                field.append(byte)
            case (.quoteInQuoted, quote):
                field.append(quote)
                state = .quoted
            case (.start, quote): state = .quoted
            case (.plain, quote): throw Malformed(line: line, reason: "A quote stands inside a field that does not begin with one.")
            case (_, input.separator): try end()
            case (_, newline):
                line += 1
                try end()
                return CSVRow(line: start, fields: fields)
            case (_, carriageReturn):
                guard try input.peek() == newline || input.peek() == nil else {
                    throw Malformed(line: line, reason: "A carriage return stands alone. Lines end with LF or CRLF.")
                }
            case (.quoteInQuoted, _): throw Malformed(line: line, reason: "After a closing quote comes a comma or the end of the line.")
            default:
                field.append(byte)
                state = .plain
            }
        }
        guard state != .quoted else { throw Malformed(line: start, reason: "A quote is opened here and never closed.") }
        try end()
        return CSVRow(line: start, fields: fields)
    }

    private enum State { case start, plain, quoted, quoteInQuoted }

    /// Bytes one by one out of pieces.
    private final class Input {
        let separator: UInt8
        private let next: () throws -> [UInt8]
        private var piece: [UInt8] = []
        private var position = 0

        init(_ separator: UInt8, _ next: @escaping () throws -> [UInt8]) { (self.separator, self.next) = (separator, next) }

        func peek() throws -> UInt8? {
            if position >= piece.count {
                piece = try next()
                position = 0
            }
            return position < piece.count ? piece[position] : nil
        }

        func take() throws -> UInt8? {
            let byte = try peek()
            position += 1
            return byte
        }

        func skipMark() throws {
            _ = try peek()
            if piece.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        }
    }
}

private let quote = UInt8(ascii: "\"")

private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
