/// What a database says of its own tables, in the same words for both engines.
public struct DeclaredTable: Sendable, Hashable {
    public var name: String
    public var columns: [String]
    /// The columns of the primary key, in its order.
    public var key: [String]

    public func has(_ column: String) -> Bool { columns.contains(column) }
}

/// A FOREIGN KEY of the schema.
public struct DeclaredReference: Sendable, Hashable {
    public var table: String
    public var columns: [String]
    public var parent: String
    public var parentColumns: [String]
}

extension Connection {
    /// The tables of this database, by name.
    public func declaredTables() throws -> [DeclaredTable] {
        let sql: SQL =
            switch dialect {
            case .sqlite:
                """
                SELECT m.name, c.name, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid
                """
            case .postgres:
                """
                SELECT c.relname::text, a.attname::text, coalesce(array_position(k.conkey, a.attnum), 0)::bigint
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
                WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname::text, a.attnum
                """
            }
        var tables: [DeclaredTable] = []
        var keys: [(column: String, position: Int64)] = []
        func close() {
            guard !tables.isEmpty else { return }
            tables[tables.count - 1].key = keys.sorted { $0.position < $1.position }.map(\.column)
            keys = []
        }
        for row in try rows(sql) {
            let name: String = try row.get(at: 0)
            let column: String = try row.get(at: 1)
            if tables.last?.name != name {
                close()
                tables.append(DeclaredTable(name: name, columns: [], key: []))
            }
            tables[tables.count - 1].columns.append(column)
            let position: Int64 = try row.get(at: 2)
            if position > 0 { keys.append((column, position)) }
        }
        close()
        return tables
    }

    /// The foreign keys of this database, by table.
    public func declaredReferences() throws -> [DeclaredReference] {
        let sql: SQL =
            switch dialect {
            case .sqlite:
                """
                SELECT m.name, CAST(f.id AS TEXT), f."table", f."from", f."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
                WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq
                """
            case .postgres:
                """
                SELECT c.relname::text, k.conname::text, p.relname::text, a.attname::text, b.attname::text
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
                CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (child, parent, position)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.child
                JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.parent
                WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
                ORDER BY c.relname::text, k.conname::text, pair.position
                """
            }
        var references: [DeclaredReference] = []
        var last = ""
        for row in try rows(sql) {
            let table: String = try row.get(at: 0)
            let name = "\(table) \(try row.get(at: 1, as: String.self))"
            if name != last { references.append(DeclaredReference(table: table, columns: [], parent: try row.get(at: 2), parentColumns: [])) }
            last = name
            references[references.count - 1].columns.append(try row.get(at: 3))
            references[references.count - 1].parentColumns.append(try row.get(at: 4))
        }
        return references
    }

    /// What SQLite's own check of the file finds: pages, indexes, and rows that a CHECK, UNIQUE or NOT NULL would refuse; at most `limit`
    /// sentences. PostgreSQL holds to its constraints by itself and answers nothing.
    public func damage(limit: Int) throws -> [String] {
        guard dialect == .sqlite else { return [] }
        return try rows("PRAGMA integrity_check(\(raw: String(max(1, limit))))").map { try $0.get(at: 0, as: String.self) }.filter { $0 != "ok" }
    }
}
