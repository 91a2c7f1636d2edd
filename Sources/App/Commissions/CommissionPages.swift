import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// Commissions, as a page and as a file.
enum CommissionPages {
    static let rowsPerPage = 50
    /// Rows of the file, the newest.
    static let fileRowsMax = 10_000
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/commissions", .commissionsRead, gate) { visit in try await list(visit) }
        api.page("/commissions.csv", .commissionsRead, gate) { visit in try await file(visit) }
        CommissionDecisionPages.add(to: &api, gate: gate)
    }

    private static func filter(_ visit: PageVisit) throws -> CommissionListStore.Filter {
        CommissionListStore.Filter(
            state: try visit.query.word("state", Commission.State.self), program: try visit.query.id("program", ProgramKind.self),
            member: try visit.query.id("member", MemberKind.self))
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let filter = try self.filter(visit)
        let language = visit.language
        let before = visit.query["startingAfter"].flatMap { CommissionID($0) }
        let named = CommissionDecisionPages.named(visit)
        let order = ListOrder(visit)
        let (model, decision) = try await visit.installation.main.read { connection -> (CommissionListModel, CommissionDecision?) in
            let rows = try CommissionListStore.list(
                in: workspace, filter, order: order, behind: before, limit: rowsPerPage + 1, on: connection)
            let model = CommissionListModel(
                rows: Array(rows.prefix(rowsPerPage)), hasMore: rows.count > rowsPerPage, isFirstPage: before == nil,
                totals: try CommissionListStore.totals(in: workspace, filter, on: connection),
                names: try PersonNames.load(
                    members: rows.map(\.memberID) + (filter.member.map { [$0] } ?? []), vault: vault, on: connection),
                programs: try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection), filter: filter,
                mayWrite: visit.session.may(.commissionsWrite), csrfToken: visit.csrfToken, before: before, order: order, language: language)
            return (model, try named.flatMap { try CommissionDecisionStore.find($0, in: workspace, on: connection) })
        }
        return try visit.page(
            "commission-list", title: language("commissions.title"), current: "/commissions",
            notice: CommissionDecisionPages.notice(visit, decision, back: model.here), model.page)
    }

    private static func file(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let filter = try self.filter(visit)
        let language = visit.language
        let order = ListOrder(visit)
        let (rows, names) = try await visit.installation.main.read { connection in
            let rows = try CommissionListStore.list(in: workspace, filter, order: order, behind: nil, limit: fileRowsMax, on: connection)
            return (rows, try PersonNames.load(members: rows.map(\.memberID), vault: vault, on: connection))
        }
        let head = ["commissionId", "programId", "memberId", "member", "order", "level", "occurredAt", "holdUntil", "unit", "amount", "reversed", "state"]
        let lines = rows.map { row -> [CSVCell] in
            let exponent = (try? UnitCode(row.unit))?.exponent ?? 0
            return [
                .text(row.id.text), .text(row.programID.text), .text(row.memberID.text), .text(names.member(row.memberID, language)),
                .text(row.invoiceID ?? ""), .number(String(row.level)), .text(row.occurredAt.rfc3339), .text(row.holdUntil.rfc3339),
                .text(row.unit), .number(Amount(minor: row.amountMinor).decimalText(exponent: exponent)),
                .number(Amount(minor: row.reversedMinor).decimalText(exponent: exponent)), .text(row.state.rawValue),
            ]
        }
        return visit.csv(name: "commissions.csv", [head.map { .text($0) }] + lines)
    }
}
