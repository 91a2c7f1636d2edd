import Persistence
import Web

/// The SQL of exports and of importing them again.
enum ExportStore {
    static let pageRows = 500

    /// All rows of a table in order, in bounded memory.
    static func forEach(_ table: ExportTable, _ workspace: WorkspaceID, on connection: any Connection, _ body: (Row) throws -> Void) throws {
        try connection.forEachRow(
            "SELECT * FROM \(raw: table.name) WHERE \(sql: table.filter(workspace)) ORDER BY \(raw: table.order)", body)
    }

    /// Rows of a table that has ids, page by page, for tables whose rows need more queries.
    static func page(_ table: ExportTable, _ workspace: WorkspaceID, after id: String, on connection: any Connection) throws -> [Row] {
        try connection.rows(
            """
            SELECT * FROM \(raw: table.name) WHERE (\(sql: table.filter(workspace))) AND id > \(id) ORDER BY id LIMIT \(Int64(pageRows))
            """)
    }

    /// Look-ups that only this installation's secrets could make anew.
    static func lookups(of people: [PersonID], on connection: any Connection) throws -> [PersonID: [(kind: String, hash: [UInt8])]] {
        var found: [PersonID: [(kind: String, hash: [UInt8])]] = [:]
        for row in try connection.rows(
            "SELECT person_id, kind, hash FROM person_lookup WHERE person_id IN \(list: people) AND kind NOT IN ('email', 'mailbox') ORDER BY person_id, kind, hash")
        {
            found[try row.get(at: 0), default: []].append((try row.get(at: 1), try row.get(at: 2)))
        }
        return found
    }

    static func person(of customer: CustomerID, on connection: any Connection) throws -> PersonID? {
        try connection.value("SELECT person_id FROM customer WHERE id = \(customer)")
    }

    static func clicks(_ workspace: WorkspaceID, until cursor: Int64, on connection: any Connection, _ body: (Row) throws -> Void) throws {
        try connection.forEachRow("SELECT * FROM click WHERE workspace_id = \(workspace) AND sequence <= \(cursor) ORDER BY sequence", body)
    }

    /// Clicks behind a cursor that are not applied yet.
    static func clicksWaiting(_ workspace: WorkspaceID, after cursor: Int64, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM click WHERE workspace_id = \(workspace) AND sequence > \(cursor)") ?? 0
    }

    static func insert(_ table: String, _ values: [(name: String, value: Value)], on connection: any Connection) throws {
        var sql: SQL = "INSERT INTO \(raw: table) (\(raw: values.map(\.name).joined(separator: ", "))) VALUES ("
        for (position, value) in values.enumerated() { sql = position == 0 ? "\(sql: sql)\(value.value)" : "\(sql: sql), \(value.value)" }
        try connection.execute("\(sql: sql))")
    }

    static func set(_ table: String, _ column: String, _ value: Value, id: String, on connection: any Connection) throws {
        try connection.execute("UPDATE \(raw: table) SET \(raw: column) = \(value) WHERE id = \(id)")
    }

    static func exists(workspace id: String, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM workspace WHERE id = \(id)") != nil
    }

    /// Whether anything happened in a workspace already.
    static func isUsed(_ workspace: String, on connection: any Connection) throws -> Bool {
        for table in ["person", "program", "audit_entry", "journal_transaction", "link", "sale"] {
            if try connection.row("SELECT 1 FROM \(raw: table) WHERE workspace_id = \(workspace) LIMIT 1") != nil { return true }
        }
        return false
    }

    /// Puts clicks of an export behind those that are there. One that is there already is left out.
    static func appendClicks(_ rows: [[(name: String, value: Value)]], on connection: any Connection) throws {
        let lock: SQL = connection.dialect == .postgres ? " FOR UPDATE" : ""
        var head: Int64 = try connection.value("SELECT sequence FROM click_head WHERE id = 1\(sql: lock)") ?? 0
        for row in rows {
            guard case .text(let id)? = row.first(where: { $0.name == "id" })?.value,
                try connection.row("SELECT 1 FROM click WHERE id = \(id)") == nil
            else { continue }
            head += 1
            try insert("click", row + [(name: "sequence", value: .integer(head))], on: connection)
        }
        try connection.execute("UPDATE click_head SET sequence = \(head) WHERE id = 1")
    }
}
