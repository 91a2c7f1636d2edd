import Money
import Web

/// The small table of a receipt: who gets what, of which base, at which rate.
struct ReceiptArithmetic {
    let receipt: Receipt
    let names: PersonNames
    let language: PageLanguage

    /// The unit of the headings: the first line's. Amounts of other units say theirs.
    var unit: UnitCode { receipt.commissions.first?.unit ?? .currency(receipt.sale.currency) }

    var lines: [PageObject] {
        receipt.commissions.enumerated().map { position, commission in
            let name = names.member(commission.memberID, language)
            return [
                "name": .text(name), "initials": .text(Initials.of(name)), "tone": .text(position == 0 ? "me" : ""),
                "role": .text(role(commission)),
                "base": .text(base(commission)), "rate": .text(rate(commission)), "sale": .text(amount(commission.amountMinor, commission.unit)),
                "returned": .text(amount(-commission.reversedMinor, commission.unit)), "now": .text(amount(commission.keptMinor, commission.unit)),
            ]
        }
    }

    var total: PageValue {
        let same = receipt.commissions.filter { $0.unit == unit }
        guard same.count > 1 else { return .nothing }
        let kept = same.reduce(Int64(0)) { $0 &+ $1.keptMinor }
        let sale = receipt.sale
        let isPart = unit == .currency(sale.currency) && sale.keptMinor > 0
        let ppm = isPart ? Share.ppm(kept, of: sale.keptMinor) : 0
        return [
            "label": .text(
                isPart ? language("receipt.arithmetic.togetherOf", ["percent": language.percent(ppm: ppm)]) : language("receipt.arithmetic.together")),
            "sale": .text(language.amount(same.reduce(0) { $0 &+ $1.amountMinor }, unit)),
            "returned": .text(language.amount(-same.reduce(0) { $0 &+ $1.reversedMinor }, unit)), "now": .text(language.amount(kept, unit)),
        ]
    }

    var note: PageValue {
        guard !receipt.commissions.isEmpty else { return .nothing }
        var sentences = [language("receipt.arithmetic.rounding")]
        for commission in receipt.commissions {
            let explanation = commission.explanation.value
            guard let allowed = explanation["cappedTo"]?.int64, let wanted = explanation["amount"]?.int64 else { continue }
            sentences.append(
                language(
                    "receipt.arithmetic.capped",
                    ["cap": language.money(allowed, commission.unit), "cut": language.money(wanted - allowed, commission.unit)]))
        }
        return .text(sentences.joined(separator: " "))
    }

    private func amount(_ minor: Int64, _ of: UnitCode) -> String { of == unit ? language.amount(minor, of) : language.money(minor, of) }

    private func role(_ commission: Commission) -> String {
        if commission.cause == .manual { return language("receipt.role.correction") }
        return commission.level == 0
            ? language("receipt.role.sharer") : language("receipt.role.level", ["level": language.integer(Int64(commission.level))])
    }

    private func base(_ commission: Commission) -> String {
        if commission.cause == .manual { return "–" }
        guard commission.baseMinor != 0 else { return language("receipt.arithmetic.fixed") }
        let before = language.amount(commission.baseMinor, .currency(receipt.sale.currency))
        let sale = receipt.sale
        guard sale.refundedMinor > 0, commission.baseMinor == sale.amountMinor else { return before }
        return language(
            "receipt.arithmetic.then", ["before": before, "after": language.amount(sale.keptMinor, .currency(sale.currency))])
    }

    private func rate(_ commission: Commission) -> String {
        let share = commission.sharePPM < 1_000_000 ? " × " + language.percent(ppm: Int64(commission.sharePPM), decimals: 2) : ""
        if let text = commission.rate, let rate = try? Rate(text) { return language.percent(ppm: rate.billionths / 1000, decimals: 4) + share }
        let slices = commission.explanation.value["slices"]?.elements ?? []
        let rates = slices.compactMap { $0["rate"]?.string.flatMap { try? Rate($0) } }.map { language.percent(ppm: $0.billionths / 1000, decimals: 4) }
        return rates.isEmpty ? "–" + share : rates.listed(language) + share
    }
}

/// A part of a whole in millionths.
enum Share {
    static func ppm(_ part: Int64, of whole: Int64) -> Int64 {
        guard whole != 0 else { return 0 }
        return Int64(clamping: Int128(part) * 1_000_000 / Int128(whole))
    }
}
