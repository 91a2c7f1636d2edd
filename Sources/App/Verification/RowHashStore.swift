import Persistence

/// The hashes of rows as they are stored.
enum RowHashStore {
    /// Hashes a row anew that the program itself changed, if it had a hash.
    static func renew(_ table: HashedTable, _ id: String, on connection: any Connection) throws {
        guard
            let row = try connection.row(
                "SELECT \(raw: table.columns.joined(separator: ", ")) FROM \(raw: table.name) WHERE \(raw: table.key[0]) = \(id) AND row_hash IS NOT NULL")
        else { return }
        try connection.execute("UPDATE \(raw: table.name) SET row_hash = \(table.hash(row.values)) WHERE \(raw: table.key[0]) = \(id)")
    }

    /// Rows whose hash is another than their content's, and rows that lost theirs.
    static func findings(
        _ table: HashedTable, on connection: any Connection, _ found: (_ workspace: String, _ subject: String, _ detail: String) -> Bool
    ) throws {
        let keys = table.key.joined(separator: ", ")
        var hasHashes: Set<String> = []
        let workspace = table.columns.firstIndex(of: "workspace_id")
        var isFull = false
        try connection.forEachRow("SELECT row_hash, \(raw: table.columns.joined(separator: ", ")) FROM \(raw: table.name) ORDER BY \(raw: keys)") { row in
            guard !isFull else { return }
            let values = Array(row.values.dropFirst())
            let place = workspace.map { values[$0].named } ?? ""
            let subject = "\(table.name) \(table.key.compactMap { column in table.columns.firstIndex(of: column).map { values[$0].named } }.joined(separator: "/"))"
            switch row.values[0] {
            case .blob(let stored):
                hasHashes.insert(place)
                if stored != table.hash(values) { isFull = !found(place, subject, "is not what was written: its hash is of another content") }
            case .null where table.isOrdered && hasHashes.contains(place):
                isFull = !found(place, subject, "has no hash, and rows before it have one")
            default: break
            }
        }
    }
}
