import Chronology
import Ledger
import Persistence
import Web

/// What a verb is given: the transaction it takes part in, the workspace with its clock, and who acts.
struct Write {
    let connection: any Connection
    let workspace: Workspace
    /// The workspace's own time: real time, or the movable clock of a test workspace.
    let now: Instant
    let actor: Actor
    let world: World
    let vault: Vault
    /// What the caller may do: nobody gives others more than they have.
    var rights = Set(Right.allCases)

    /// Refuses to hand out rights that the caller does not have.
    func mayGive(_ wanted: Set<Right>) throws {
        guard wanted.isSubset(of: rights) else {
            let missing = wanted.subtracting(rights).map(\.rawValue).sorted().joined(separator: ", ")
            throw Problem.forbidden(code: "missing_right", detail: "You cannot give rights that you do not have: \(missing).")
        }
    }

    /// Tells those who subscribe. The row is part of the transaction, so it exists exactly when the change does.
    /// `changes`: what was before and is after, where something changed.
    func emit(_ type: EventType, subject: String, _ data: JSONText, changes: JSONText? = nil) throws {
        let event = Event(id: world.newID(), type: type.rawValue, data: data, changes: changes, createdAt: now)
        try EventStore.insert(event, subject: subject, in: workspace.id, on: connection)
    }

    /// Notes who changed what, in the workspace's audit chain. `detail` holds ids and numbers, never names or mails.
    func audit(_ action: String, subject: String, _ detail: JSONText = .empty) throws {
        try AuditChain.append(
            workspace: workspace.id.text, at: now, actor: actor.text, action: action, subject: subject, detail: detail.text,
            on: connection)
    }
}

/// JSON text that the program itself wrote.
struct JSONText: Sendable, Hashable {
    let text: String
    static let empty = JSONText(text: "{}")

    /// What was before and is after, of one field of an event.
    static func change(_ field: String, _ before: String, _ after: String) -> JSONText {
        JSONText(.object([JSONMember(field, ["before": .text(before), "after": .text(after)])]))
    }

    static func state(_ before: String, _ after: String) -> JSONText { change("state", before, after) }
}

/// Who acts.
enum Actor: Sendable, Hashable {
    case operator_(OperatorID)
    case apiKey(APIKeyID, of: OperatorID)
    case member(MemberID)
    case command
    case system(String)

    /// As it stands in the audit log.
    var text: String {
        switch self {
        case .operator_(let id): id.text
        case .apiKey(let id, _): id.text
        case .member(let id): id.text
        case .command: "command"
        case .system(let name): "system:\(name)"
        }
    }
}

/// What is told to subscribers (contract: event types).
enum EventType: String, Sendable, CaseIterable {
    case linkClicked = "link.clicked"
    case leadCreated = "lead.created"
    case saleCreated = "sale.created"
    case saleRefunded = "sale.refunded"
    case commissionCreated = "commission.created"
    case commissionApproved = "commission.approved"
    case commissionReversed = "commission.reversed"
    case commissionPaid = "commission.paid"
    case rewardChecking = "reward.checking"
    case rewardChoosing = "reward.choosing"
    case rewardIssued = "reward.issued"
    case rewardRedeemed = "reward.redeemed"
    case rewardReversed = "reward.reversed"
    case payoutApproved = "payout.approved"
    case payoutSent = "payout.sent"
    case payoutPaid = "payout.paid"
    case payoutFailed = "payout.failed"
    case programChanged = "program.changed"
    case memberCreated = "member.created"
    case memberStageChanged = "member.stage_changed"
    case memberGroupChanged = "member.group_changed"
    case memberTierChanged = "member.tier_changed"
    case memberBadgeAwarded = "member.badge_awarded"
    case invitationComplained = "invitation.complained"
    case partyCreated = "party.created"
    case partyChanged = "party.changed"
    case partyGuestAnswered = "party.guest_answered"
    case partySettled = "party.settled"
    case occasionCreated = "occasion.created"
    case occasionChanged = "occasion.changed"
    case occasionAnswered = "occasion.answered"
    case occasionAttended = "occasion.attended"
    case surveyAnswered = "survey.answered"
    case runAccepted = "run.accepted"
    case holdPlaced = "hold.placed"
    case holdReleased = "hold.released"
    case webhookTested = "webhook.tested"
}

