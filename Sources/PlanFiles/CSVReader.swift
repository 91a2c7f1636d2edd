import Foundation

/// Reads CSV (RFC 4180; UTF-8; a byte order mark, `\r\n` and empty lines at the end are fine) row by row without keeping it.
/// A cell is bytes of the reader's own buffer and is good until the next row.
public struct CSVReader: ~Copyable {
    public static let lineBytesLimit = 1 << 20
    public static let columnsLimit = 256
    private static let chunkBytes = 1 << 22

    public let path: String
    /// Names of the first line.
    public private(set) var header: [String] = []
    /// The line on which the current row starts, the header being line 1.
    public private(set) var line = 0
    public private(set) var bytesRead = 0

    private let handle: Int32
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity = chunkBytes
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var nextLine = 1
    /// Where each cell of the row starts and ends in the buffer.
    private var cells: UnsafeMutablePointer<(start: Int, end: Int)>
    public private(set) var cellCount = 0

    /// Opens a file and reads its header. Throws `FileFailure`.
    public init(path: String) throws(FileFailure) {
        self.path = path
        handle = open(path, O_RDONLY | O_CLOEXEC)
        buffer = .allocate(capacity: Self.chunkBytes)
        cells = .allocate(capacity: Self.columnsLimit)
        guard handle >= 0 else { throw FileFailure(path: path, message: "could not be opened: \(String(cString: strerror(errno)))") }
        guard try next() else { throw FileFailure(path: path, message: "is empty; the first line must name the columns") }
        for place in 0..<cellCount {
            let name = text(place)
            guard !header.contains(name) else { throw FileFailure(path: path, line: 1, column: name, message: "the column stands there twice") }
            header.append(name)
        }
    }

    /// The places of columns that must be there.
    static func places(of names: [String], _ header: [String], _ path: String) throws(FileFailure) -> [Int] {
        var places: [Int] = []
        for name in names {
            guard let place = header.firstIndex(of: name) else {
                throw FileFailure(path: path, line: 1, column: name, message: "the column is missing; the first line names the columns")
            }
            places.append(place)
        }
        return places
    }

    deinit {
        if handle >= 0 { close(handle) }
        buffer.deallocate()
        cells.deallocate()
    }

    /// Reads the next row; false at the end. Rows after the header must have as many cells as it.
    public mutating func next() throws(FileFailure) -> Bool {
        while true {
            guard let row = try findRow() else { return false }
            line = nextLine
            guard row.end - start <= Self.lineBytesLimit else { throw tooLong }
            if row.hasQuotes { try splitQuoted(row.end) } else { try splitPlain(row.end) }
            start = min(end, row.end + 1)
            // A line with nothing on it, such as the last one.
            if cellCount == 1, cells[0].start == cells[0].end, header.count != 1 { continue }
            guard header.isEmpty || cellCount == header.count else {
                throw FileFailure(path: path, line: line, message: "has \(cellCount) cells, and the header \(header.count)")
            }
            return true
        }
    }

    /// The bytes of a cell, good until the next row.
    @inline(__always)
    public func cell(_ place: Int) -> UnsafeBufferPointer<UInt8> {
        let cell = cells[place]
        return UnsafeBufferPointer(start: buffer + cell.start, count: cell.end - cell.start)
    }

    public func text(_ place: Int) -> String { String(decoding: cell(place), as: UTF8.self) }

    /// Makes sure that a whole row is in the buffer, and finds its end; nil at the end of the file.
    private mutating func findRow() throws(FileFailure) -> (end: Int, hasQuotes: Bool)? {
        while true {
            if start < end {
                let newline = memchr(buffer + start, 10, end - start).map { buffer.distance(to: $0.assumingMemoryBound(to: UInt8.self)) }
                let stop = newline ?? end
                if memchr(buffer + start, 34, stop - start) == nil {
                    if newline != nil || isAtEnd { return (stop, false) }
                } else {
                    // Line ends inside of quotes belong to the row.
                    var isQuoted = false
                    var place = start
                    while place < end {
                        if buffer[place] == 34 { isQuoted.toggle() } else if buffer[place] == 10, !isQuoted { return (place, true) }
                        place += 1
                    }
                    if isAtEnd {
                        guard !isQuoted else { throw FileFailure(path: path, line: nextLine, message: "a quote is opened and not closed") }
                        return (end, true)
                    }
                }
            } else if isAtEnd {
                return nil
            }
            try readMore()
        }
    }

