import Chronology
import Money
import Web

/// The network as a page: levels, what was found, health, and what each figure means.
struct LevelModel: Sendable {
    var found: NetworkLevels
    var asked: LevelPages.Asked
    var programs: [(id: ProgramID, name: String)]
    var mayReadMembers: Bool
    var language: PageLanguage

    private var words: LevelWords { LevelWords(language: language) }

    var blocks: PageBlocks {
        var page = PageBlocks(heading: words("title"), lead: lead, filters: filters)
        if asked.from != nil || asked.to != nil || asked.program != nil { page.clear = (LevelPages.path, words("clear")) }
        guard !found.levels.isEmpty else {
            page.empty = PageBlocks.Empty(heading: words("empty.heading"), text: words("empty.text"), link: nil)
            return page
        }
        page.blocks = [PageBlocks.Block(heading: words("group.levels"), table: levels, note: note)]
        page.blocks += found.findings.map { finding in
            PageBlocks.Block(
                heading: words("finding.heading", ["level": language.integer(finding.level.depth)]), text: words.sentence(finding, compared: found.compared),
                links: rows(finding.level).map { [PageBlocks.Link(url: $0, label: words("finding.rows"))] } ?? [],
                note: words("suggestion.\(finding.suggestion.rawValue)"), isWarning: true)
        }
        page.blocks.append(PageBlocks.Block(heading: words("group.health"), table: health))
        page.blocks.append(PageBlocks.Block(heading: words("group.meaning"), table: meanings))
        return page
    }

    private var lead: PageValue {
        let members = found.levels.reduce(0) { $0 + $1.members }
        guard members > 0 else { return language.sentence("levels.lead.none") }
        return language.sentence(
            found.compared == 0 ? "levels.lead.few" : found.findings.isEmpty ? "levels.lead.even" : "levels.lead.uneven", count: Int64(found.levels.count),
            [
                "members": language.integer(members), "low": language.integer(Int64(found.findings.count)), "from": language.wholeDay(found.days.lowerBound),
                "to": language.wholeDay(found.days.upperBound),
            ])
    }

    private var note: String {
        words(found.compared == 0 ? "note.few" : "note.compared", ["count": language.integer(Int64(found.compared)), "minimum": language.integer(30)])
    }

    private var filters: PageForm {
        PageForm(
            action: LevelPages.path, method: "get",
            fields: [
                .line("from", words("from"), found.days.lowerBound.iso8601, type: "date"), .line("to", words("to"), found.days.upperBound.iso8601, type: "date"),
                FormField(
                    name: "programId", label: words("program"),
                    control: .select(
                        [FormField.Choice(value: "", label: words("programAny"), isChosen: asked.program == nil)]
                            + programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id == asked.program) })),
            ], buttons: [PageForm.Button(label: words("show"))], csrfToken: "")
    }

    private func rows(_ level: NetworkLevel) -> String? {
        mayReadMembers ? asked.address(LevelPages.membersPath, found.days, "&level=\(level.depth)") : nil
    }

    private func part(_ part: Int64, of whole: Int64) -> String {
        words("part", ["percent": words.percent(part, whole), "part": language.integer(part), "whole": language.integer(whole)])
    }

    private func money(_ amounts: [NetworkLevel.Amount]) -> String {
        let texts = amounts.compactMap { amount in (try? UnitCode(amount.unit)).map { language.money(amount.minor, $0) } }
        return texts.isEmpty ? "–" : texts.joined(separator: language("list.separator"))
    }

    private var levels: PageTable {
        let low = Set(found.findings.map(\.level.depth))
        let names: [(String, Bool)] = [
            ("level", false), ("members", true), ("newMembers", true), ("activeShare", true), ("sellerShare", true), ("sales", true), ("revenue", true), ("commissionCost", true),
        ]
        return PageTable(
            label: words("group.levels"),
            columns: names.map { PageTable.Column(label: words("column.\($0.0)"), isNumber: $0.1, isExtra: ["newMembers", "sellerShare", "commissionCost"].contains($0.0)) }
                + [PageTable.Column(label: words("column.state"))],
            rows: found.levels.map { level in
                PageTable.Row(cells: [
                    .name(words("level", ["level": language.integer(level.depth)]), url: rows(level)), .number(language.integer(level.members)),
                    .number(language.integer(level.joined)), .number(part(level.active, of: level.members)), .number(part(level.sellers, of: level.members)),
                    .number(language.integer(level.sales)), .number(money(level.revenue)), .number(money(level.cost)),
                    low.contains(level.depth) ? .badge(words("state.low"), tone: "warn", icon: "warning") : .nothing,
                ])
            }, language: language)
    }

    private func number(_ value: Double?) -> String { value.map { "\(($0 * 100).rounded() / 100)" } ?? "–" }

    private var health: PageTable {
        let health = found.health
        var rows: [(String, String)] = [
            ("recruitsMedian", number(health.medianWidth)), ("recruitsMean", number(health.meanWidth)),
            ("deepestLevel", health.deepest.map { language.integer($0) } ?? "–"), ("medianLevel", number(health.medianDepth)),
        ]
        if health.deeper > 0 { rows.append(("membersDeeper", language.integer(health.deeper))) }
        var cells = rows.map { PageTable.Row(cells: [.text(words("health.\($0.0)")), .number($0.1), .text(words.definition($0.0))]) }
        for revenue in health.revenue {
            let values: [(String, String)] = [
                ("gini", number(revenue.gini)), ("largestTenShare", revenue.largestShare.map { words.percent($0) } ?? "–"),
                ("retailShare", words.percent(revenue.retail, revenue.all)),
            ]
            cells += values.map { name, value in
                PageTable.Row(cells: [
                    .text(words("health.of", ["figure": words("health.\(name)"), "currency": revenue.unit])), .number(value), .text(words.definition(name)),
                ])
            }
        }
        return table("group.health", cells, hasValue: true)
    }

    private var meanings: PageTable {
        table(
            "group.meaning",
            ["members", "newMembers", "activeShare", "sellerShare", "sales", "revenue", "commissionCost"].map {
                PageTable.Row(cells: [.text(words("column.\($0)")), .text(words.definition($0))])
            }, hasValue: false)
    }

    private func table(_ heading: String, _ rows: [PageTable.Row], hasValue: Bool) -> PageTable {
        PageTable(
            label: words(heading),
            columns: [PageTable.Column(label: words("column.figure"))] + (hasValue ? [PageTable.Column(label: words("column.value"), isNumber: true)] : [])
                + [PageTable.Column(label: words("column.meaning"))], rows: rows, language: language)
    }
}
