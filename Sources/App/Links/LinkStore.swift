import Chronology
import Money
import Persistence

enum LinkStore {
    private static let columns =
        "l.id, l.workspace_id, l.program_id, l.member_id, l.host, l.code, l.destination, l.kind, l.code_rate, l.code_needs_referral, l.expires_at, l.created_at, l.clicks, l.clicks_logged"

    static func insert(_ link: Link, folded: String, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO link (id, workspace_id, program_id, member_id, host, code, code_folded, destination, kind, code_rate, code_needs_referral, expires_at, created_at)
            VALUES (\(link.id), \(link.workspaceID), \(link.programID), \(link.memberID), \(link.host), \(link.code), \(folded),
                    \(link.destination), \(link.kind.rawValue), \(link.codeRate?.text), \(link.codeNeedsReferral), \(link.expiresAt), \(link.createdAt))
            """)
        for (position, variant) in link.variants.enumerated() {
            try connection.execute(
                """
                INSERT INTO link_variant (link_id, position, destination, weight)
                VALUES (\(link.id), \(position), \(variant.destination), \(variant.weight))
                """)
        }
    }

    static func find(_ id: LinkID, in workspace: WorkspaceID, on connection: any Connection) throws -> Link? {
        try connection.row("SELECT \(raw: columns) FROM link l WHERE l.id = \(id) AND l.workspace_id = \(workspace)")
            .map { try read($0, on: connection) }
    }

    /// The link that a request names, of any workspace: codes are unique per host.
    static func find(host: String, folded: String, on connection: any Connection) throws -> Link? {
        try connection.row(
            "SELECT \(raw: columns) FROM link l WHERE l.host = \(host) AND l.code_folded = \(folded) AND l.archived_at IS NULL"
        ).map { try read($0, on: connection) }
    }

    /// The link of a code within a workspace: for codes that are said, typed or sent by a shop.
    static func find(code folded: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Link? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM link l
            WHERE l.workspace_id = \(workspace) AND l.code_folded = \(folded) AND l.archived_at IS NULL ORDER BY l.host, l.id LIMIT 1
            """
        ).map { try read($0, on: connection) }
    }

    static func codeIsTaken(host: String, folded: String, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM link WHERE host = \(host) AND code_folded = \(folded)") != nil
    }

    static func list(
        in workspace: WorkspaceID, program: ProgramID?, member: MemberID?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Link] {
        var sql: SQL = "SELECT \(raw: columns) FROM link l WHERE l.workspace_id = \(workspace) AND l.archived_at IS NULL AND l.id > \(after ?? "")"
        if let program { sql = "\(sql: sql) AND l.program_id = \(program)" }
        if let member { sql = "\(sql: sql) AND l.member_id = \(member)" }
        return try connection.rows("\(sql: sql) ORDER BY l.id LIMIT \(limit)").map { try read($0, on: connection) }
    }

    static func hostBelongs(_ host: String, to workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM short_domain WHERE host = \(host) AND workspace_id = \(workspace)") != nil
    }

    static func domainOwner(_ host: String, on connection: any Connection) throws -> WorkspaceID? {
        try connection.value("SELECT workspace_id FROM short_domain WHERE host = \(host)")
    }

    static func insertDomain(_ host: String, workspace: WorkspaceID, at: Instant, on connection: any Connection) throws {
        try connection.execute("INSERT INTO short_domain (host, workspace_id, created_at) VALUES (\(host), \(workspace), \(at))")
    }

    /// Adds what the click worker counted.
    static func addClicks(
        _ link: LinkID, workspace: WorkspaceID, program: ProgramID, day: String, counted: Int64, logged: Int64, on connection: any Connection
    ) throws {
        try connection.execute("UPDATE link SET clicks = clicks + \(counted), clicks_logged = clicks_logged + \(logged) WHERE id = \(link)")
        try connection.execute(
            """
            INSERT INTO click_day (workspace_id, program_id, link_id, day, clicks, clicks_logged)
            VALUES (\(workspace), \(program), \(link), \(day), \(counted), \(logged))
            ON CONFLICT (workspace_id, day, link_id)
            DO UPDATE SET clicks = click_day.clicks + excluded.clicks, clicks_logged = click_day.clicks_logged + excluded.clicks_logged
            """)
    }

    private static func read(_ row: Row, on connection: any Connection) throws -> Link {
        let id: LinkID = try row.get(at: 0)
        let variants = try connection.rows("SELECT destination, weight FROM link_variant WHERE link_id = \(id) ORDER BY position").map {
            Link.Variant(destination: try $0.get(at: 0), weight: try $0.get(at: 1))
        }
        let rate: String? = try row.get(at: 8)
        return Link(
            id: id, workspaceID: try row.get(at: 1), programID: try row.get(at: 2), memberID: try row.get(at: 3), host: try row.get(at: 4),
            code: try row.get(at: 5), destination: try row.get(at: 6), kind: Link.Kind(rawValue: try row.get(at: 7)) ?? .link,
            codeRate: try rate.map { try Rate($0) }, codeNeedsReferral: try row.get(at: 9), expiresAt: try row.get(at: 10),
            createdAt: try row.get(at: 11), variants: variants, clicks: try row.get(at: 12), clicksLogged: try row.get(at: 13))
    }
}
