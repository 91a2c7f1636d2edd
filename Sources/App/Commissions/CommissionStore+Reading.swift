import Persistence

extension CommissionStore {
    /// A row that is no commission.
    struct Unreadable: Error {
        var id: String
        var reason: String
    }

    /// All commissions of a workspace, cause by cause, in bounded memory.
    static func forEach(
        in workspace: WorkspaceID, on connection: any Connection, _ body: (Result<Commission, Unreadable>) throws -> Void
    ) throws {
        try connection.forEachRow(
            "SELECT \(raw: columns) FROM commission WHERE workspace_id = \(workspace) ORDER BY cause_id, rule_id, line, id"
        ) { row in
            let commission = Result { try Self.read(row) }
            try body(commission.mapError { Unreadable(id: row.values[0].named, reason: "cannot be read: \($0)") })
        }
    }
}
