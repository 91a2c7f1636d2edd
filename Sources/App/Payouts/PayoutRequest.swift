import Chronology
import Money

/// A member's wish to be paid: what was available is set aside at once and paid with the program's next batch.
struct PayoutRequest: Sendable {
    enum State: String, Sendable, CaseIterable {
        case waiting
        /// A payout has it: how it goes on is that payout's state.
        case taken
        case canceled
    }

    var id: PayoutRequestID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var memberID: MemberID
    var unit: UnitCode
    var amountMinor: Int64
    var state: State
    var payoutID: PayoutID?
    /// Who asked: the member, or a person of the team for them.
    var requestedBy: String
    var requestedAt: Instant
    var settledAt: Instant?
    /// While it waits.
    var commissionIDs: [CommissionID] = []
}

enum PayoutRequestKind: Identified { static let prefix = "prq_" }
typealias PayoutRequestID = Identifier<PayoutRequestKind>
