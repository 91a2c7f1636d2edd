import Chronology
import Persistence

/// What the click file knows about a buyer, read before the write: the click that was named, and the clicks of their browsers.
/// Clicks are immutable and older than the event, so reading them outside the transaction changes nothing.
struct Evidence: Sendable {
    var namedClick: Click?
    /// Clicks of the visitors that are the customer, the newest first.
    var visitorClicks: [Click] = []

    static let none = Evidence()

    /// The longest window a program may have; older clicks never count.
    static let reachMs = ProgramSettings.windowDaysMax * 86_400_000

    /// Looks a buyer's clicks up. `customerHash` finds browsers that are known as the customer already.
    static func gather(
        click id: ClickID?, visitor: String?, customerHash: [UInt8]?, workspace: WorkspaceID, main: any Database, clicks: any Database,
        now: Instant
    ) async throws -> Evidence {
        var visitors: [String] = visitor.map { [$0] } ?? []
        if let customerHash {
            visitors += try await main.read { connection in
                guard let customer = try CustomerStore.find(externalHash: customerHash, in: workspace, on: connection) else { return [] }
                return try CustomerStore.visitors(of: customer.id, on: connection)
            }
        }
        guard id != nil || !visitors.isEmpty else { return .none }
        let known = visitors
        let since = (try? now.adding(milliseconds: -reachMs)) ?? .earliest
        return try await clicks.read { connection in
            let named = try id.flatMap { try ClickStore.find($0, in: workspace, on: connection) }
            var all = known
            if let visitor = named?.visitorID, !all.contains(visitor) { all.append(visitor) }
            return Evidence(
                namedClick: named,
                visitorClicks: try ClickStore.of(
                    visitors: all, in: workspace, since: since, limit: TouchStore.touchesMax, on: connection))
        }
    }
}
