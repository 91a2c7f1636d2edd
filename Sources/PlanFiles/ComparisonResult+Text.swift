import Chronology
import Compensation
import Foundation

extension ComparisonResult {
    /// The whole comparison as JSON; amounts in minor units, shares as decimal text.
    public var json: String {
        func quoted(_ text: String) -> String { String(decoding: (try? JSONEncoder.plain.encode(text)) ?? Data("\"\"".utf8), as: UTF8.self) }
        func object(_ members: [(String, String)]) -> String { "{" + members.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}" }
        func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }
        func share(_ ppm: Int128) -> String { quoted(RunSummary.share(ppm, of: 1_000_000)) }
        func rows(_ rows: [(member: String, beforeMinor: Int64, afterMinor: Int64)]) -> String {
            list(rows.map { object([("memberId", quoted($0.member)), ("before", "\($0.beforeMinor)"), ("after", "\($0.afterMinor)")]) })
        }
        let described = self.plans.indices.map { number in
            let plan = self.plans[number]
            let found = distribution(of: number)
            var parts: [(String, String)] = [
                ("plan", quoted(plan.code)), ("total", "\(plan.totalMinor)"), ("payoutShareOfSales", quoted(RunSummary.share(plan.totalMinor, of: salesMinor))),
                ("payoutShareOfCommissionVolume", quoted(RunSummary.share(plan.totalMinor, of: commissionVolume))),
                ("totals", object(plan.bonuses.map { ($0.code, "\($0.amountMinor)") })), ("byRank", object(plan.ranks.map { ($0.code, "\($0.amountMinor)") })),
                ("breakage", "\(plan.breakageMinor)"), ("caps", "\(plan.capsMinor)"), ("paidMembers", "\(found.paidCount)"),
                ("quantiles", object(zip(["p10", "p25", "p50", "p75", "p90", "p99"], found.quantiles).map { ($0, Self.hundredths($1)) })),
                ("shareOfLowerHalf", share(found.lowerHalfPPM)), ("shareOfTopTenth", share(found.topTenthPPM)),
                ("shareOfTopHundredth", share(found.topHundredthPPM)), ("gini", share(found.giniPPM)), ("lorenz", list(found.lorenzPPM.map(share))),
            ]
            if number > 0 {
                let change = change(to: number)
                parts.append((
                    "change",
                    object([
                        ("cost", "\(plan.totalMinor - self.plans[0].totalMinor)"), ("winners", "\(change.winners)"), ("losers", "\(change.losers)"),
                        ("unchanged", "\(change.unchanged)"), ("gained", "\(change.gainedMinor)"), ("lost", "\(change.lostMinor)"),
                        ("lostAll", "\(change.lostAll)"), ("most", rows(change.most)), ("least", rows(change.least)),
                    ])
                ))
            }
            return "    " + object(parts)
        }
        let parts = [
            ("periods", list(periods.map { quoted($0.start.iso8601) })), ("promoters", "\(members.count)"), ("sales", "\(salesMinor)"),
            ("commissionVolume", "\(commissionVolume)"), ("plans", "[\n" + described.joined(separator: ",\n") + "\n  ]"),
        ]
        return "{\n  " + parts.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ",\n  ") + "\n}\n"
    }

    /// For the terminal; amounts in minor units.
    public var table: String {
        var rows: [[String]] = [[""] + plans.map(\.code)]
        let found = plans.indices.map { distribution(of: $0) }
        func add(_ name: String, _ values: [String]) { rows.append([name] + values) }
        add("paid in all", plans.map { "\($0.totalMinor)" })
        add("of sales", plans.map { Self.percent($0.totalMinor, of: salesMinor) })
        add("of commission volume", plans.map { Self.percent($0.totalMinor, of: commissionVolume) })
        add("breakage", plans.map { "\($0.breakageMinor)" })
        add("cut by caps", plans.map { "\($0.capsMinor)" })
        add("promoters paid", found.map { "\($0.paidCount) of \(members.count)" })
        for (place, name) in ["median", "75th of 100", "90th of 100", "99th of 100"].enumerated() {
            add(name, found.map { Self.hundredths($0.quantiles[place + 2]) })
        }
        add("share of the lower half", found.map { Self.percent($0.lowerHalfPPM, of: 1_000_000) })
        add("share of the top tenth", found.map { Self.percent($0.topTenthPPM, of: 1_000_000) })
        add("Gini", found.map { RunSummary.share($0.giniPPM, of: 1_000_000) })
        let changes = plans.indices.map { $0 == 0 ? nil : change(to: $0) }
        add("who gains", changes.map { $0.map { "\($0.winners) (+\($0.gainedMinor))" } ?? "" })
        add("who loses", changes.map { $0.map { "\($0.losers) (-\($0.lostMinor))" } ?? "" })
        add("cost", plans.map { plan in plan.totalMinor == plans[0].totalMinor ? "0" : "\(plan.totalMinor - plans[0].totalMinor)" })
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = "\(periods.count) period\(periods.count == 1 ? "" : "s") from \(periods.first?.start.iso8601 ?? ""), amounts in minor units\n\n"
        for row in rows {
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            text += cells.joined(separator: "  ") + "\n"
        }
        for (number, change) in changes.enumerated() {
            guard let change else { continue }
            for row in change.most.prefix(3) { text += "\nunder \(plans[number].code) \(row.member) gains \(row.afterMinor - row.beforeMinor) (\(row.beforeMinor) → \(row.afterMinor))" }
            for row in change.least.prefix(3) { text += "\nunder \(plans[number].code) \(row.member) loses \(row.beforeMinor - row.afterMinor) (\(row.beforeMinor) → \(row.afterMinor))" }
        }
        return text + "\n"
    }

    private static func percent(_ part: Int128, of whole: Int128) -> String {
        guard whole > 0 else { return "-" }
        return hundredths(part * 10_000 / whole) + " %"
    }

    private static func hundredths(_ value: Int128) -> String {
        let magnitude = value.magnitude
        let fraction = String(magnitude % 100)
        return (value < 0 ? "-" : "") + "\(magnitude / 100)." + (fraction.count < 2 ? "0" : "") + fraction
    }
}
