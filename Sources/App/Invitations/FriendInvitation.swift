import Chronology
import Persistence
import Web

enum FriendInvitationKind: Identified { static let prefix = "fri_" }
typealias FriendInvitationID = Identifier<FriendInvitationKind>

/// A letter that a member has written to a friend. Whom it went to is not kept: the address is sealed in the letter while it is on its way,
/// under a key that is destroyed when it has gone out.
struct FriendInvitation: Sendable {
    /// Friends written to at once.
    static let atOnceMax = 5
    /// Letters of one member within a day.
    static let memberDayMax = 20
    /// Letters of a workspace within an hour.
    static let workspaceHourMax = 500
    /// One letter to an address in this time, whoever writes.
    static let addressPauseMs: Int64 = 30 * 86_400_000
    static let dayMs: Int64 = 86_400_000
    static let hourMs: Int64 = 3_600_000
    static let wordsLengthMax = 300

    var id: FriendInvitationID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var memberID: MemberID
    var linkID: LinkID
    var createdAt: Instant
}

/// What a member wrote.
struct FriendInvitationInput: Sendable {
    /// Nil: the first program of theirs that offers it.
    var programID: ProgramID?
    var emails: [String]
    var words: String
    /// They said that they know these people and may write to them.
    var isConfirmed: Bool
}

/// What came of a member's letters, by the link in them.
struct InvitationCounts: Sendable, Equatable {
    var sent: Int64 = 0
    /// Who went on from the friend's page.
    var followed: Int64 = 0
    var bought: Int64 = 0
    var leftToday: Int64 = 0
    var isPaused = false

    func json(of member: MemberID) -> JSONValue {
        [
            "memberId": .text(member.text), "sent": .integer(sent), "followed": .integer(followed), "bought": .integer(bought),
            "leftToday": .integer(leftToday), "isPaused": .boolean(isPaused),
        ]
    }

    static let schema = APISchema.object([
        .required("memberId", .text), .required("sent", .described(.integer(), description: "Letters that were accepted to be sent.")),
        .required("followed", .described(.integer(), description: "Visits by the link in them.")),
        .required("bought", .described(.integer(), description: "Buyers whose sale came by it.")), .required("leftToday", .integer()),
        .required("isPaused", .described(.boolean, description: "Friends complained; somebody of the team has to let them write again.")),
    ])
}

/// Why no letter is written. Nobody learns by it whether an address is known, or wants no letters.
enum InvitationRefusal: String, Sendable, CaseIterable {
    case off, notActive, paused, noLink, notConfirmed, empty, tooMany, address, own, again, words, day, hour

    static let codePrefix = "invitation_"

    /// `place`: which of the addresses. The address itself is never said: an answer may be kept, and an address must not. `left`: for the day.
    func problem(at place: Int = 0, left: Int64 = 0) -> Problem {
        let code = Self.codePrefix + rawValue
        return switch self {
        case .off: .conflict(code: code, detail: "No program of this member offers letters to friends. Switch them on with the friend's page.")
        case .notActive: .conflict(code: code, detail: "Only an active member can write to friends.")
        case .paused: .conflict(code: code, detail: "Friends complained about letters of this member. Somebody of the team has to let them write again.")
        case .noLink: .conflict(code: code, detail: "The program has no allowed host that letters could lead to.")
        case .notConfirmed: Refusal.field("confirmed", "Must be true: the member knows these people and may write to them.", code: code)
        case .empty: Refusal.field("emails", "Must name at least one address.", code: code)
        case .tooMany: Refusal.field("emails", "Must name at most \(FriendInvitation.atOnceMax) addresses.", code: code)
        case .address: Refusal.field("emails[\(place)]", "Must be a mail address.", code: code)
        case .own: Refusal.field("emails[\(place)]", "Is the member's own address.", code: code)
        case .again: Refusal.field("emails[\(place)]", "This member has written to this address in the last 30 days. One letter is enough.", code: code)
        case .words: Refusal.field("words", "Must be at most \(FriendInvitation.wordsLengthMax) characters without any address of a web page.", code: code)
        case .day: .conflict(code: code, detail: "A member may write to \(FriendInvitation.memberDayMax) friends within a day; \(left) are left.")
        case .hour: .conflict(code: code, detail: "Too many letters are on their way. Try again in an hour.")
        }
    }

    init?(_ problem: Problem) {
        guard problem.code.hasPrefix(Self.codePrefix) else { return nil }
        self.init(rawValue: String(problem.code.dropFirst(Self.codePrefix.count)))
    }
}
