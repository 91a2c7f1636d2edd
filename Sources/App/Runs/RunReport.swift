import Compensation
import Money
import Persistence
import Web

/// What people read about a run before its lines: totals by bonus, breakage, caps, the spread of amounts, the legal audit, and what an
/// income disclosure says.
struct RunReport: Sendable {
    /// Findings about members that are listed for each check; all are counted.
    static let findingsOfCheckMax = 200

    let summary: JSONText
    let audit: JSONText
    let disclosure: JSONText
    let findings: RunPart

    init(_ output: RunOutput, _ calculation: RunCalculation, limits: LegalPolicy) throws {
        let result = output.result
        let found = result.audit(
            limits.limits, countries: limits.countries(unit: result.plan.unit), terms: limits.terms, kits: limits.kits)
        summary = JSONText(RunReport.summary(output, calculation))
        audit = JSONText(RunReport.audit(found, result))
        disclosure = JSONText(RunReport.disclosure(result, output.hash))
        findings = RunReport.findings(found, result)
    }

    // MARK: Totals

    private static func summary(_ output: RunOutput, _ calculation: RunCalculation) -> JSONValue {
        let result = output.result
        let facts = result.facts
        var money: Int128 = 0
        var volume: Int128 = 0
        for order in calculation.facts.orders {
            money += Int128(order.amountMinor)
            volume += Int128(order.commissionVolume)
        }
        var promoters: Int64 = 0
        for member in calculation.facts.members where member.isPromoter { promoters += 1 }
        return [
            "members": .integer(Int64(facts.memberCount)), "promoters": .integer(promoters), "orders": .integer(Int64(calculation.facts.orders.count)),
            "lines": .integer(Int64(output.lineCount)), "payees": .integer(Int64(output.payeeCount)),
            "statements": .integer(Int64(output.statementCount)), "sales": number(money), "commissionVolume": number(volume),
            "bonuses": .array(
                result.plan.bonuses.enumerated().map { number, bonus in
                    let kept = result.breakage[number]
                    return [
                        "code": .text(bonus.code), "rule": .text(bonus.rule.code), "amount": self.number(result.totalMinor(bonus: number)),
                        "breakageNobody": .integer(kept.nobodyMinor ?? .max), "breakageUnqualified": .integer(kept.unqualifiedMinor ?? .max),
                        "capped": self.number(kept.cappedMinor),
                    ]
                }),
            "ranks": .array(ranks(result)), "spread": spread(result),
        ]
    }

    static func number(_ value: Int128) -> JSONValue { .integer(Int64(clamping: value)) }

    private static func ranks(_ result: RunResult) -> [JSONValue] {
        result.disclosure.byRank.map { row in
            [
                "rank": .integer(Int64(row.rank)), "name": .text(row.rank == 0 ? "" : result.plan.ranks[row.rank - 1].code),
                "count": .integer(Int64(row.count)), "amount": number(row.totalMinor),
            ]
        }
    }

    /// The amounts above nothing: percentiles, and the Lorenz curve (what share of all the lowest n hundredths get, in thousandths).
    private static func spread(_ result: RunResult) -> JSONValue {
        var amounts: [Int64] = []
        for member in 0..<result.facts.memberCount where result.amountMinor(of: member) > 0 { amounts.append(result.amountMinor(of: member)) }
        amounts.sort()
        return Spread(sorted: amounts).json
    }

    // MARK: Audit

    private static func audit(_ findings: [AuditFinding], _ result: RunResult) -> JSONValue {
        var blocking: Int64 = 0
        var flags: Int64 = 0
        for finding in findings where finding.outcome == .fails {
            if finding.isHard { blocking += 1 } else { flags += 1 }
        }
        let checks = AuditFinding.Check.allCases.compactMap { check -> JSONValue? in
            let own = findings.filter { $0.check == check }
            guard !own.isEmpty else { return nil }
            let failed = own.filter { $0.outcome == .fails }
            let company = own.first { $0.member == nil && $0.country == nil }
            let countries = own.filter { $0.member == nil && $0.country != nil }
            return [
                "check": .text(check.code), "isHard": .boolean(own.contains { $0.isHard }), "failures": .integer(Int64(failed.count)),
                "members": .integer(Int64(failed.count { $0.member != nil })),
                "company": company.map { .object(compared($0)) } ?? .null,
                "countries": .array(countries.map { .object([JSONMember("country", .text($0.country ?? ""))] + compared($0)) }),
                "sources": .array(LegalSource.all.filter { $0.check == check }.map { .text($0.source) }),
            ]
        }
        return ["blocking": .integer(blocking), "flags": .integer(flags), "checks": .array(checks)]
    }

