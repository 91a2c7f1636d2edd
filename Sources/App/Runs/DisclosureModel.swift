import Chronology
import Money
import Web

/// The income disclosure of one period: everybody counts, also who earned nothing; actual amounts, not annualised.
struct DisclosureModel: PageModel, Sendable {
    let run: Run
    let document: JSONValue
    let language: PageLanguage

    init(_ run: Run, _ language: PageLanguage) throws {
        self.run = run
        self.language = language
        document = try JSONValue.parse(Array(run.disclosure.text.utf8), maximumBytes: 10_000_000)
    }

    var heading: String { language("disclosure.title", ["period": RunPeriod.text(run, language)]) }

    var page: PageObject {
        let all = document["all"]
        let participants = document["participants"]?.wholeNumber ?? 0
        let zero = document["zero"]?.wholeNumber ?? 0
        return [
            "heading": .text(heading), "runUrl": .text("/runs/\(run.id.text)"), "runName": .text(RunPeriod.text(run, language)),
            "unit": .text(run.unit.code),
            "lead": language.sentence(
                "disclosure.lead", count: participants,
                [
                    "zero": language.integer(zero), "share": language.percent(ppm: participants > 0 ? zero * 1_000_000 / participants : 0),
                    "median": language.money(quantile(all, 50), run.unit),
                ]),
            "rows": PageValue((document["ranks"]?.members ?? []).filter { ($0["count"]?.wholeNumber ?? 0) > 0 }.map { row($0, participants) }),
            "whole": all.map { .object(row($0, participants)) } ?? nil, "hash": .text(String((document["hash"]?.plainText ?? "").prefix(16))),
        ]
    }

    private func quantile(_ row: JSONValue?, _ percent: Int64) -> Int64 {
        (row?["quantiles"]?.members ?? []).first { $0["percent"]?.wholeNumber == percent }?["amount"]?.wholeNumber ?? 0
    }

    private func row(_ row: JSONValue, _ participants: Int64) -> PageObject {
        let count = row["count"]?.wholeNumber ?? 0
        let zero = row["zero"]?.wholeNumber ?? 0
        let name = row["name"]?.plainText ?? ""
        func money(_ percent: Int64) -> PageValue { .text(language.amount(quantile(row, percent), run.unit)) }
        return [
            "rank": .text(name.isEmpty ? language("run.noRank") : name), "count": .text(language.integer(count)),
            "share": .text(language.percent(ppm: participants > 0 ? count * 1_000_000 / participants : 0)),
            "zero": .text(language.percent(ppm: count > 0 ? zero * 1_000_000 / count : 0)), "low": money(10), "quarter": money(25), "median": money(50),
            "upper": money(75), "high": money(90), "top": money(99), "highest": .text(language.amount(row["highest"]?.wholeNumber ?? 0, run.unit)),
        ]
    }
}
