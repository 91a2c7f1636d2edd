import Hummingbird
import Persistence
import Web

/// A member's own side of accepted runs: their rank, what is missing to the next one, their volume and legs, and what each order earned them.
enum PortalRankPages {
    /// Periods that a member may look back at.
    static let periodsMax = 12
    static let linesPerPage = 50

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/rank", gate) { visit in try await show(visit) }
        api.portalPage("/portal/rank/{run}/lines/{number}", gate) { visit in try await line(visit) }
    }

    /// Accepted runs of the programs that the member takes part in, the newest period first.
    static func runs(of visit: PortalVisit, on connection: any Connection) throws -> [Run] {
        let programs = try PortalStore.programs(of: visit.member.id, in: visit.workspaceID, at: visit.now, on: connection).map(\.id)
        return try RunStore.posted(of: programs, in: visit.workspaceID, limit: periodsMax, on: connection)
    }

    private static func show(_ visit: PortalVisit) async throws -> Response {
        let asked = visit.query["run"].flatMap { RunID($0) }
        let after = visit.query["startingAfter"].flatMap { Int($0) }
        let runs = try await visit.installation.main.read { connection in try Self.runs(of: visit, on: connection) }
        guard let run = runs.first(where: { $0.id == asked }) ?? (asked == nil ? runs.first : nil) else {
            guard asked == nil else { throw Problem.notFound() }
            return try visit.page(
                "portal-rank", title: visit.language("portalRank.title"), tab: nil, PortalRankModel.empty(visit.language))
        }
        let period = try await RunMember.load(run, visit.member.id, linesAfter: after, limit: linesPerPage + 1, visit.installation)
        let vault = visit.installation.vault
        let names = try await visit.installation.main.read { connection in
            try PersonNames.load(members: period.legs.map(\.memberID), vault: vault, on: connection)
        }
        let model = PortalRankModel(
            period: period, runs: runs, isFirstPage: after == nil, hasMore: period.lines.count > linesPerPage, names: names, language: visit.language)
        return try visit.page("portal-rank", title: visit.language("portalRank.title"), tab: nil, model.page)
    }

    /// One line, explained. Another member's is simply not there.
    private static func line(_ visit: PortalVisit) async throws -> Response {
        guard let asked = visit.context.parameters.get("run").flatMap({ RunID($0) }),
            let number = visit.context.parameters.get("number").flatMap({ Int($0) }), number >= 0
        else { throw Problem.notFound() }
        let runs = try await visit.installation.main.read { connection in try Self.runs(of: visit, on: connection) }
        guard let run = runs.first(where: { $0.id == asked }) else { throw Problem.notFound() }
        let line = try await RunLineList(run: run, member: visit.member.id)
            .rows(after: number - 1, limit: 1, visit.installation).first { $0.number == number }
        guard let line else { throw Problem.notFound() }
        let model = try await visit.installation.main.read { connection in
            try PortalRankLineModel.load(line, of: run, visit.language, on: connection)
        }
        return try visit.page("portal-rank-line", title: model.title, tab: nil, model.page)
    }
}