    private static func compared(_ finding: AuditFinding) -> [JSONMember] {
        [
            JSONMember("outcome", .text(String(describing: finding.outcome))), JSONMember("part", .integer(finding.part)),
            JSONMember("whole", .integer(finding.whole)),
        ]
    }

    private static func findings(_ all: [AuditFinding], _ result: RunResult) -> RunPart {
        var writer = PackedWriter()
        var rows = 0
        var ofCheck: [AuditFinding.Check: Int] = [:]
        for finding in all where finding.outcome == .fails {
            guard let member = finding.member, ofCheck[finding.check, default: 0] < findingsOfCheckMax else { continue }
            ofCheck[finding.check, default: 0] += 1
            writer.text(finding.check.code)
            writer.text(result.facts.memberId(member))
            writer.signed(finding.part)
            writer.signed(finding.whole)
            writer.count(finding.isHard ? 1 : 0)
            rows += 1
        }
        return RunPart(kind: .findings, number: 0, firstID: "", lastID: "", rows: rows, bytes: writer.bytes)
    }

    // MARK: Disclosure

    private static func disclosure(_ result: RunResult, _ hash: [UInt8]) -> JSONValue {
        let disclosure = result.disclosure
        func row(_ row: Disclosure.Row) -> JSONValue {
            [
                "rank": .integer(Int64(row.rank)), "name": .text(row.rank == 0 ? "" : result.plan.ranks[row.rank - 1].code),
                "count": .integer(Int64(row.count)), "zero": .integer(Int64(row.zeroCount)), "total": number(row.totalMinor),
                "highest": .integer(row.highestMinor),
                "quantiles": .array(
                    zip(Disclosure.percentPoints, row.quantiles).map { point, value in
                        ["percent": .integer(Int64(point)), "amount": number(value / Disclosure.quantileDenominator)]
                    }),
            ]
        }
        return [
            "participants": .integer(Int64(disclosure.participants)), "zero": .integer(Int64(disclosure.zeroParticipants)), "all": row(disclosure.all),
            "ranks": .array(disclosure.byRank.map(row)), "hash": .text(Hexadecimal.text(hash)),
        ]
    }
}

/// How amounts are spread among those who get any.
struct Spread: Sendable {
    /// Lowest first.
    let sorted: [Int64]

    var json: JSONValue {
        let total = sorted.reduce(Int128(0)) { $0 + Int128($1) }
        var lorenz: [JSONValue] = [0]
        var running: Int128 = 0
        var place = 0
        for step in 1...20 {
            let upTo = sorted.count * step / 20
            while place < upTo {
                running += Int128(sorted[place])
                place += 1
            }
            lorenz.append(.integer(total == 0 ? 0 : Int64(running * 1_000 / total)))
        }
        return [
            "count": .integer(Int64(sorted.count)), "total": RunReport.number(total), "lorenz": .array(lorenz),
            "quantiles": .array(
                [10, 25, 50, 75, 90, 99].map { percent in
                    [
                        "percent": .integer(Int64(percent)),
                        "amount": RunReport.number(Disclosure.quantile(sorted, percent: percent) / Disclosure.quantileDenominator),
                    ]
                }), "highest": .integer(sorted.last ?? 0), "gini": .integer(gini(total)),
        ]
    }

    /// The Gini coefficient in thousandths.
    private func gini(_ total: Int128) -> Int64 {
        guard total > 0, sorted.count > 1 else { return 0 }
        var weighted: Int128 = 0
        for (place, amount) in sorted.enumerated() { weighted += Int128(2 * (place + 1) - sorted.count - 1) * Int128(amount) }
        return Int64(clamping: weighted * 1_000 / (Int128(sorted.count) * total))
    }
}
