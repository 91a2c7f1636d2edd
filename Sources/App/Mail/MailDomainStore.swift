import Chronology
import Persistence
import Web

enum MailDomainStore {
    private static let columns = "sender_address, spf_include, dkim_selector, dkim_value, return_path_host, return_path_target, state, findings, checked_at, proof"

    static func find(_ workspace: Workspace, on connection: any Connection) throws -> MailDomain? {
        guard let row = try connection.row("SELECT \(raw: columns) FROM mail_domain WHERE workspace_id = \(workspace.teamID)") else { return nil }
        let text: String = try row.get(at: 7)
        var findings: [MailFinding] = []
        if let json = try? JSONValue.parse(Array(text.utf8), maximumBytes: 100_000), case .array(let elements) = json { findings = elements.compactMap { MailFinding($0) } }
        return MailDomain(
            senderAddress: try row.get(at: 0), spfInclude: try row.get(at: 1), dkimSelector: try row.get(at: 2), dkimValue: try row.get(at: 3),
            returnPathHost: try row.get(at: 4), returnPathTarget: try row.get(at: 5), state: MailDomain.State(rawValue: try row.get(at: 6)) ?? .unchecked,
            findings: findings, checkedAt: try row.get(at: 8), proof: try row.get(at: 9))
    }

    static func put(_ domain: MailDomain, of workspace: Workspace, at now: Instant, on connection: any Connection) throws {
        let findings = JSONText(.array(domain.findings.map(\.json))).text
        try connection.execute(
            """
            INSERT INTO mail_domain (workspace_id, \(raw: columns), changed_at)
            VALUES (\(workspace.teamID), \(domain.senderAddress), \(domain.spfInclude), \(domain.dkimSelector), \(domain.dkimValue), \(domain.returnPathHost),
                    \(domain.returnPathTarget), \(domain.state.rawValue), \(findings), \(domain.checkedAt), \(domain.proof), \(now))
            ON CONFLICT (workspace_id) DO UPDATE SET sender_address = excluded.sender_address, spf_include = excluded.spf_include,
                dkim_selector = excluded.dkim_selector, dkim_value = excluded.dkim_value, return_path_host = excluded.return_path_host,
                return_path_target = excluded.return_path_target, state = excluded.state, findings = excluded.findings, checked_at = excluded.checked_at,
                proof = excluded.proof, changed_at = excluded.changed_at
            """)
    }

    /// Whether another team's letters come from a domain.
    static func isTaken(_ domain: String, by workspace: Workspace, on connection: any Connection) throws -> Bool {
        let pattern = "%@" + domain.replacing("_", with: "!_").replacing("%", with: "!%")
        return try connection.row(
            "SELECT 1 FROM mail_domain WHERE workspace_id <> \(workspace.teamID) AND sender_address LIKE \(pattern) ESCAPE '!' LIMIT 1") != nil
    }

    static func remove(_ workspace: Workspace, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM mail_domain WHERE workspace_id = \(workspace.teamID)") == 1
    }
}
