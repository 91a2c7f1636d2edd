internal import CLibpq

/// An answer of the server, freed with this object.
final class PostgresResult {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    /// Rows changed by INSERT, UPDATE or DELETE.
    var changed: Int {
        guard let verb = PQcmdStatus(handle).map({ String(cString: $0) }), ["INSERT", "UPDATE", "DELETE"].contains(where: { verb.hasPrefix($0) })
        else { return 0 }
        return PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0
    }

    var rowCount: Int { Int(PQntuples(handle)) }

    func rows() throws -> [Row] {
        let count = PQnfields(handle)
        let columns = Row.Columns((0..<count).map { PQfname(handle, $0).map { String(cString: $0) } ?? "" })
        let types = (0..<count).map { PQftype(handle, $0) }
        var rows: [Row] = []
        rows.reserveCapacity(rowCount)
        for row in 0..<PQntuples(handle) {
            var values: [Value] = []
            values.reserveCapacity(types.count)
            for column in 0..<count { values.append(try value(row, column, types[Int(column)])) }
            rows.append(Row(columns: columns, values: values))
        }
        return rows
    }

    private func value(_ row: Int32, _ column: Int32, _ type: Oid) throws -> Value {
        if PQgetisnull(handle, row, column) == 1 { return .null }
        let bytes = UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: Int(PQgetlength(handle, row, column)))
        switch type {
        case PostgresType.int8: return .integer(Int64(bitPattern: bigEndian(bytes)))
        case PostgresType.int4: return .integer(Int64(Int32(bitPattern: UInt32(truncatingIfNeeded: bigEndian(bytes)))))
        case PostgresType.int2: return .integer(Int64(Int16(bitPattern: UInt16(truncatingIfNeeded: bigEndian(bytes)))))
        case PostgresType.oid, PostgresType.bool: return .integer(Int64(bigEndian(bytes)))
        case PostgresType.numeric: return try PostgresNumeric.value(bytes)
        case PostgresType.float8: return .real(Double(bitPattern: bigEndian(bytes)))
        case PostgresType.float4: return .real(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bigEndian(bytes)))))
        case PostgresType.bytea: return .blob(Array(bytes))
        case PostgresType.text, PostgresType.varchar, PostgresType.bpchar, PostgresType.name, PostgresType.json, PostgresType.unknown:
            return .text(String(decoding: bytes, as: UTF8.self))
        // The first byte is the version of the binary form.
        case PostgresType.jsonb: return .text(String(decoding: bytes.dropFirst(), as: UTF8.self))
        case PostgresType.void: return .null
        default:
            let name = PQfname(handle, column).map { String(cString: $0) } ?? ""
            throw DatabaseFailure(.mismatch, "column \(name) has a type this program doesn't read (\(type))")
        }
    }
}

/// Up to eight bytes, the highest first.
private func bigEndian(_ bytes: UnsafeRawBufferPointer) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

/// `numeric`, which PostgreSQL answers for sums of 64-bit integers.
enum PostgresNumeric {
    /// - Throws: `.mismatch` when it is no whole number or beyond 64 bits.
    static func value(_ bytes: UnsafeRawBufferPointer) throws -> Value {
        func word(_ position: Int) -> Int { Int(bytes[position]) << 8 | Int(bytes[position + 1]) }
        guard bytes.count >= 8 else { throw wrong("is cut short") }
        let digitCount = word(0)
        let weight = Int(Int16(truncatingIfNeeded: word(2)))
        let sign = word(4)
        guard bytes.count >= 8 + digitCount * 2 else { throw wrong("is cut short") }
        guard sign == 0 || sign == 0x4000 else { throw wrong("is not a number") }
        if digitCount == 0 { return .integer(0) }
        // Digits to the base 10,000; the first stands for 10,000 to the power of the weight.
        guard weight < 6 else { throw wrong("does not fit in 64 bits") }
        var total: Int64 = 0
        for position in 0..<max(digitCount, weight + 1) {
            let digit = position < digitCount ? Int64(word(8 + position * 2)) : 0
            if position > weight || weight < 0 {
                if digit != 0 { throw wrong("has a fraction; cast it to double precision or round it") }
                continue
            }
            // Built below zero, as Int64.min has no positive twin.
            let (shifted, overflow) = total.multipliedReportingOverflow(by: 10_000)
            let (sum, carried) = shifted.subtractingReportingOverflow(digit)
            if overflow || carried { throw wrong("does not fit in 64 bits") }
            total = sum
        }
        if sign == 0x4000 { return .integer(total) }
        if total == Int64.min { throw wrong("does not fit in 64 bits") }
        return .integer(-total)
    }

    private static func wrong(_ why: String) -> DatabaseFailure { DatabaseFailure(.mismatch, "a numeric value \(why)") }
}
