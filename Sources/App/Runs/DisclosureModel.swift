import Chronology
import Money
import Web

/// The income disclosure of one period: everybody counts, also who earned nothing; actual amounts, not annualised.
struct DisclosureModel: PageModel, Sendable {
    /// Texts of one rank, or of everybody.
    struct Row: Sendable {
        /// Rank, people, share, with nothing, five quantiles with the median, 99 %, highest.
        var cells: [String]
    }

    let run: Run
    let document: JSONValue
    let language: PageLanguage

    init(_ run: Run, _ language: PageLanguage) throws {
        self.run = run
        self.language = language
        document = try JSONValue.parse(Array(run.disclosure.text.utf8), maximumBytes: 10_000_000)
    }

    var heading: String { language("disclosure.title", ["period": RunPeriod.text(run, language)]) }
    /// Percents of the quantiles that are shown.
    private static let percents: [Int64] = [10, 25, 50, 75, 90, 99]
    private var participants: Int64 { document["participants"]?.wholeNumber ?? 0 }
    private var zero: Int64 { document["zero"]?.wholeNumber ?? 0 }
    private var isFromLedger: Bool { document["source"]?.plainText == "ledger" }

    var page: PageObject {
        [
            "heading": .text(heading), "runUrl": .text("/runs/\(run.id.text)"), "runName": .text(RunPeriod.text(run, language)),
            "unit": .text(run.unit.code), "lead": language.sentence("disclosure.lead", count: participants, leadValues),
            "pdfURL": .text("/runs/\(run.id.text)/disclosure.pdf"), "rows": PageValue(rows.map(object)),
            "whole": whole.map { .object(object($0)) } ?? nil,
            "expenses": expenses.map { ["heading": .text($0.heading), "sentence": .text($0.sentence)] } ?? nil, "notes": PageValue(notes),
        ]
    }

    private var leadValues: [String: String] {
        [
            "zero": language.integer(zero), "share": share(zero, participants),
            "median": language.money(quantile(document["all"], 50), run.unit), "count": language.integer(participants),
        ]
    }

    private func share(_ part: Int64, _ whole: Int64) -> String { language.percent(ppm: whole > 0 ? part * 1_000_000 / whole : 0) }

    private func object(_ row: Row) -> PageObject {
        let names = ["rank", "count", "share", "zero", "low", "quarter", "median", "upper", "high", "top", "highest"]
        return PageObject(Dictionary(zip(names, row.cells.map { PageValue.text($0) }), uniquingKeysWith: { first, _ in first }))
    }

    // MARK: What the page and the file have in common

    /// The sentence without marks.
    var lead: String { language.plural("disclosure.plainLead", participants, leadValues) }

    var columns: [String] {
        [language("disclosure.column.rank"), language("disclosure.column.count"), language("disclosure.column.share"), language("disclosure.column.zero")]
            + Self.percents.map { $0 == 50 ? language("disclosure.column.median") : language.percent(ppm: $0 * 10_000, decimals: 0) }
            + [language("disclosure.column.highest")]
    }

    var rows: [Row] { (document["ranks"]?.members ?? []).filter { ($0["count"]?.wholeNumber ?? 0) > 0 }.map { row($0, isWhole: false) } }
    var whole: Row? { document["all"].map { row($0, isWhole: true) } }

    /// What participants spent on goods of their own; nil before the run is in the ledger.
    var expenses: (heading: String, sentence: String)? {
        guard let spent = document["expenses"] else { return nil }
        let spenders = document["spenders"]?.wholeNumber ?? 0
        return (
            language("disclosure.expenses.heading"),
            language.plural(
                "disclosure.expenses.sentence", spenders,
                [
                    "share": share(spenders, participants), "median": language.money(quantile(spent, 50), run.unit),
                    "high": language.money(quantile(spent, 90), run.unit), "total": language.money(spent["total"]?.wholeNumber ?? 0, run.unit),
                ])
        )
    }

    /// How it was counted, and what it was counted from.
    var notes: [String] {
        var notes = [language("disclosure.definition"), language(isFromLedger ? "disclosure.source.ledger" : "disclosure.source.preview")]
        if let active = document["active"]?.wholeNumber {
            var isStatus = false
            if case .boolean(true)? = document["activeIsStatus"] { isStatus = true }
            notes.append(language.plural(isStatus ? "disclosure.active.status" : "disclosure.active.plan", active, ["share": share(active, participants)]))
        }
        return notes + ["\(language("disclosure.hash")) \(String((document["hash"]?.plainText ?? "").prefix(16)))"]
    }

    private func quantile(_ row: JSONValue?, _ percent: Int64) -> Int64 {
        (row?["quantiles"]?.members ?? []).first { $0["percent"]?.wholeNumber == percent }?["amount"]?.wholeNumber ?? 0
    }

    private func row(_ row: JSONValue, isWhole: Bool) -> Row {
        let count = row["count"]?.wholeNumber ?? 0
        let name = row["name"]?.plainText ?? ""
        return Row(
            cells: [
                isWhole ? language("disclosure.all") : name.isEmpty ? language("run.noRank") : name, language.integer(count), share(count, participants),
                share(row["zero"]?.wholeNumber ?? 0, count),
            ] + Self.percents.map { language.amount(quantile(row, $0), run.unit) } + [language.amount(row["highest"]?.wholeNumber ?? 0, run.unit)])
    }
}
