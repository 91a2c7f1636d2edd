import Chronology
import Persistence
import Web

/// A program through time. Every version names the fields that it changes; what holds at an instant is made of all versions in force by
/// then, in the order of the times they hold from, and of two with one time the one recorded later wins. So a scheduled change touches what
/// it names and nothing else, whatever is changed until then.
struct ProgramHistory: Sendable {
    /// Versions of one program at most: each is read whenever the program is.
    static let versionsMax = 2_000

    struct Version: Sendable {
        var version: Int
        var effectiveFrom: Instant
        /// A JSON object: the fields that change; all settings when it is not partial.
        var fields: String
        var isPartial: Bool
        /// The zone that holds from then on; nil: stays as it is.
        var zone: String?
    }

    private let identity: ProgramIdentity
    /// In the order of effect.
    private let versions: [Version]

    init(_ identity: ProgramIdentity, _ versions: [Version]) {
        self.identity = identity
        self.versions = versions
    }

    static func load(_ id: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> ProgramHistory? {
        try ProgramStore.history(id, in: workspace, until: .latest, on: connection)
    }

    /// The program as it is at an instant.
    func at(_ instant: Instant) throws -> Program {
        let inForce = versions.prefix { $0.effectiveFrom <= instant }
        let settings = try Self.folded.value(inForce.map { ($0.isPartial ? "+" : "=") + $0.fields }) {
            try inForce.reduce(ProgramSettings()) { settings, version in
                let reader = try JSONReader(JSONValue.parse(Array(version.fields.utf8), maximumBytes: Self.fieldsMaxBytes))
                let next = ProgramSettings.read(reader, over: version.isPartial ? settings : ProgramSettings())
                try reader.finish()
                return next
            }
        }
        return Program(
            id: identity.id, workspaceID: identity.workspaceID, name: identity.name, slug: identity.slug, currency: identity.currency,
            zone: Zone(inForce.last { $0.zone != nil }?.zone ?? identity.firstZone) ?? .utc, createdAt: identity.createdAt,
            version: inForce.map(\.version).max() ?? 1, settings: settings)
    }

    private static let fieldsMaxBytes = 1_000_000
    private static let folded = Memo<[String], ProgramSettings>(limit: 2_000)
}

/// What of a program no version changes.
struct ProgramIdentity: Sendable {
    var id: ProgramID
    var workspaceID: WorkspaceID
    var name: String
    var slug: String
    var currency: String
    /// The zone until a version names another.
    var firstZone: String
    var createdAt: Instant
}