    private mutating func readMore() throws(FileFailure) {
        let rest = end - start
        guard rest <= Self.lineBytesLimit else { throw tooLong }
        if start > 0 {
            memmove(buffer, buffer + start, rest)
            start = 0
            end = rest
        }
        let count = read(handle, buffer + end, capacity - end)
        guard count >= 0 else { throw FileFailure(path: path, message: "could not be read: \(String(cString: strerror(errno)))") }
        if count == 0 { isAtEnd = true }
        if bytesRead == 0, count >= 3, buffer[0] == 0xef, buffer[1] == 0xbb, buffer[2] == 0xbf { start = 3 }
        bytesRead += count
        end += count
    }

    private var tooLong: FileFailure {
        FileFailure(path: path, line: nextLine, message: "is longer than \(Self.lineBytesLimit) bytes; is a quote missing?")
    }

    /// Bytes that are no UTF-8 would make two ids one in what is written.
    private func checkText(_ end: Int) throws(FileFailure) {
        guard String(validating: UnsafeBufferPointer(start: buffer + start, count: end - start), as: UTF8.self) == nil else { return }
        throw FileFailure(path: path, line: line, message: "is no UTF-8 text")
    }

    /// Cuts a row without quotes at its commas.
    private mutating func splitPlain(_ rowEnd: Int) throws(FileFailure) {
        var to = rowEnd
        if to > start, buffer[to - 1] == 13 { to -= 1 }
        var from = start
        var place = start
        var count = 0
        var bits: UInt8 = 0
        while place < to {
            bits |= buffer[place]
            if buffer[place] == 44 {
                try add(from, place, &count)
                from = place + 1
            }
            place += 1
        }
        try add(from, to, &count)
        if bits > 127 { try checkText(to) }
        cellCount = count
        nextLine += 1
    }

    /// Cuts a row with quotes, which are undone in place.
    private mutating func splitQuoted(_ rowEnd: Int) throws(FileFailure) {
        var to = rowEnd
        if to > start, buffer[to - 1] == 13 { to -= 1 }
        try checkText(to)
        var place = start
        var count = 0
        var lines = 1
        while true {
            let from = place
            if place < to, buffer[place] == 34 {
                place += 1
                var write = place
                while place < to {
                    if buffer[place] == 34 {
                        guard place + 1 < to, buffer[place + 1] == 34 else { break }
                        place += 1
                    } else if buffer[place] == 10 {
                        lines += 1
                    }
                    buffer[write] = buffer[place]
                    write += 1
                    place += 1
                }
                guard place < to, place + 1 == to || buffer[place + 1] == 44 else {
                    throw FileFailure(path: path, line: line, message: "a quoted cell does not end with a quote and a comma")
                }
                try add(from + 1, write, &count)
                place += 1
            } else {
                while place < to, buffer[place] != 44 {
                    guard buffer[place] != 34 else { throw FileFailure(path: path, line: line, message: "a quote stands inside of a cell without quotes") }
                    place += 1
                }
                try add(from, place, &count)
            }
            if place >= to { break }
            place += 1
            if place == to {
                try add(to, to, &count)
                break
            }
        }
        cellCount = count
        nextLine += lines
    }

    @inline(__always)
    private func add(_ from: Int, _ to: Int, _ count: inout Int) throws(FileFailure) {
        guard count < Self.columnsLimit else { throw FileFailure(path: path, line: line, message: "has more than \(Self.columnsLimit) cells") }
        cells[count] = (from, to)
        count += 1
    }
}
