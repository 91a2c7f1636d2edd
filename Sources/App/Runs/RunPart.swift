import Crypto
import Persistence

/// A piece of what belongs to a run, packed: a few thousand rows that are written and read together.
struct RunPart: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// The facts: names of trees, attributes and products; members; orders.
        case names, members, orders
        /// What was paid on orders of earlier periods that are refunded now.
        case history
        /// What came out.
        case lines, statements, carry
        /// What the next run reads about orders that were ever refunded.
        case refunded
        /// What the legal audit found.
        case findings
    }

    var kind: Kind
    var number: Int
    /// Ids of the first and last row, where rows stand in the order of ids.
    var firstID: String
    var lastID: String
    var rows: Int
    var bytes: [UInt8]
}

enum RunPartStore {
    static func insert(_ part: RunPart, of run: RunID, packed: [UInt8], on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO run_part (run_id, kind, part, first_id, last_id, row_count, bytes)
            VALUES (\(run), \(part.kind.rawValue), \(part.number), \(part.firstID), \(part.lastID), \(part.rows), \(packed))
            """)
    }

    static func clear(_ run: RunID, limit: Int, on connection: any Connection) throws -> Int {
        let keys = try connection.rows("SELECT kind, part FROM run_part WHERE run_id = \(run) LIMIT \(limit)")
        try connection.executeAll(
            try keys.map { row in
                let kind: String = try row.get(at: 0)
                let part: Int = try row.get(at: 1)
                return "DELETE FROM run_part WHERE run_id = \(run) AND kind = \(kind) AND part = \(part)"
            })
        return keys.count
    }

    static func part(_ kind: RunPart.Kind, _ number: Int, of run: RunID, on connection: any Connection) throws -> RunPart? {
        try connection.row(
            "SELECT kind, part, first_id, last_id, row_count, bytes FROM run_part WHERE run_id = \(run) AND kind = \(kind.rawValue) AND part = \(number)"
        ).map(read)
    }

    static func count(_ kind: RunPart.Kind, of run: RunID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT count(*) FROM run_part WHERE run_id = \(run) AND kind = \(kind.rawValue)") ?? 0
    }

    /// The part that holds the row of an id; nil when none can.
    static func part(_ kind: RunPart.Kind, holding id: String, of run: RunID, on connection: any Connection) throws -> RunPart? {
        try connection.row(
            """
            SELECT kind, part, first_id, last_id, row_count, bytes FROM run_part
            WHERE run_id = \(run) AND kind = \(kind.rawValue) AND first_id <= \(id) AND last_id >= \(id) ORDER BY part LIMIT 1
            """
        ).map(read)
    }

    static func all(_ kinds: [RunPart.Kind], of run: RunID, on connection: any Connection) throws -> [RunPart] {
        var found: [RunPart] = []
        for kind in kinds {
            try connection.forEachRow(
                "SELECT kind, part, first_id, last_id, row_count, bytes FROM run_part WHERE run_id = \(run) AND kind = \(kind.rawValue) ORDER BY part"
            ) { row in found.append(try read(row)) }
        }
        return found
    }

    private static func read(_ row: Row) throws -> RunPart {
        RunPart(
            kind: RunPart.Kind(rawValue: try row.get(at: 0)) ?? .names, number: try row.get(at: 1), firstID: try row.get(at: 2),
            lastID: try row.get(at: 3), rows: try row.get(at: 4), bytes: try Deflated.unpack(try row.get(at: 5)))
    }
}

/// A hash over parts, in their order.
struct PartsHash {
    private var hash = SHA256()

    mutating func add(_ part: RunPart) {
        var head = PackedWriter()
        head.text(part.kind.rawValue)
        head.count(part.number)
        head.count(part.bytes.count)
        hash.update(data: head.bytes)
        hash.update(data: part.bytes)
    }

    mutating func add(_ text: String) {
        var head = PackedWriter()
        head.text(text)
        hash.update(data: head.bytes)
    }

    func finish() -> [UInt8] { Array(hash.finalize()) }

    static func of(_ parts: [RunPart]) -> [UInt8] {
        var hash = PartsHash()
        for part in parts { hash.add(part) }
        return hash.finish()
    }
}
