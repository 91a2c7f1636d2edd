import Chronology

/// Readers of cells; nil where the bytes are something else.
enum Cells {
    /// Digits with an optional minus sign.
    @inline(__always)
    static func integer(_ cell: UnsafeBufferPointer<UInt8>) -> Int64? {
        var place = 0
        let isNegative = cell.count > 0 && cell[0] == 45
        if isNegative { place = 1 }
        guard place < cell.count, cell.count <= 19 else { return nil }
        var value: Int64 = 0
        while place < cell.count {
            let digit = cell[place] &- 48
            guard digit < 10 else { return nil }
            let (product, one) = value.multipliedReportingOverflow(by: 10)
            let (sum, two) = product.addingReportingOverflow(Int64(digit))
            guard !one, !two else { return nil }
            value = sum
            place += 1
        }
        return isNegative ? -value : value
    }

    /// RFC 3339 in milliseconds since 1970; also a day alone, which is its start in UTC.
    @inline(__always)
    static func instantMs(_ cell: UnsafeBufferPointer<UInt8>, _ days: inout DayMemory) -> Int64? {
        // `2026-01-15T10:00:00Z` is read here, everything else by the general reader.
        if cell.count == 20, cell[19] == 90, cell[10] == 84, cell[13] == 58, cell[16] == 58, let day = days.startMs(cell),
            let hour = two(cell, 11), let minute = two(cell, 14), let second = two(cell, 17), hour < 24, minute < 60, second < 60 {
            return day + Int64(hour * 3_600 + minute * 60 + second) * 1_000
        }
        if cell.count == 10 { return days.startMs(cell) }
        let text = String(decoding: cell, as: UTF8.self)
        return (try? Instant(rfc3339: text))?.millisecondsSince1970
    }

    @inline(__always)
    private static func two(_ cell: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
        let tens = cell[place] &- 48
        let ones = cell[place + 1] &- 48
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }
}

/// The last day that was read, as files mostly have the same ones again.
struct DayMemory {
    private var key: (UInt64, UInt16) = (0, 0)
    private var startMs: Int64 = 0

    /// The start in UTC of the `YYYY-MM-DD` at the start of the bytes, of which there are at least ten.
    @inline(__always)
    mutating func startMs(_ cell: UnsafeBufferPointer<UInt8>) -> Int64? {
        let raw = UnsafeRawBufferPointer(cell)
        let eight = raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        let two = raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        if eight == key.0, two == key.1 { return startMs }
        guard let day = try? LocalDay(iso8601: String(decoding: cell.prefix(10), as: UTF8.self)), day.startInUTC >= .earliest else { return nil }
        key = (eight, two)
        startMs = day.startInUTC.millisecondsSince1970
        return startMs
    }
}
