import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// The payouts that match the filters, for spreadsheets.
enum PayoutListFile {
    static func answer(_ visit: PageVisit) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let (filter, order) = (PayoutPages.filter(visit), ListOrder(visit))
        let (payouts, programs, people) = try await visit.installation.main.read { connection in
            let payouts = try PayoutListStore.list(
                in: workspace, filter, order: order, behind: nil, limit: PayoutPages.fileRowsMax, on: connection)
            return (
                payouts, try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: PayoutPages.programsMax, on: connection),
                try OperatorNames.load(payouts.flatMap { [$0.createdBy, $0.approvedBy].compactMap { $0 } }, in: workspace, vault: vault, on: connection)
            )
        }
        let head = [
            "payoutId", "programId", "program", "state", "unit", "total", "members", "arrived", "createdAt", "createdBy", "approvedAt", "approvedBy", "sentAt",
        ]
        let lines = payouts.map { payout -> [CSVCell] in
            let exponent = (try? UnitCode(payout.unit))?.exponent ?? 0
            return [
                .text(payout.id.text), .text(payout.programID.text), .text(programs.first { $0.id == payout.programID }?.name ?? ""),
                .text(payout.state.rawValue), .text(payout.unit), .number(Amount(minor: payout.totalMinor).decimalText(exponent: exponent)),
                .number(String(payout.itemCount)), .number(String(payout.paidCount)), .text(payout.createdAt.rfc3339),
                .text(people.name(payout.createdBy, language)), .text(payout.approvedAt?.rfc3339 ?? ""),
                .text(payout.approvedBy.map { people.name($0, language) } ?? ""), .text(payout.sentAt?.rfc3339 ?? ""),
            ]
        }
        return visit.csv(name: "payouts.csv", [head.map { .text($0) }] + lines)
    }
}
