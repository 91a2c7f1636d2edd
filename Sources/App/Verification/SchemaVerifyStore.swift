import Persistence
import Web

/// What the schema itself promises of every row, whatever the table: references lead somewhere and stay inside their workspace, JSON can be
/// read, hashes of rows are those of their content. Read from the database, so a new table is checked as well.
enum SchemaVerifyStore {
    /// One row as findings name it: its table and its key.
    private struct Place {
        var table: DeclaredTable

        var selected: String { (table.key.isEmpty ? table.columns.prefix(1) : table.key[...]).map { "c.\($0)" }.joined(separator: ", ") }
        var count: Int { max(1, table.key.count) }
        func subject(_ row: Row, from start: Int = 0) -> String {
            "\(table.name) \(row.values[start..<start + count].map(\.named).joined(separator: "/"))"
        }
    }

    /// Texts that are JSON documents.
    static let documents: [(table: String, column: String)] = [
        ("program_version", "settings"), ("rule_version", "document"), ("plan_version", "canonical"),
        ("tree_policy", "document"), ("legal_policy", "document"), ("join_page", "questions"), ("lead", "attribution"), ("lead", "refusals"),
        ("sale", "items"), ("sale", "attribution"), ("sale", "refusals"), ("commission", "explanation"), ("customer_binding", "shares"),
        ("outbox", "data"), ("outbox", "changes"), ("audit_entry", "detail"), ("run", "summary"), ("run", "audit"), ("run", "disclosure"),
        ("member_merge", "moved"), ("webhook_endpoint", "events"),
    ]
    static let documentBytesMax = 64_000_000

    static func findings(on connection: any Connection) throws -> [Verification.Found] {
        let tables = Dictionary(try connection.declaredTables().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let references = try connection.declaredReferences()
        var findings = try Verification.guarded("the file", "", on: connection) {
            try connection.damage(limit: Verification.findingsMax).map {
                Verification.Found(kind: "fileDamaged", workspace: "", subject: "database", detail: $0)
            }
        }
        for reference in references {
            guard findings.count < Verification.findingsMax, let child = tables[reference.table], let parent = tables[reference.parent] else { continue }
            findings += try Verification.guarded("references of \(child.name)", "", on: connection) {
                try missing(reference, child, on: connection) + strangers(reference, child, parent, on: connection)
            }
        }
        for (name, column) in documents {
            guard findings.count < Verification.findingsMax, let table = tables[name], table.has(column) else { continue }
            findings += try Verification.guarded("\(name).\(column)", "", on: connection) { try unreadable(table, column, on: connection) }
        }
        for table in HashedTable.all where findings.count < Verification.findingsMax {
            findings += try Verification.guarded("hashes of \(table.name)", "", on: connection) {
                var found: [Verification.Found] = []
                try RowHashStore.findings(table, on: connection) { workspace, subject, detail in
                    found.append(Verification.Found(kind: "rowChanged", workspace: workspace, subject: subject, detail: detail))
                    return found.count < Verification.findingsMax
                }
                return found
            }
        }
        return findings
    }

    /// Rows that name a row which is not there.
    private static func missing(
        _ reference: DeclaredReference, _ child: DeclaredTable, on connection: any Connection
    ) throws -> [Verification.Found] {
        let place = Place(table: child)
        let named = reference.columns.map { "c.\($0)" }
        let join = zip(reference.columns, reference.parentColumns).map { "p.\($1) = c.\($0)" }.joined(separator: " AND ")
        let sql = """
            SELECT \(place.selected), \(named.joined(separator: ", ")), \(child.has("workspace_id") ? "c.workspace_id" : "''") FROM \(child.name) c
            WHERE \(named.map { "\($0) IS NOT NULL" }.joined(separator: " AND "))
            AND NOT EXISTS (SELECT 1 FROM \(reference.parent) p WHERE \(join)) LIMIT \(Verification.findingsMax)
            """
        return try connection.rows("\(raw: sql)").map { row in
            let values = row.values[place.count..<place.count + named.count].map(\.named).joined(separator: "/")
            return Verification.Found(
                kind: "referenceMissing", workspace: row.values.last?.named ?? "", subject: place.subject(row),
                detail: "names the \(reference.parent) \(values), which is not there")
        }
    }

    /// Rows that name a row of another workspace.
    private static func strangers(
        _ reference: DeclaredReference, _ child: DeclaredTable, _ parent: DeclaredTable, on connection: any Connection
    ) throws -> [Verification.Found] {
        guard child.has("workspace_id"), parent.has("workspace_id"), !reference.columns.contains("workspace_id") else { return [] }
        let place = Place(table: child)
        let join = zip(reference.columns, reference.parentColumns).map { "p.\($1) = c.\($0)" }.joined(separator: " AND ")
        let sql = """
            SELECT \(place.selected), c.workspace_id, p.workspace_id FROM \(child.name) c JOIN \(parent.name) p ON \(join)
            WHERE c.workspace_id <> p.workspace_id LIMIT \(Verification.findingsMax)
            """
        return try connection.rows("\(raw: sql)").map { row in
            Verification.Found(
                kind: "otherWorkspace", workspace: row.values[place.count].named, subject: place.subject(row),
                detail: "names a \(parent.name) of the workspace \(row.values[place.count + 1].named)")
        }
    }

    private static func unreadable(_ table: DeclaredTable, _ column: String, on connection: any Connection) throws -> [Verification.Found] {
        let place = Place(table: table)
        var findings: [Verification.Found] = []
        let workspace = table.has("workspace_id") ? "c.workspace_id" : "''"
        try connection.forEachRow(
            "SELECT \(raw: place.selected), c.\(raw: column), \(raw: workspace) FROM \(raw: table.name) c WHERE c.\(raw: column) IS NOT NULL"
        ) { row in
            guard findings.count < Verification.findingsMax else { return }
            var reason: String?
            if case .text(let text) = row.values[place.count] {
                do throws(JSONSyntaxError) {
                    _ = try JSONValue.parse(Array(text.utf8), maximumBytes: documentBytesMax)
                } catch { reason = "is no JSON: \(error.reason) at byte \(error.offset)" }
            } else {
                reason = "is no text"
            }
            guard let reason else { return }
            findings.append(
                Verification.Found(
                    kind: "documentUnreadable", workspace: row.values.last?.named ?? "", subject: place.subject(row), detail: "\(column) \(reason)"))
        }
        return findings
    }
}
