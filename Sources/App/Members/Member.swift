import Chronology
import Persistence
import Web

/// A person in a program. They may be referrer, affiliate and upline at once; the enroller is set once and never changes.
struct Member: Sendable {
    enum Kind: String, Sendable, CaseIterable { case customer, promoter }
    enum Status: String, Sendable, CaseIterable {
        case active, inactive, suspended, terminated, erased
        /// What can be set: erased is for good, and has a way of its own.
        enum Settable: String, Sendable, CaseIterable { case active, inactive, suspended, terminated }
    }
    enum Stage: String, Sendable, CaseIterable, Comparable {
        case prospect, customer, sharer, promoter
        static func < (left: Stage, right: Stage) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    var id: MemberID
    var workspaceID: WorkspaceID
    var personID: PersonID
    var kind: Kind
    var status: Status
    var stage: Stage
    var enrollerID: MemberID?
    var country: String?
    var locale: String?
    var timeZone: String?
    var joinedAt: Instant
    var createdAt: Instant

    var mayBePaid: Bool { status == .active || status == .inactive }
}

/// What names a member, out of the vault.
struct MemberIdentity: Sendable {
    var email: String?
    var name: String?
    var externalID: String?

    /// What to call them on a page: their name, or the part of their mail before the @, or nothing (erased).
    var shortName: String? { name ?? email.map { String($0.prefix { $0 != "@" }) } }
}

/// A member as another program names them: Kith's id, or `ext:` and the company's.
enum MemberReference: Sendable, Hashable {
    case id(MemberID)
    case external(String)

    init?(_ text: String) {
        if text.hasPrefix("ext:") {
            guard let external = Normalised.externalID(String(text.dropFirst(4))) else { return nil }
            self = .external(external)
        } else if let id = MemberID(text) {
            self = .id(id)
        } else {
            return nil
        }
    }

    static let allowed = "Must be a member's id (mem_…), or ext: and your own id."
}

extension JSONReader {
    /// A member by Kith's id or the company's own.
    func memberReference(_ field: String) -> MemberReference {
        custom(field, standIn: .external("")) { value in
            if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
            return .refused(MemberReference.allowed)
        }
    }
}
