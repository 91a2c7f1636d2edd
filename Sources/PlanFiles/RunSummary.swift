import Chronology
public import Compensation
import Foundation
import Money
import PlanLanguage

/// What `summary.json` says of one run.
public struct RunSummary: Sendable {
    public struct BonusTotal: Sendable {
        public var code: String
        public var type: String
        public var amountMinor: Int128
        public var memberCount: Int
        public var breakage: Breakage
    }
    public struct RankCount: Sendable {
        public var code: String
        public var achieved = 0
        public var paidAs = 0
        public var amountMinor: Int128 = 0
    }
    public var plan: String
    public var planVersion: Int
    public var unit: String
    public var period: Period
    public var zone: String
    public var memberCount: Int
    public var facts: FactTotals
    public var orderCount: Int
    public var nettedCount: Int
    public var lineCount: Int
    public var statementCount: Int
    public var paidCount: Int
    public var totalMinor: Int128
    public var bonuses: [BonusTotal]
    public var ranks: [RankCount]
    public var hash: String

    init(_ result: RunResult, lineCount: Int, statementCount: Int, hash: String) {
        let found = result.facts
        plan = result.plan.code
        planVersion = result.plan.version
        unit = result.plan.unit.code
        period = found.period
        zone = result.plan.calendar.zone.name
        memberCount = found.memberCount
        facts = found.totals
        orderCount = found.orderCount
        nettedCount = found.nettedOrderIds.count
        self.lineCount = lineCount
        self.statementCount = statementCount
        self.hash = hash
        totalMinor = result.totalMinor
        bonuses = result.plan.bonuses.enumerated().map { number, bonus in
            BonusTotal(
                code: bonus.code, type: bonus.rule.code, amountMinor: result.totalMinor(bonus: number),
                memberCount: (0..<found.memberCount).count { result.amountMinor(of: $0, bonus: number) != 0 }, breakage: result.breakage[number])
        }
        var ranks = ([""] + result.plan.ranks.map(\.code)).map { RankCount(code: $0) }
        var paid = 0
        for member in 0..<found.memberCount where found.isPromoter(member) {
            let amount = result.amountMinor(of: member)
            let (achieved, paidAs) = result.ranks(of: member)
            ranks[achieved].achieved += 1
            ranks[paidAs].paidAs += 1
            ranks[paidAs].amountMinor += Int128(amount)
            if amount != 0 { paid += 1 }
        }
        self.ranks = ranks
        paidCount = paid
    }

    /// The file's text.
    public var json: String {
        func quoted(_ text: String) -> String {
            let data = (try? JSONEncoder.plain.encode(text)) ?? Data("\"\"".utf8)
            return String(decoding: data, as: UTF8.self)
        }
        func object(_ members: [(String, String)]) -> String { "{" + members.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}" }
        func table(_ rows: [[(String, String)]]) -> String { rows.isEmpty ? "[]" : "[\n    " + rows.map(object).joined(separator: ",\n    ") + "\n  ]" }
        func minor(_ value: Int64?) -> String { value.map { "\($0)" } ?? "null" }
        let parts: [(String, String)] = [
            ("plan", quoted(plan)), ("planVersion", "\(planVersion)"), ("engineVersion", "\(RunHash.engineVersion)"), ("unit", quoted(unit)),
            ("period", object([("start", quoted(period.start.iso8601)), ("end", quoted(period.end.iso8601)), ("zone", quoted(zone))])),
            ("counts", object([
                ("members", "\(memberCount)"), ("promoters", "\(facts.promoterCount)"), ("customers", "\(memberCount - facts.promoterCount)"),
                ("orders", "\(orderCount)"), ("nettedOrders", "\(nettedCount)"), ("lateRefunds", "\(facts.lateRefundCount)"),
                ("lines", "\(lineCount)"), ("statements", "\(statementCount)"), ("paidMembers", "\(paidCount)"),
            ])),
            ("sales", object([
                ("amount", "\(facts.amountMinor)"), ("commissionVolume", "\(facts.commissionVolume)"), ("qualifyingVolume", "\(facts.qualifyingVolume)"),
            ])),
            ("total", "\(totalMinor)"), ("payoutShareOfSales", quoted(Self.share(totalMinor, of: facts.amountMinor))),
            ("payoutShareOfCommissionVolume", quoted(Self.share(totalMinor, of: facts.commissionVolume))),
            ("totals", "{\n    " + bonuses.map { "\(quoted($0.code)): \($0.amountMinor)" }.joined(separator: ",\n    ") + "\n  }"),
            ("bonuses", table(bonuses.map {
                [("bonus", quoted($0.code)), ("type", quoted($0.type)), ("amount", "\($0.amountMinor)"), ("members", "\($0.memberCount)")]
            })),
            ("breakage", table(bonuses.map {
                [("bonus", quoted($0.code)), ("nobody", minor($0.breakage.nobodyMinor)), ("unqualified", minor($0.breakage.unqualifiedMinor))]
            })),
            ("caps", table(bonuses.map {
                [
                    ("bonus", quoted($0.code)), ("cap.bonus", "\($0.breakage.capBonusMinor)"),
                    ("cap.soldOrUsed", "\($0.breakage.capSoldOrUsedMinor)"), ("cap.person", "\($0.breakage.capPersonMinor)"),
                    ("cap.plan", "\($0.breakage.capPlanMinor)"),
                ]
            })),
            ("ranks", table(ranks.map {
                [("rank", quoted($0.code)), ("achieved", "\($0.achieved)"), ("paidAs", "\($0.paidAs)"), ("amount", "\($0.amountMinor)")]
            })),
            ("hash", quoted(hash)),
        ]
        return "{\n  " + parts.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ",\n  ") + "\n}\n"
    }

    /// A share with six decimals, cut.
    static func share(_ part: Int128, of whole: Int128) -> String {
        guard whole > 0 else { return "0" }
        let millionths = part * 1_000_000 / whole
        let magnitude = millionths.magnitude
        let fraction = String(magnitude % 1_000_000)
        return (millionths < 0 ? "-" : "") + "\(magnitude / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

extension JSONEncoder {
    static var plain: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return encoder
    }
}
