internal import CLibpq

/// A statement's parameters in PostgreSQL's binary form.
struct PostgresParameters {
    private(set) var types: [Oid] = []
    private var bytes: [UInt8] = []
    private var starts: [Int?] = []
    private var lengths: [Int32] = []

    var count: Int32 { Int32(types.count) }

    /// - Throws: `.mismatch` for text with a NUL character, which PostgreSQL can't store.
    init(_ values: [Value]) throws {
        types.reserveCapacity(values.count)
        starts.reserveCapacity(values.count)
        lengths.reserveCapacity(values.count)
        for value in values {
            let start = bytes.count
            switch value {
            case .null:
                types.append(0)
                starts.append(nil)
                lengths.append(0)
                continue
            case .integer(let number):
                types.append(PostgresType.int8)
                withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
            case .real(let number):
                types.append(PostgresType.float8)
                withUnsafeBytes(of: number.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
            case .text(let text):
                types.append(PostgresType.text)
                if text.utf8.contains(0) { throw PostgresFailure.nul }
                bytes.append(contentsOf: text.utf8)
            case .blob(let blob):
                types.append(PostgresType.bytea)
                bytes.append(contentsOf: blob)
            }
            starts.append(start)
            lengths.append(Int32(clamping: bytes.count - start))
        }
        // An address for an empty value that is not null.
        bytes.append(0)
    }

    /// One prepared statement per text and types: the server settles the types when it prepares.
    func cacheKey(_ text: String) -> String {
        var key = text
        key.append("\u{1}")
        for type in types {
            switch type {
            case PostgresType.int8: key.append("i")
            case PostgresType.text: key.append("t")
            case PostgresType.bytea: key.append("b")
            case PostgresType.float8: key.append("r")
            default: key.append("n")
            }
        }
        return key
    }

    func withPointers<T>(
        _ body: ([Oid], [UnsafePointer<CChar>?], [Int32], [Int32]) throws -> T
    ) rethrows -> T {
        try bytes.withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            let pointers: [UnsafePointer<CChar>?] = starts.map { start in
                guard let start, let base else { return nil }
                return base + start
            }
            return try body(types, pointers, lengths, [Int32](repeating: 1, count: types.count))
        }
    }
}

/// The object identifiers of the types this program meets.
enum PostgresType {
    static let bool: Oid = 16
    static let bytea: Oid = 17
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let oid: Oid = 26
    static let json: Oid = 114
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let unknown: Oid = 705
    static let bpchar: Oid = 1042
    static let varchar: Oid = 1043
    static let numeric: Oid = 1700
    static let void: Oid = 2278
    static let jsonb: Oid = 3802
}
