import Chronology

enum MailKindID: Identified { static let prefix = "mail_" }
typealias MailID = Identifier<MailKindID>

/// A letter on its way to one person: what of it may be read without their key.
struct Mail: Sendable {
    enum State: String, Sendable, CaseIterable {
        case waiting, sent, failed
        /// Never goes out: it belongs to a test workspace, nobody wants it, or it has become too old.
        case suppressed
    }

    enum Kind: String, Sendable, CaseIterable {
        case teamInvitation, memberWelcome, commissionsApproved, payoutPaid, passwordReset
        case memberSignIn, joinConfirmation, applicationReceived, applicationWaiting, applicationApproved, applicationDeclined, erasureAsked
        case newSignIn, memberNewSignIn, passwordChanged, secondFactorOn, secondFactorOff, payoutAccountChanged, memberAddressChanged, approverAdded, webhookDisabled, groupChanged
        case standingRisen, rewardGiven, partySettled, occasion, survey
        case friendInvitation, partnerInvitation

        /// Whether it goes to somebody of whom nothing may be kept: the key that seals the letter is destroyed when it has gone out, or never will.
        var isForStranger: Bool { self == .friendInvitation }

        /// Whether a person may do without such letters. Notices about money that moved and about access always go out.
        var canBeStopped: Bool {
            switch self {
            case .memberWelcome, .commissionsApproved, .groupChanged, .standingRisen, .rewardGiven, .partySettled, .occasion, .survey: true
            case .teamInvitation, .payoutPaid, .passwordReset, .newSignIn, .memberNewSignIn, .passwordChanged, .secondFactorOn, .secondFactorOff,
                .payoutAccountChanged, .memberAddressChanged, .memberSignIn, .joinConfirmation, .applicationReceived, .applicationWaiting,
                .applicationApproved, .applicationDeclined, .erasureAsked, .approverAdded, .webhookDisabled,
                .friendInvitation, .partnerInvitation:
                false
            }
        }
    }

    enum Addressee: Sendable, Hashable {
        case person(PersonID)
        case operator_(OperatorID)
    }

    var id: MailID
    var workspaceID: WorkspaceID
    var addressee: Addressee
    var kind: Kind
    var locale: String
    var state: State
    var tries: Int
    var dueAt: Instant?
    var createdAt: Instant
    var sentAt: Instant?
    var lastFailure: String?
}

extension Mail {
    static let triesMax = 10
    /// A letter that could not be sent for so long is news no more; an invitation has ended by then.
    static let lifeMs: Int64 = 7 * 86_400_000
    /// How long letters are listed at all.
    static let keptMs: Int64 = 90 * 86_400_000
    /// While one process sends a letter, no other tries to.
    static let leaseMs: Int64 = 5 * 60_000

    /// What comes after a try that failed: 1, 3, 9, 27, 81, 243 minutes, then 12 hours.
    static func pauseMs(afterTries tries: Int) -> Int64 {
        var minutes: Int64 = 1
        for _ in 1..<max(2, min(tries, triesMax)) where tries > 1 { minutes *= 3 }
        return min(minutes, 720) * 60_000
    }
}

/// What a letter says, sealed under the key of the person it goes to.
struct Letter: Sendable, Codable, Equatable {
    /// The mail address at the time, so that a notice about a changed address reaches the old one.
    var to: String
    var content: MailContent
}

/// The news of a letter, one shape for each kind.
enum MailContent: Sendable, Codable, Equatable {
    case teamInvitation(url: String)
    case memberWelcome(program: String)
    /// What was approved on one day, by unit.
    case commissionsApproved(count: Int64, minorByUnit: [String: Int64])
    case payoutPaid(amountMinor: Int64, unit: String, reference: String)
    case passwordReset
    case newSignIn(atMs: Int64, browser: String?, system: String?)
    case memberNewSignIn(atMs: Int64, browser: String?, system: String?, url: String)
    case passwordChanged
    case secondFactorOn
    case secondFactorOff
    case payoutAccountChanged(ending: String)
    /// To the old address. `ending`: the new one, masked.
    case memberAddressChanged(atMs: Int64, ending: String)
    case memberSignIn(url: String)
    case joinConfirmation(program: String, url: String)
    case applicationReceived(program: String)
    /// To the people of the team who decide.
    case applicationWaiting(program: String, url: String)
    /// With a way in.
    case applicationApproved(program: String, url: String)
    case applicationDeclined(program: String, reason: String)
    case erasureAsked(url: String)
    /// To the other owners: somebody may approve money, from a time on or at once.
    case approverAdded(person: String, role: String, fromMs: Int64?)
    /// To the owners: `address` is told nothing any more.
    case webhookDisabled(address: String, reason: String, url: String)
    /// `group` is nil for who is in none from now on; `description` and `reason` may be empty.
    case groupChanged(program: String, group: String?, description: String, reason: String)
    /// A tier reached or a badge given; what it brings may be empty.
    case standingRisen(program: String, what: String, brings: String, isBadge: Bool)
    /// `terms` is the reward as its rule says it; `code` a coupon's. Friends have no pages of their own.
    case rewardGiven(program: String, terms: String, code: String?, hasPages: Bool)
    /// `kinds`: the rewards among which they may choose, as a list.
    case rewardChoice(program: String, kinds: String)
    /// From a member to a friend of theirs.
    case friendInvitation(FriendLetter)
    case partnerInvitation(program: String, name: String, url: String)
    /// A letter about an event; `place` may be empty.
    case occasion(Occasion.Moment, program: String, title: String, startsMs: Int64, zone: String, place: String)
    /// A question, and where it is answered with one tap.
    case survey(program: String, question: String, url: String)
    /// What a host got for a party whose title may be empty.
    case partySettled(program: String, title: String, rewardMinor: Int64, unit: String)

    var kind: Mail.Kind {
        switch self {
        case .teamInvitation: .teamInvitation
        case .memberWelcome: .memberWelcome
        case .commissionsApproved: .commissionsApproved
        case .payoutPaid: .payoutPaid
        case .passwordReset: .passwordReset
        case .newSignIn: .newSignIn
        case .memberNewSignIn: .memberNewSignIn
        case .passwordChanged: .passwordChanged
        case .secondFactorOn: .secondFactorOn
        case .secondFactorOff: .secondFactorOff
        case .payoutAccountChanged: .payoutAccountChanged
        case .memberAddressChanged: .memberAddressChanged
        case .memberSignIn: .memberSignIn
        case .joinConfirmation: .joinConfirmation
        case .applicationReceived: .applicationReceived
        case .applicationWaiting: .applicationWaiting
        case .applicationApproved: .applicationApproved
        case .applicationDeclined: .applicationDeclined
        case .erasureAsked: .erasureAsked
        case .approverAdded: .approverAdded
        case .webhookDisabled: .webhookDisabled
        case .groupChanged: .groupChanged
        case .rewardGiven, .rewardChoice: .rewardGiven
        case .standingRisen: .standingRisen
        case .friendInvitation: .friendInvitation
        case .partnerInvitation: .partnerInvitation
        case .partySettled: .partySettled
        case .occasion: .occasion
        case .survey: .survey
        }
    }

    /// The news of both, where letters of a kind are gathered.
    func adding(_ other: MailContent) -> MailContent {
        guard case .commissionsApproved(let count, let amounts) = self, case .commissionsApproved(let more, let others) = other else { return other }
        return .commissionsApproved(
            count: count + more,
            minorByUnit: amounts.merging(others) { one, two in
                let (sum, isTooLarge) = one.addingReportingOverflow(two)
                return isTooLarge ? .max : sum
            })
    }
}
