import Chronology
import Persistence
import Web

enum WebhookKind: Identified { static let prefix = "wh_" }
typealias WebhookID = Identifier<WebhookKind>

/// Where a workspace's events go: a server of the company's, or the tracker of a member.
struct WebhookEndpoint: Sendable {
    enum Kind: String, Sendable { case webhook, postback }

    enum State: String, Sendable {
        case enabled, disabled
        /// Gone for people; its deliveries are being deleted.
        case removed
    }

    enum DisabledReason: String, Sendable, CaseIterable {
        case person
        /// It answered 410.
        case gone
        /// It failed for days.
        case failing
    }

    var id: WebhookID
    var workspaceID: WorkspaceID
    var kind: Kind
    /// Whose tracker it is.
    var memberID: MemberID?
    /// Of a member it is sealed.
    var url: String?
    var urlSealed: [UInt8]?
    var events: EventSelection
    var state: State
    var disabledReason: DisabledReason?
    var secretSealed: [UInt8]?
    var previousSecretSealed: [UInt8]?
    var previousSecretUntil: Instant?
    var sinceSequence: Int64
    /// From the event after the first number to that with the second, when a replay is under way.
    var replay: (from: Int64, until: Int64)?
    var health = Health()
    var createdAt: Instant

    struct Health: Sendable, Equatable {
        var failuresInRow: Int64 = 0
        /// The first failure since the last success.
        var failingSince: Instant?
        /// Until then nothing is tried: it failed several times in a row.
        var pausedUntil: Instant?
    }

    /// An endpoint that came with an import has none: only who made it knows the old one.
    var needsSecret: Bool { kind == .webhook && secretSealed == nil }
}

extension WebhookEndpoint {
    /// Endpoints of a workspace, members' trackers apart.
    static let countMax = 20
    static let urlBytesMax = 2_048
    /// How long the secret before the newest signs as well.
    static let previousSecretMs: Int64 = 24 * 3_600_000
    /// Failures in a row that pause an endpoint.
    static let failuresUntilPause: Int64 = 5
    /// The first pause; each failure after it doubles the next, up to an hour.
    static let pauseMs: Int64 = 60_000
    static let pauseMaxMs: Int64 = 3_600_000
    /// An endpoint that does nothing but fail for so long is disabled.
    static let failingMs: Int64 = 5 * 86_400_000

    /// How long nothing is tried after so many failures in a row; nil while there are few.
    static func pauseMs(afterFailures failures: Int64) -> Int64? {
        guard failures >= failuresUntilPause else { return nil }
        return min(pauseMaxMs, pauseMs << min(10, failures - failuresUntilPause))
    }
}

/// Which events somebody wants: some types, or all there are and will be.
enum EventSelection: Sendable, Equatable {
    case all
    case types([EventType])

    static let everything = "*"

    /// Whether an event of this type is wanted. A test is for the endpoint that is tested alone.
    func takes(_ type: String) -> Bool {
        guard type != EventType.webhookTested.rawValue else { return false }
        switch self {
        case .all: return true
        case .types(let types): return types.contains { $0.rawValue == type }
        }
    }

    var names: [String] {
        switch self {
        case .all: [Self.everything]
        case .types(let types): types.map(\.rawValue)
        }
    }

    var json: JSONValue { .array(names.map { .text($0) }) }

    /// The types that can be asked for.
    static let offered = EventType.allCases.filter { $0 != .webhookTested }

    /// Reads names as they are sent or stored. The failure is the name that is none.
    static func read(_ names: [String]) -> Result<EventSelection, Unknown> {
        if names == [everything] { return .success(.all) }
        var types: [EventType] = []
        for name in names {
            guard let type = offered.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) }) else { return .failure(Unknown(name: name)) }
            if !types.contains(type) { types.append(type) }
        }
        return types.isEmpty ? .failure(Unknown(name: "")) : .success(.types(types))
    }

    struct Unknown: Error { var name: String }
}
