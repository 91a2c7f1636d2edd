import Chronology
import Persistence
import Web

enum RailCallKind: Identified { static let prefix = "rcl_" }
typealias RailCallID = Identifier<RailCallKind>

enum RailLineKind: Identified { static let prefix = "pln_" }
typealias RailLineID = Identifier<RailLineKind>

/// What is asked of a provider. It stands in the database before the provider hears of it, and its id is the key of every try.
struct RailCall: Sendable {
    enum Purpose: String, Sendable { case pay, watch }

    enum State: String, Sendable, CaseIterable {
        case waiting
        /// Under way, or its process died in it.
        case calling
        /// It may have been taken in.
        case unclear
        /// The provider has it.
        case accepted
        /// People must look at it.
        case stopped
        case done
    }

    var id: RailCallID
    var workspaceID: WorkspaceID
    var payoutID: PayoutID
    var rail: RailKind
    var purpose: Purpose
    var state: State
    var providerID: String?
    var tries: Int64
    var dueAt: Instant?
    var firstCalledAt: Instant?
    var secretVersion: Int64?
    var status: Int64?
    var code: String?
    var createdAt: Instant
}

/// One member's payment by a rail; its id is its key at the provider.
struct RailLine: Sendable {
    enum State: String, Sendable, CaseIterable {
        case waiting, unclear, accepted, paid, failed, returned
        /// What the provider says does not fit what was asked or what was recorded: people must look.
        case contrary
    }

    var id: RailLineID
    var callID: RailCallID
    var payoutID: PayoutID
    var memberID: MemberID
    var state: State
    var providerID: String?
    var providerState: String?
    var code: String?
    var hasMessage: Bool
    var updatedAt: Instant
    /// What the payout's books say of it.
    var itemState: Payout.Item.State
    var amountMinor: Int64
    var reference: String?
}

/// Where a line's money goes, as it was approved.
struct RailDestination: Sendable {
    var details: PayoutAccountDetails

    init(_ details: PayoutAccountDetails) { self.details = details }

    /// Under the member's own key: it goes with them.
    func seal(for line: RailLineID, of person: PersonID, in write: Write) throws -> [UInt8]? {
        guard let key = try PersonStore.key(of: person, vault: write.vault, on: write.connection) else { return nil }
        return try Vault.seal(Array(JSONText(details.json).text.utf8), under: key, for: line.text)
    }

    /// Nil when it can't be read any more: the person was erased.
    static func open(_ sealed: [UInt8], for line: RailLineID, of person: PersonID, vault: Vault, on connection: any Connection) throws -> RailDestination? {
        guard let key = try PersonStore.key(of: person, vault: vault, on: connection) else { return nil }
        return PayoutAccountDetails(sealed: String(decoding: try Vault.open(sealed, under: key, for: line.text), as: UTF8.self)).map { RailDestination($0) }
    }
}

/// Waits and limits of calling providers.
enum RailPace {
    /// One request; longer than the slowest answer that the providers speak of.
    static let timeoutMs = 30_000
    static let answerBytesMax = 4 << 20
    /// While one process calls, no other does; a process that dies gives the call back after this.
    static let leaseMs: Int64 = 180_000
    /// Calls begun in one look: with four looks a second, a fifth of what Stripe takes (100 writes a second).
    static let callsPerLookMax = 5
    /// After it: seconds first, then hours.
    private static let pausesMs: [Int64] = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000]
    /// The longest wait that a provider may ask for.
    static let retryAfterMaxMs: Int64 = 6 * 3_600_000
    /// How long an end is looked for: PayPal gives unclaimed money back after 30 days.
    static let openMs: Int64 = 45 * 86_400_000
    /// How long payments that arrived are looked after, once a day: reversals come late.
    static let watchMs: Int64 = 60 * 86_400_000
    static let watchPauseMs: Int64 = 86_400_000
    /// Refusals of ourselves (credentials, rights) before people must look.
    static let refusalsMax: Int64 = 10

    static func pauseMs(afterTries tries: Int64, retryAfterMs: Int64? = nil) -> Int64 {
        let pause = pausesMs[Int(min(max(tries, 1), Int64(pausesMs.count))) - 1]
        return max(pause, min(retryAfterMs ?? 0, retryAfterMaxMs))
    }
}
