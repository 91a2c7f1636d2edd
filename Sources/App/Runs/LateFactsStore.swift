import Chronology
import Compensation
import Persistence
import Web

/// Sales, refunds and moves of an accepted period that were recorded after its run had read the facts.
struct LateFacts: Sendable {
    /// Ids named in a cause at most.
    static let namesMax = 5

    private let fresh: FactsSnapshot
    private let ids: [String]

    /// The late facts, by their ids.
    var names: String {
        let shown = ids.prefix(Self.namesMax).joined(separator: ", ")
        return ids.count > Self.namesMax ? "\(shown) and \(ids.count - Self.namesMax) more" : shown.isEmpty ? "an earlier difference" : shown
    }

    static func exist(for run: Run, on connection: any Connection) throws -> Bool {
        guard let cutoff = run.cutoff else { return false }
        return try !ids(run, cutoff, on: connection).isEmpty
    }

    init(_ run: Run, _ program: Program, _ trees: PlanTrees, _ world: World, on connection: any Connection) throws {
        guard let cutoff = run.cutoff, let workspace = try WorkspaceStore.find(run.workspaceID, on: connection) else {
            throw Refusal.unknown("run")
        }
        ids = try Self.ids(run, cutoff, on: connection)
        fresh = try FactsReading(
            program: program, unit: run.unit, startsAt: run.startsAt, endsAt: run.endsAt, cutoff: workspace.now(world), treeCodes: trees.codes,
            readsProducts: trees.readsProducts
        ).snapshot(on: connection)
    }

    /// Of what was recorded at or after the cut-off, that which the run does not have. Time alone can't tell: many things happen in
    /// one thousandth of a second.
    private static func ids(_ run: Run, _ cutoff: Instant, on connection: any Connection) throws -> [String] {
        let recorded = try LateFactsStore.recorded(run, cutoff, on: connection)
        return try recorded.filter { text in
            guard let id = PackedID(text), !id.isMember else { return true }
            return try !RunReading.holds(id, run.id, on: connection)
        }
    }

    /// The facts with the late ones: orders and places as they are known now; members keep kind and status they had then.
    func merged(into old: FactsSnapshot) -> FactsSnapshot {
        var facts = fresh
        for row in facts.members.indices {
            guard let before = old.row(ofMember: facts.members[row].id) else { continue }
            facts.members[row].isPromoter = old.members[before].isPromoter
            facts.members[row].status = old.members[before].status
            facts.members[row].hasEarlierOrders = old.members[before].hasEarlierOrders
        }
        return facts
    }
}

enum LateFactsStore {
    /// Facts recorded since that are looked through.
    private static let candidatesMax = 100_000

    /// Sales, refunds and moved members of a run's period, recorded at or after an instant.
    static func recorded(_ run: Run, _ cutoff: Instant, on connection: any Connection) throws -> [String] {
        try connection.rows(
            """
            SELECT id FROM sale WHERE program_id = \(run.programID) AND occurred_at >= \(run.startsAt) AND occurred_at < \(run.endsAt)
              AND recorded_at >= \(cutoff)
            UNION SELECT r.id FROM refund r JOIN sale s ON s.id = r.sale_id WHERE s.program_id = \(run.programID) AND r.state = 'applied'
              AND r.occurred_at >= \(run.startsAt) AND r.occurred_at < \(run.endsAt) AND r.recorded_at >= \(cutoff)
            UNION SELECT member_id FROM placement WHERE program_id = \(run.programID) AND effective_from < \(run.endsAt) AND recorded_at >= \(cutoff)
            ORDER BY 1 LIMIT \(candidatesMax)
            """
        ).map { try $0.get(at: 0) as String }
    }
}
