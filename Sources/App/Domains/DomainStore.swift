import Chronology
import Persistence
import Web

enum DomainStore {
    private static let columns = "workspace_id, host, token, state, found, checked_at, verified_at, failing_since, next_check_at, is_main, created_at"

    static func find(_ host: String, in workspace: WorkspaceID, on connection: any Connection) throws -> CompanyDomain? {
        try connection.row("SELECT \(raw: columns) FROM company_domain WHERE workspace_id = \(workspace) AND host = \(host)").map(read)
    }

    static func list(in workspace: WorkspaceID, on connection: any Connection) throws -> [CompanyDomain] {
        try connection.rows("SELECT \(raw: columns) FROM company_domain WHERE workspace_id = \(workspace) ORDER BY host LIMIT \(CompanyDomain.countMax)").map(read)
    }

    static func due(at now: Instant, limit: Int, on connection: any Connection) throws -> [CompanyDomain] {
        try connection.rows("SELECT \(raw: columns) FROM company_domain WHERE next_check_at <= \(now) ORDER BY next_check_at LIMIT \(limit)").map(read)
    }

    /// All hosts that are used, of all workspaces.
    static func verified(limit: Int, on connection: any Connection) throws -> [CompanyDomain] {
        try connection.rows("SELECT \(raw: columns) FROM company_domain WHERE state = 'verified' ORDER BY host LIMIT \(limit)").map(read)
    }

    static func verifiedOwner(_ host: String, on connection: any Connection) throws -> WorkspaceID? {
        try connection.value("SELECT workspace_id FROM company_domain WHERE host = \(host) AND state = 'verified'")
    }

    static func main(of workspace: WorkspaceID, on connection: any Connection) throws -> String? {
        try connection.value("SELECT host FROM company_domain WHERE workspace_id = \(workspace) AND is_main = 1")
    }

    static func insert(_ domain: CompanyDomain, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO company_domain (\(raw: columns))
            VALUES (\(domain.workspaceID), \(domain.host), \(domain.token), \(domain.state.rawValue), \(JSONText(domain.finding.json).text), \(domain.checkedAt),
                    \(domain.verifiedAt), \(domain.failingSince), \(domain.nextCheckAt), \(domain.isMain), \(domain.createdAt))
            """)
    }

    static func update(_ domain: CompanyDomain, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE company_domain SET state = \(domain.state.rawValue), found = \(JSONText(domain.finding.json).text), checked_at = \(domain.checkedAt),
                verified_at = \(domain.verifiedAt), failing_since = \(domain.failingSince), next_check_at = \(domain.nextCheckAt), is_main = \(domain.isMain)
            WHERE workspace_id = \(domain.workspaceID) AND host = \(domain.host)
            """)
    }

    /// Whatever others had on a host gives way to a proof: their links go on at the server's own address, or end where the code is taken there.
    static func release(_ host: String, to workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE link SET host = '' WHERE host = \(host) AND workspace_id <> \(workspace)
                AND NOT EXISTS (SELECT 1 FROM link taken WHERE taken.host = '' AND taken.code_folded = link.code_folded)
            """)
        try connection.execute(
            "UPDATE link SET archived_at = \(now) WHERE host = \(host) AND workspace_id <> \(workspace) AND archived_at IS NULL")
        try connection.execute("DELETE FROM short_domain WHERE host = \(host) AND workspace_id <> \(workspace)")
    }

    static func postpone(_ domain: CompanyDomain, to: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE company_domain SET next_check_at = \(to) WHERE workspace_id = \(domain.workspaceID) AND host = \(domain.host)")
    }

    static func setMain(_ host: String, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute("UPDATE company_domain SET is_main = 0 WHERE workspace_id = \(workspace) AND is_main = 1")
        try connection.execute("UPDATE company_domain SET is_main = 1 WHERE workspace_id = \(workspace) AND host = \(host)")
    }

    /// Links on the host go on until somebody else proves it; without any it is free at once.
    static func remove(_ domain: CompanyDomain, on connection: any Connection) throws {
        try connection.execute("DELETE FROM company_domain WHERE workspace_id = \(domain.workspaceID) AND host = \(domain.host)")
        try connection.execute(
            """
            DELETE FROM short_domain WHERE host = \(domain.host) AND workspace_id = \(domain.workspaceID)
                AND NOT EXISTS (SELECT 1 FROM link WHERE link.host = short_domain.host)
            """)
    }

    private static func read(_ row: Row) throws -> CompanyDomain {
        CompanyDomain(
            workspaceID: try row.get(at: 0), host: try row.get(at: 1), token: try row.get(at: 2), state: CompanyDomain.State(rawValue: try row.get(at: 3)) ?? .pending,
            finding: DomainFinding(try row.get(at: 4)), checkedAt: try row.get(at: 5), verifiedAt: try row.get(at: 6), failingSince: try row.get(at: 7),
            nextCheckAt: try row.get(at: 8), isMain: try row.get(at: 9), createdAt: try row.get(at: 10))
    }
}
