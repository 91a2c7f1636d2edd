import Attribution
import Chronology
import Persistence

/// The SQL of the click file (its own database).
enum ClickStore {
    private static let columns =
        "sequence, id, workspace_id, program_id, link_id, member_id, kind, visitor_id, at, address_hash, user_agent, referrer, url, country, variant, discard, signals"

    /// Appends clicks in order. The head row is locked until the commit, so that sequence order is commit order.
    static func append(_ clicks: [Click], on connection: any Connection) throws {
        let lock: SQL = connection.dialect == .postgres ? " FOR UPDATE" : ""
        let head: Int64 = try connection.value("SELECT sequence FROM click_head WHERE id = 1\(sql: lock)") ?? 0
        var statements: [SQL] = []
        statements.reserveCapacity(clicks.count + 1)
        for (position, click) in clicks.enumerated() {
            statements.append(
                """
                INSERT INTO click (\(raw: columns))
                VALUES (\(head + Int64(position) + 1), \(click.id), \(click.workspaceID), \(click.programID), \(click.linkID), \(click.memberID),
                        \(click.kind.rawValue), \(click.visitorID), \(click.at), \(click.addressHash), \(click.userAgent), \(click.referrer),
                        \(click.url), \(click.country), \(click.variant), \(click.discard), \(click.signals.text))
                """)
        }
        statements.append("UPDATE click_head SET sequence = \(head + Int64(clicks.count)) WHERE id = 1")
        try connection.executeAll(statements)
    }

    static func find(_ id: ClickID, in workspace: WorkspaceID, on connection: any Connection) throws -> Click? {
        try connection.row("SELECT \(raw: columns) FROM click WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    /// The latest clicks of visitors, the newest first.
    static func of(
        visitors: [String], in workspace: WorkspaceID, since: Instant, limit: Int, on connection: any Connection
    ) throws -> [Click] {
        guard !visitors.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM click WHERE workspace_id = \(workspace) AND visitor_id IN \(list: visitors) AND at >= \(since)
            ORDER BY at DESC, id DESC LIMIT \(limit)
            """
        ).map(read)
    }

    /// The latest clicks of a link, the newest first.
    static func of(link: LinkID, limit: Int, on connection: any Connection) throws -> [Click] {
        try connection.rows("SELECT \(raw: columns) FROM click WHERE link_id = \(link) ORDER BY sequence DESC LIMIT \(limit)").map(read)
    }

    static func after(_ sequence: Int64, limit: Int, on connection: any Connection) throws -> [Click] {
        try connection.rows("SELECT \(raw: columns) FROM click WHERE sequence > \(sequence) ORDER BY sequence LIMIT \(limit)").map(read)
    }

    private static func read(_ row: Row) throws -> Click {
        Click(
            id: try row.get(at: 1), workspaceID: try row.get(at: 2), programID: try row.get(at: 3), linkID: try row.get(at: 4),
            memberID: try row.get(at: 5), kind: TouchKind(rawValue: try row.get(at: 6)) ?? .link, visitorID: try row.get(at: 7),
            at: try row.get(at: 8), addressHash: try row.get(at: 9), userAgent: try row.get(at: 10), referrer: try row.get(at: 11),
            url: try row.get(at: 12), country: try row.get(at: 13), variant: try row.get(at: 14), discard: try row.get(at: 15),
            signals: JSONText(text: try row.get(at: 16)), sequence: try row.get(at: 0))
    }
}
