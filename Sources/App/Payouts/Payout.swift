import Chronology
import Money

/// A batch that pays members of a program: made by one person, approved by another, handed to a rail, settled by evidence.
struct Payout: Sendable {
    enum State: String, Sendable, CaseIterable { case draft, approved, sent, paid, failed, unknown, canceled }

    struct Item: Sendable {
        /// Returned: it had arrived and came back later.
        enum State: String, Sendable, CaseIterable { case waiting, sent, paid, failed, returned, unknown, canceled }

        var memberID: MemberID
        var amountMinor: Int64
        var state: State
        var reference: String?
        var commissionIDs: [CommissionID]
        /// Which of the member's accounts the payment was made for; nil in batches older than this is known.
        var accountVersion: Int64?
        /// Why it was taken out of the batch before it was sent: a person's words, or an `Exclusion.Reason`.
        var leftOutReason: String?
        /// What said that it came back after it had arrived.
        var returnReference: String?
    }

    /// A member who is not paid this time, and why.
    struct Exclusion: Sendable {
        enum Reason: String, Sendable, CaseIterable { case belowMinimum, noAccount, accountWaiting, accountChanged, otherAccount, memberNotActive, nothingAvailable }

        var memberID: MemberID
        var amountMinor: Int64
        var reason: Reason
    }

    var id: PayoutID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var state: State
    var unit: UnitCode
    var cutoff: Instant
    var items: [Item]
    var excluded: [Exclusion] = []
    /// Operators, by id: two people.
    var createdBy: String
    var createdAt: Instant
    var approvedBy: String?
    var approvedAt: Instant?
    var sentAt: Instant?

    /// What it was made for.
    var totalMinor: Int64 { items.reduce(0) { $0 &+ $1.amountMinor } }
    /// Without what was left out or canceled.
    var liveMinor: Int64 { items.reduce(0) { $1.state == .canceled ? $0 : $0 &+ $1.amountMinor } }
}

enum PayoutKind: Identified { static let prefix = "pay_" }
typealias PayoutID = Identifier<PayoutKind>
