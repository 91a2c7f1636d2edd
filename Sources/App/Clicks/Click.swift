import Attribution
import Chronology

/// One request for a link as it came: raw, kept whether it counts or not.
struct Click: Sendable {
    var id: ClickID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var linkID: LinkID?
    var memberID: MemberID?
    var kind: TouchKind
    var visitorID: String?
    var at: Instant
    var addressHash: [UInt8]?
    var userAgent: String?
    var referrer: String?
    var url: String?
    var country: String?
    var variant: Int?
    /// Why it is not counted; nil: counted.
    var discard: String?
    var signals: JSONText

    /// Commit order in the click file; 0 before it is written.
    var sequence: Int64 = 0
}
