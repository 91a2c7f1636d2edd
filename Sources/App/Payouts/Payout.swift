import Chronology
import Money

/// A batch that pays members of a program: made by one person, approved by another, handed to a rail, settled by evidence.
struct Payout: Sendable {
    enum State: String, Sendable, CaseIterable { case draft, approved, sent, paid, failed, unknown, canceled }

    struct Item: Sendable {
        enum State: String, Sendable, CaseIterable { case waiting, sent, paid, failed, unknown, canceled }

        var memberID: MemberID
        var amountMinor: Int64
        var state: State
        var reference: String?
        var commissionIDs: [CommissionID]
    }

    /// A member who is not paid this time, and why.
    struct Exclusion: Sendable {
        enum Reason: String, Sendable { case belowMinimum, noAccount, accountWaiting, memberNotActive, nothingAvailable }

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

    var totalMinor: Int64 { items.reduce(0) { $0 &+ $1.amountMinor } }
}

enum PayoutKind: Identified { static let prefix = "pay_" }
typealias PayoutID = Identifier<PayoutKind>
