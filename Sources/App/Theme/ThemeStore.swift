import Chronology
import Persistence

enum ThemeStore {
    /// The theme of a workspace; its hue alone when none was made.
    static func find(_ workspace: Workspace, on connection: any Connection) throws -> Theme {
        var theme = Theme(hue: workspace.hue)
        guard
            let row = try connection.row("SELECT vivid, radius_px, typeface, scheme, tokens FROM theme WHERE workspace_id = \(workspace.teamID)")
        else { return theme }
        theme.vivid = try row.get(at: 0)
        theme.radiusPx = try row.get(at: 1)
        theme.typeface = Theme.Typeface(rawValue: try row.get(at: 2)) ?? .system
        theme.scheme = Theme.Scheme(rawValue: try row.get(at: 3)) ?? .auto
        let lines: String = try row.get(at: 4)
        theme.tokens = lines.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, case .success(let token) = ThemeToken.read(parts[0], parts[1]) else { return nil }
            return token
        }
        return theme
    }

    static func put(_ theme: Theme, of workspace: Workspace, at now: Instant, on connection: any Connection) throws {
        let tokens = theme.tokens.map { "\($0.name): \($0.css)" }.joined(separator: "\n")
        try connection.execute(
            """
            INSERT INTO theme (workspace_id, vivid, radius_px, typeface, scheme, tokens, changed_at)
            VALUES (\(workspace.teamID), \(theme.vivid), \(theme.radiusPx), \(theme.typeface.rawValue), \(theme.scheme.rawValue), \(tokens), \(now))
            ON CONFLICT (workspace_id) DO UPDATE SET vivid = excluded.vivid, radius_px = excluded.radius_px, typeface = excluded.typeface,
                scheme = excluded.scheme, tokens = excluded.tokens, changed_at = excluded.changed_at
            """)
        try connection.execute(
            "UPDATE workspace SET hue = \(theme.hue) WHERE id = \(workspace.teamID) OR live_id = \(workspace.teamID)")
        try turn(workspace, on: connection)
    }

    static func putLogo(_ logo: ThemeLogo?, of workspace: Workspace, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE theme SET logo = \(logo?.bytes), logo_kind = \(logo?.kind.rawValue), changed_at = \(now) WHERE workspace_id = \(workspace.teamID)")
        try connection.execute(
            "UPDATE workspace SET logo_kind = \(logo?.kind.rawValue) WHERE id = \(workspace.teamID) OR live_id = \(workspace.teamID)")
        try turn(workspace, on: connection)
    }

    static func logo(of workspace: WorkspaceID, on connection: any Connection) throws -> (kind: ThemeLogo.Kind, bytes: [UInt8])? {
        guard let row = try connection.row("SELECT logo_kind, logo FROM theme WHERE workspace_id = \(workspace) AND logo IS NOT NULL"),
            let kind = ThemeLogo.Kind(rawValue: try row.get(at: 0))
        else { return nil }
        return (kind, try row.get(at: 1))
    }

    static func exists(_ workspace: Workspace, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM theme WHERE workspace_id = \(workspace.teamID)") != nil
    }

    /// Gives sheet and logo a new address.
    private static func turn(_ workspace: Workspace, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE workspace SET theme_revision = theme_revision + 1 WHERE id = \(workspace.teamID) OR live_id = \(workspace.teamID)")
    }
}
