import Chronology
import Money
import Rules
import Web

/// Why one line gave what it gave, for the member it belongs to. The buyer stays unnamed: the sale is theirs, not the member's.
struct PortalReceiptModel: PageModel {
    var commission: Commission
    var sale: Sale?
    var program: Program
    var rule: Rule?
    var refunds: [Refund]
    /// Nil where nobody came by anything: a step by hand, or visits.
    var path: PortalReceiptPath?
    var now: Instant
    var language: PageLanguage

    var title: String { line.title }

    private var line: PortalLine {
        PortalLine(
            line: PortalStore.Line(
                id: commission.id, cause: commission.cause, level: commission.level, unit: commission.unit, amountMinor: commission.amountMinor,
                keptMinor: commission.keptMinor, state: commission.state, holdUntil: commission.holdUntil, occurredAt: commission.occurredAt,
                programName: program.name, country: sale?.country), now: now, language: language)
    }

    var page: PageObject {
        [
            "title": .text(title), "lead": lead, "state": line.state, "at": language.time(commission.occurredAt),
            "rows": PageValue(rows.map { PageObject(["name": .text($0.name), "value": .text($0.value), "sum": .flag($0.isSum)]) }),
            "rule": PageValue(ruleText), "because": PageValue(path?.because), "hasSteps": .flag(!steps.isEmpty), "steps": PageValue(steps),
            "hasRejected": .flag(!rejected.isEmpty), "rejected": PageValue(rejected),
            "program": .text(program.name), "hasChanges": .flag(!changes.isEmpty), "changes": PageValue(changes),
        ]
    }

    private var steps: [PageObject] { path?.steps ?? [] }
    private var rejected: [PageObject] { path?.rejected ?? [] }

    private var ruleText: String? {
        guard let rule, let currency = Currency(code: program.currency) else { return nil }
        return RuleSentence(rule: rule, currency: currency, language: language).text
    }

    private var lead: PageValue {
        let values = [
            "amount": language.money(commission.keptMinor, commission.unit), "full": language.money(commission.amountMinor, commission.unit),
            "day": language.day(commission.holdUntil), "level": language.integer(Int64(commission.level)), "program": program.name,
        ]
        let part = commission.keptMinor == 0 && commission.amountMinor > 0 ? "returned" : commission.reversedMinor > 0 ? "partly" : "whole"
        return language.sentence("portalReceipt.lead.\(commission.level == 0 ? "own" : "team").\(part)", values)
    }

    private struct ArithmeticRow {
        var name: String
        var value: String
        var isSum = false
    }

    /// Base, rate, share, limit, what came back: as far as each had a say.
    private var rows: [ArithmeticRow] {
        var rows: [ArithmeticRow] = []
        func add(_ key: String, _ value: String, isSum: Bool = false) { rows.append(ArithmeticRow(name: language("portalReceipt.row.\(key)"), value: value, isSum: isSum)) }
        let explanation = commission.explanation.value
        if commission.baseMinor != 0, let sale { add("base", language.money(commission.baseMinor, .currency(sale.currency))) }
        if let text = commission.rate, let rate = try? Rate(text) {
            add("rate", language.percent(ppm: rate.billionths / 1000, decimals: 4))
        } else {
            let rates = (explanation["slices"]?.elements ?? []).compactMap { $0["rate"]?.string.flatMap { try? Rate($0) } }
            if !rates.isEmpty { add("rates", rates.map { language.percent(ppm: $0.billionths / 1000, decimals: 4) }.listed(language)) }
        }
        if commission.sharePPM < 1_000_000 { add("share", language.percent(ppm: Int64(commission.sharePPM), decimals: 2)) }
        if let allowed = explanation["cappedTo"]?.int64, let wanted = explanation["amount"]?.int64 {
            add("beforeCap", language.money(wanted, commission.unit))
            add("cap", language.money(allowed, commission.unit))
        }
        add("gave", language.money(commission.amountMinor, commission.unit), isSum: commission.reversedMinor == 0)
        if commission.reversedMinor > 0 {
            add("returned", language.money(-commission.reversedMinor, commission.unit))
            add("kept", language.money(commission.keptMinor, commission.unit), isSum: true)
        }
        return rows
    }

    private var changes: [PageObject] {
        var rows: [PageObject] = []
        func add(_ key: String, _ values: [String: String], _ at: Instant) {
            rows.append(["what": .text(language("portalReceipt.change.\(key)", values)), "at": language.time(at)])
        }
        for refund in refunds { if let applied = refund.appliedMinor, applied > 0, sale != nil { add("refund", [:], refund.occurredAt) } }
        switch commission.state {
        case .pending: add("hold", ["day": language.day(commission.holdUntil)], commission.holdUntil)
        case .approved, .paid: add("approved", [:], commission.holdUntil)
        case .held, .canceled, .reversed, .refused: break
        }
        return rows
    }
}
