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

extension Evidence {
    /// The program of the customer's latest touch that still counts there: kept by name before, or a click of one of their browsers.
    func program(of customer: Customer, at instant: Instant, in write: Write) throws -> Program? {
        let kept = try TouchStore.of(customer.id, on: write.connection).map { (at: $0.at, program: $0.programID) }
        let clicked = visitorClicks.filter { $0.discard == nil || $0.discard == ClickClassifier.addressVelocity }
            .map { (at: $0.at, program: $0.programID) }
        var asked: Set<ProgramID> = []
        for touch in (kept + clicked).filter({ $0.at <= instant }).sorted(by: { $0.at > $1.at }) where asked.insert(touch.program).inserted {
            guard let program = try ProgramStore.find(touch.program, in: write.workspace.id, at: instant, on: write.connection) else { continue }
            if instant.millisecondsClamped(since: touch.at) < program.settings.windowDays * 86_400_000 { return program }
        }
        return nil
    }
}
