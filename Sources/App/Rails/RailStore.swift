import Chronology
import Persistence
import Web

enum RailStore {
    private static let columns = "kind, settings, secret_sealed, secret_version, trouble_code, trouble_at, created_at, updated_at"

    static func put(_ rail: Rail, in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws {
        let secret = try rail.secret.map { try seal.seal($0, for: place(workspace, rail.kind)) }
        try connection.execute(
            """
            INSERT INTO rail (workspace_id, kind, settings, secret_sealed, secret_version, created_at, updated_at)
            VALUES (\(workspace), \(rail.kind.rawValue), \(JSONText(rail.settings.json).text), \(secret), \(rail.secretVersion), \(rail.createdAt),
                    \(rail.updatedAt))
            ON CONFLICT (workspace_id, kind) DO UPDATE SET settings = excluded.settings, secret_sealed = excluded.secret_sealed,
                secret_version = excluded.secret_version, trouble_code = NULL, trouble_at = NULL, updated_at = excluded.updated_at
            """)
    }

    static func find(_ kind: RailKind, in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> Rail? {
        try connection.row("SELECT \(raw: columns) FROM rail WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue)").flatMap {
            try read($0, workspace, seal)
        }
    }

    static func list(in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> [Rail] {
        try connection.rows("SELECT \(raw: columns) FROM rail WHERE workspace_id = \(workspace) ORDER BY kind").compactMap {
            try read($0, workspace, seal)
        }
    }

    static func isConnected(_ kind: RailKind, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM rail WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue)") != nil
    }

    static func delete(_ kind: RailKind, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM rail WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue)") > 0
    }

    /// What people must look at; nil: all is well again.
    static func setTrouble(_ code: String?, _ kind: RailKind, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        guard let code else {
            try connection.execute(
                """
                UPDATE rail SET trouble_code = NULL, trouble_at = NULL
                WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue) AND trouble_code IS NOT NULL
                """)
            return
        }
        try connection.execute(
            "UPDATE rail SET trouble_code = \(code), trouble_at = \(now) WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue)")
    }

    // MARK: Choices

    static func choose(_ kind: RailKind?, for program: ProgramID, on connection: any Connection) throws {
        guard let kind else {
            try connection.execute("DELETE FROM rail_choice WHERE program_id = \(program)")
            return
        }
        try connection.execute(
            """
            INSERT INTO rail_choice (program_id, rail) VALUES (\(program), \(kind.rawValue))
            ON CONFLICT (program_id) DO UPDATE SET rail = excluded.rail
            """)
    }

    static func choice(for program: ProgramID, on connection: any Connection) throws -> RailKind? {
        let word: String? = try connection.value("SELECT rail FROM rail_choice WHERE program_id = \(program)")
        return word.flatMap { RailKind(rawValue: $0) }
    }

    static func choices(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [ProgramID: RailKind] {
        var found: [ProgramID: RailKind] = [:]
        for row in try connection.rows(
            """
            SELECT c.program_id, c.rail FROM rail_choice c JOIN program p ON p.id = c.program_id WHERE p.workspace_id = \(workspace)
            ORDER BY c.program_id LIMIT \(limit)
            """)
        {
            if let kind = RailKind(rawValue: try row.get(at: 1)) { found[try row.get(at: 0)] = kind }
        }
        return found
    }

    static func offer(_ kinds: Set<PayoutAccount.Kind>, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO rail_offer (workspace_id, kinds) VALUES (\(workspace), \(kinds.map(\.rawValue).sorted().joined(separator: " ")))
            ON CONFLICT (workspace_id) DO UPDATE SET kinds = excluded.kinds
            """)
    }

    /// The kinds of account that members may enter, in their usual order: by IBAN and PayPal while nobody has said otherwise.
    static func offered(in workspace: WorkspaceID, on connection: any Connection) throws -> [PayoutAccount.Kind] {
        let text: String? = try connection.value("SELECT kinds FROM rail_offer WHERE workspace_id = \(workspace)")
        guard let text else { return [.iban, .paypal] }
        let words = Set(text.split(separator: " ").map(String.init))
        return PayoutAccount.Kind.allCases.filter { words.contains($0.rawValue) }
    }

    private static func place(_ workspace: WorkspaceID, _ kind: RailKind) -> String { "\(workspace.text):\(kind.rawValue)" }

    private static func read(_ row: Row, _ workspace: WorkspaceID, _ seal: RailSeal) throws -> Rail? {
        guard let kind = RailKind(rawValue: try row.get(at: 0)) else { return nil }
        let text: String = try row.get(at: 1)
        let sealed: [UInt8]? = try row.get(at: 2)
        guard let settings = RailSettings(kind, stored: JSONText(text: text).value) else { return nil }
        return Rail(
            kind: kind, settings: settings, secret: try sealed.map { try seal.open($0, for: place(workspace, kind)) }, secretVersion: try row.get(at: 3),
            troubleCode: try row.get(at: 4), troubleAt: try row.get(at: 5), createdAt: try row.get(at: 6), updatedAt: try row.get(at: 7))
    }
}
