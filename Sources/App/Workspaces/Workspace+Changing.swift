import Chronology
import Foundation
import Persistence
import Web

/// What of a workspace may be changed; nil stays as it is.
struct WorkspaceChange: Sendable {
    var name: String?
    var zone: Zone?
    var locale: String?
    var hue: Int?
}

extension Workspace {
    /// Changes a workspace and its test twin alike, so that what was tried is what goes live.
    static func change(_ change: WorkspaceChange, in write: Write) throws -> Workspace {
        if let locale = change.locale, !LanguageTag.isOne(locale) { throw Refusal.field("locale", LanguageTag.allowed) }
        var workspace = write.workspace
        let before = workspace
        workspace.name = change.name ?? workspace.name
        workspace.timeZone = change.zone?.name ?? workspace.timeZone
        workspace.locale = change.locale ?? workspace.locale
        workspace.hue = change.hue ?? workspace.hue
        guard workspace != before else { return workspace }
        try WorkspaceStore.update(workspace, on: write.connection)
        // Own values stand beside the hue: together they must still be readable, and the sheet is another one.
        if workspace.hue != before.hue, workspace.themeRevision > 0 { _ = try Theme.change(ThemeChange(hue: workspace.hue), in: write) }
        try write.audit(
            "workspace.change", subject: workspace.id.text,
            JSONText(["timezone": .text(workspace.timeZone), "locale": .text(workspace.locale), "hue": .integer(Int64(workspace.hue))]))
        return workspace
    }
}

extension WorkspaceStore {
    /// A workspace's name, zone, language and colour, and those of its twin.
    static func update(_ workspace: Workspace, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE workspace SET name = \(workspace.name), time_zone = \(workspace.timeZone), locale = \(workspace.locale), hue = \(workspace.hue)
            WHERE id = \(workspace.teamID) OR live_id = \(workspace.teamID)
            """)
    }
}
