import Chronology
import Money
import Statistics
import Web

/// The page of how people go on.
struct ProgressionModel: Sendable {
    var days: ClosedRange<LocalDay>
    var flows: [(from: String?, to: String, count: Int64)]
    var standing: InsightAnswer
    var staying: StayingReport
    var friction: FrictionReport
    var drivers: DriverReport
    var spend: SpendReport
    var programs: [Program]
    var language: PageLanguage

    /// Findings of a kind that are shown.
    private static let findingsMax = 12
    private static let marks: [Int64] = [7, 30, 90, 180]

    private var words: ProgressionWords { ProgressionWords(programs: programs, language: language) }
    private var length: Int64 { days.upperBound.dayNumber - days.lowerBound.dayNumber + 1 }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("progression.\(key)", values) }
    private func stage(_ stage: Member.Stage) -> String { say("stage.\(stage.rawValue)") }

    var blocks: PageBlocks {
        PageBlocks(
            heading: say("title"),
            tabs: ProgressionPages.daysOffered.map {
                (
                    url: $0 == ProgressionPages.daysUsual ? ProgressionPages.path : "\(ProgressionPages.path)?days=\($0)",
                    label: language.plural("progression.days", $0), isCurrent: $0 == length
                )
            }, lead: lead, blocks: [flowBlock, stayingBlock, frictionBlock] + (friction.better.isEmpty ? [] : [betterBlock]) + [driverBlock] + spendBlocks)
    }

    /// The worst finding in a sentence, or what can be said without one.
    private var lead: PageValue {
        guard let worst = friction.worse.first else {
            let people = flows.reduce(0) { $0 + $1.count }
            return people == 0 ? language.sentence("progression.lead.nobody") : language.sentence("progression.lead.even")
        }
        return language.sentence(
            "progression.lead.worst",
            [
                "group": words.group(worst.group.name.dimension, worst.group.name.value), "step": say("step.\(worst.group.name.step.rawValue)"),
                "rate": words.percent(Double(worst.group.moved) / Double(max(1, worst.group.came))), "peers": words.percent(worst.peers.rate),
                "lost": language.integer(Int64(worst.lost.rounded())),
            ])
    }

    // MARK: Where people stand and go

    private var flowBlock: PageBlocks.Block {
        let rows = Member.Stage.allCases.map { stage -> PageTable.Row in
            let stands = standing.rows.first { $0.key.values == [stage.rawValue] }?.figures[.stageCount]?.numerator ?? 0
            let came = flows.filter { $0.to == stage.rawValue }.reduce(0) { $0 + $1.count }
            let on = flows.filter { flow in flow.from == stage.rawValue && (Member.Stage(rawValue: flow.to).map { $0 > stage } ?? false) }.reduce(0) { $0 + $1.count }
            return PageTable.Row(cells: [
                .name(self.stage(stage), url: stage >= .sharer ? "/members?stage=\(stage.rawValue)" : "/customers"), .number(language.integer(stands)), .number(language.integer(came)),
                .number(stage == .promoter ? "–" : language.integer(on)), .number(staying.curves[stage]?.median.map { language.plural("progression.dayCount", $0) } ?? "–"),
            ])
        }
        return PageBlocks.Block(
            heading: say("flow"), text: say("flowText"), chart: ProgressionCharts.flows(flows, language),
            table: PageTable(
                label: say("flow"),
                columns: [PageTable.Column(label: say("column.stage"))]
                    + ["stand", "came", "on", "median"].map { PageTable.Column(label: say("column.\($0)"), isNumber: true, isExtra: $0 == "came") },
                rows: rows, language: language), note: say("flowNote"))
    }

    // MARK: How long they stay

    private var stayingBlock: PageBlocks.Block {
        let marks = Self.marks.filter { $0 <= length }
        let curves = StayingReport.stages.compactMap { stage in staying.curves[stage].map { (stage, $0) } }
        let rows = curves.map { stage, curve in
            PageTable.Row(
                cells: [.lines(self.stage(stage), language.plural("progression.peopleCount", Int64(curve.count)))]
                    + marks.map { mark in
                        guard let share = curve.share(at: mark) else { return .number("–") }
                        let interval = curve.steps.last { $0.time <= mark }?.interval
                        let between = interval.map { say("between", ["low": words.percent(1 - $0.upper), "high": words.percent(1 - $0.lower)]) }
                        return between.map { .lines(words.percent(1 - share), $0) } ?? .number(words.percent(1 - share))
                    })
        }
        return PageBlocks.Block(
            heading: say("staying"), text: say("stayingText"), chart: curves.isEmpty ? nil : ProgressionCharts.staying(curves, until: min(length, 180), language),
            table: rows.isEmpty
                ? nil
                : PageTable(
                    label: say("staying"),
                    columns: [PageTable.Column(label: say("column.stage"))] + marks.map { PageTable.Column(label: language.plural("progression.within", $0), isNumber: true) },
                    rows: rows, language: language), empty: rows.isEmpty ? say("stayingNone") : nil, note: rows.isEmpty ? nil : say("stayingNote"))
    }

    // MARK: Where they are lost

    private var frictionBlock: PageBlocks.Block {
        let found = friction.worse
        return PageBlocks.Block(
            heading: say("friction"), text: say("frictionText", ["days": language.integer(friction.horizonDays)]), table: table(found, isWorse: true),
            empty: found.isEmpty ? say(friction.findings.isEmpty ? "frictionFew" : "frictionNone", ["people": language.integer(Int64(Friction.peopleMin))]) : nil,
            note: language.plural("progression.frictionNote", Int64(friction.findings.count)))
    }

    private var betterBlock: PageBlocks.Block {
        PageBlocks.Block(heading: say("better"), text: say("betterText"), table: table(friction.better, isWorse: false))
    }

    private func table(_ findings: [Friction.Finding<FrictionReport.Name>], isWorse: Bool) -> PageTable? {
        guard !findings.isEmpty else { return nil }
        let rows = findings.prefix(Self.findingsMax).map { finding -> PageTable.Row in
            let name = finding.group.name
            let rate = Double(finding.group.moved) / Double(max(1, finding.group.came))
            let sentence = say(
                name.step.stage == nil ? "sentence.\(name.step.rawValue)" : "sentence.people",
                [
                    "stage": name.step.stage.map(stage) ?? "", "group": words.group(name.dimension, name.value), "rate": words.percent(rate), "peers": words.percent(finding.peers.rate),
                    "days": language.integer(friction.horizonDays),
                ])
            let url = name.step.stage == nil
                ? nil
                : "\(ProgressionPages.path)/people?step=\(name.step.rawValue)&dimension=\(name.dimension.rawValue)&value=\(LocalPath.encoded(name.value))&days=\(length)"
            let between = say("between", ["low": words.points(finding.interval.lower), "high": words.points(finding.interval.upper)])
            return PageTable.Row(cells: [
                .name(sentence, url: url), .lines(words.points(finding.difference), between),
                .number(language.integer(Int64(finding.lost.magnitude.rounded()))), .text(say(isWorse ? "help.\(name.dimension.rawValue)" : "copy.\(name.dimension.rawValue)")),
            ])
        }
        return PageTable(
            label: say(isWorse ? "friction" : "better"),
            columns: [
                PageTable.Column(label: say("column.finding")), PageTable.Column(label: say("column.difference"), isNumber: true),
                PageTable.Column(label: say(isWorse ? "column.lost" : "column.gained"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.next"), isExtra: true),
            ], rows: Array(rows), language: language)
    }

    // MARK: What comes before moving on

    private var driverBlock: PageBlocks.Block {
        let chosen = drivers.drivers.filter(\.isSure).prefix(Self.findingsMax).map { driver -> PageTable.Row in
            let interval = driver.comparison.newcombe(.fivePercent)
            let sentence = say(
                "driver",
                [
                    "stage": stage(driver.stage), "act": say("act.\(driver.act.rawValue)"), "did": words.percent(driver.precedence.did.rate),
                    "didNot": words.percent(driver.precedence.didNot.rate),
                ])
            return PageTable.Row(cells: [
                .lines(sentence, say("driverPeople", ["did": language.integer(Int64(driver.precedence.did.users)), "didNot": language.integer(Int64(driver.precedence.didNot.users))])),
                .lines(words.points(driver.comparison.difference), say("between", ["low": words.points(interval.lower), "high": words.points(interval.upper)])),
                .badge(say("evidence.association"), tone: "", icon: "clock"), .text(say("driverNext")),
            ])
        }
        let drawn = drivers.measured.map { one -> PageTable.Row in
            let between = one.interval.map { say("between", ["low": words.points($0.lower), "high": words.points($0.upper)]) } ?? say("notYet")
            return PageTable.Row(cells: [
                .name(say("measured", ["experiment": one.experiment.name, "variant": one.variant]), url: "/experiments/\(one.experiment.id.text)"),
                .lines(words.points(one.treatment.rate - one.control.rate), between), .badge(say("evidence.experiment"), tone: "good", icon: "flask"),
                .text(say("measuredNext")),
            ])
        }
        let rows = drawn + chosen
        return PageBlocks.Block(
            heading: say("drivers"),
            text: say("driversText", ["landmark": language.integer(DriverReport.landmarkDays), "horizon": language.integer(DriverReport.horizonDays)]),
            table: rows.isEmpty
                ? nil
                : PageTable(
                    label: say("drivers"),
                    columns: [
                        PageTable.Column(label: say("column.finding")), PageTable.Column(label: say("column.difference"), isNumber: true),
                        PageTable.Column(label: say("column.evidence")), PageTable.Column(label: say("column.next"), isExtra: true),
                    ], rows: rows, language: language),
            empty: rows.isEmpty ? say("driversNone", ["people": language.integer(Int64(Friction.peopleMin))]) : nil, note: rows.isEmpty ? nil : say("driversNote"))
    }

    // MARK: What a move cost

    private var spendBlocks: [PageBlocks.Block] {
        guard !spend.spent.isEmpty else {
            return [
                PageBlocks.Block(
                    heading: say("spend"), text: say("spendText"), links: [PageBlocks.Link(url: CostPages.path, label: say("spendLink"))], empty: say("spendNone"))
            ]
        }
        return spend.currencies.compactMap { currency -> PageBlocks.Block? in
            guard let unit = try? UnitCode(currency) else { return nil }
            let whole = spend.spent.filter { $0.currency == currency }.reduce(0) { $0 &+ $1.amountMinor }
            func part(_ amount: Int64) -> String { whole > 0 ? language.percent(ppm: Share.ppm(amount, of: whole)) : "–" }
            let rows = Member.Stage.allCases.map { stage -> PageTable.Row in
                let amount = spend.amount(stage, currency)
                return PageTable.Row(cells: [
                    .text(self.stage(stage)), .number(language.money(amount, unit)), .number(part(amount)), .number(language.integer(spend.moves[stage] ?? 0)),
                    .number(amount == 0 ? "–" : spend.each(stage, currency).map { language.money($0, unit) } ?? "–"),
                ])
            }
            let unsaid = spend.amount(nil, currency)
            let others = unsaid == 0 ? [] : [PageTable.Row(cells: [.text(say("spendUnsaid")), .number(language.money(unsaid, unit)), .number(part(unsaid)), .number("–"), .number("–")])]
            let unserved = Member.Stage.allCases.filter { spend.amount($0, currency) == 0 }.map(stage)
            return PageBlocks.Block(
                heading: language("progression.spendIn", ["currency": currency]), text: say("spendText"), links: [PageBlocks.Link(url: CostPages.path, label: say("spendLink"))],
                table: PageTable(
                    label: say("spend"),
                    columns: [PageTable.Column(label: say("column.stage"))]
                        + ["spent", "part", "moves", "each"].map { PageTable.Column(label: say("column.\($0)"), isNumber: true, isExtra: $0 == "part") },
                    rows: rows + others, language: language),
                note: unserved.isEmpty ? say("spendAll") : say("spendMissing", ["stages": unserved.listed(language)]))
        }
    }
}
