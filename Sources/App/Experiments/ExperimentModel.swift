import Chronology
import Money
import Statistics
import Web

/// One experiment: the answer, its figures, what stands against it, and what can be done.
struct ExperimentModel: Sendable {
    var analysis: ExperimentAnalysis
    var program: Program
    var steps: [ExperimentStore.Step]
    var mayWrite: Bool
    var errors: [String: String]
    var csrfToken: String
    var language: PageLanguage

    private var experiment: Experiment { analysis.experiment }
    private var sentence: DecisionSentence { analysis.sentence(program, language) }

    var page: PageObject {
        var page = blocks.page
        page["chart"] = PageValue(ExperimentChart(analysis: analysis, sentence: sentence, language: language).page)
        return page
    }

    static func badge(_ state: Experiment.State, _ language: PageLanguage) -> PageTable.Cell {
        let (tone, icon) =
            switch state {
            case .draft: ("none", "clock")
            case .running: ("accent", "flask")
            case .stopped: ("none", "none")
            case .concluded: ("good", "check")
            }
        return .badge(language("experiments.state.\(state.rawValue)"), tone: tone, icon: icon)
    }

    private var blocks: PageBlocks {
        PageBlocks(
            heading: experiment.name, crumb: (ExperimentPages.path, say("title")), lead: language.sentence("experiments.lead", ["sentence": answer]),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: [figures] + warnings + [guards, heldOut, sharpened, segments].compactMap { $0 } + [about] + (mayWrite ? [deciding].compactMap { $0 } : []))
    }

    private var answer: String {
        switch experiment.state {
        case .draft: say("answer.draft")
        case .concluded: language("experiments.answer.concluded", ["variant": experiment.name(of: experiment.chosen ?? 0)])
        case .stopped: say("answer.stopped")
        case .running: sentence(analysis.decision)
        }
    }

    private var figures: PageBlocks.Block {
        let counts = analysis.counts
        let rows = experiment.variants.enumerated().map { position, variant -> PageTable.Row in
            let tally = analysis.course.variants[position]
            let mine = counts[position]
            let level = analysis.isByValue ? mine?.values?.mean : mine?.people.rate
            var cells: [PageTable.Cell] = [
                position == 0 ? .lines(variant.name, say("control")) : .name(variant.name, url: nil), .number(language.integer(Int64(tally.users))),
                .number(language.integer(Int64(tally.conversions))), .number(level.map(sentence.level) ?? "–"),
            ]
            guard position > 0 else { return PageTable.Row(cells: cells + [.number("–"), .number("–"), .number("–")]) }
            let test = analysis.course.tests[position - 1]
            let both = (counts.first ?? nil).flatMap { control in mine.map { TwoProportions(control: control.people, treatment: $0.people) } }
            cells.append(.number(interval(test?.interval)))
            cells.append(.number(test.map { DecisionSentence.plain($0.pValue) } ?? "–"))
            cells.append(.number(both.map { language.percent(ppm: Int64((BetaComparison.probabilityBetter($0) * 1_000_000).rounded())) } ?? "–"))
            return PageTable.Row(cells: cells)
        }
        return PageBlocks.Block(
            heading: say("figures"),
            table: table("figures", ["variant", "people", "conversions", analysis.isByValue ? "mean" : "rate", "difference", "p", "better"], text: 1, extra: ["conversions", "better"], rows),
            note: say("figuresNote"))
    }

    private var warnings: [PageBlocks.Block] {
        var blocks: [PageBlocks.Block] = []
        func warn(_ text: String) { blocks.append(PageBlocks.Block(note: text, isWarning: true)) }
        if analysis.hasRatioAlarm { warn(say("warning.ratio")) }
        if analysis.facts.mismatched > 0 { warn(language.plural("experiments.warning.mismatched", Int64(analysis.facts.mismatched))) }
        if analysis.facts.crossed > 0 { warn(language.plural("experiments.warning.crossed", Int64(analysis.facts.crossed))) }
        for position in analysis.tired.sorted() { warn(language("experiments.warning.tired", ["variant": experiment.name(of: position)])) }
        if analysis.facts.isCut { warn(say("warning.cut")) }
        return blocks
    }

    private var guards: PageBlocks.Block? {
        guard !analysis.guards.isEmpty else { return nil }
        func level(_ guarded: ExperimentAnalysis.Guarded, _ value: Double?) -> String {
            guard let value else { return "–" }
            return guarded.guardMetric.name == "cost" ? money(value) : language.percent(ppm: Int64((value * 1_000_000).rounded()))
        }
        let rows = analysis.guards.map { guarded -> PageTable.Row in
            let (tone, icon) =
                switch guarded.guardMetric.state {
                case .kept: ("good", "check")
                case .open: ("none", "clock")
                case .broken: ("bad", "warning")
                }
            return PageTable.Row(cells: [
                .lines(guarded.variant, sentence.guardName(guarded.guardMetric.name)), .number(level(guarded, guarded.control)), .number(level(guarded, guarded.treatment)),
                .number(level(guarded, guarded.guardMetric.margin)), .badge(say("guardState.\(guarded.guardMetric.state.rawValue)"), tone: tone, icon: icon),
            ])
        }
        return PageBlocks.Block(heading: say("guards"), text: say("guardsText"), table: table("guards", ["guard", "control", "variant", "margin", "state"], text: 1, last: true, rows))
    }

    private var heldOut: PageBlocks.Block? {
        guard let held = analysis.heldOut else { return nil }
        var facts = [
            PageBlocks.Fact(label: say("heldOut.people"), text: language.integer(Int64(held.people.users))),
            PageBlocks.Fact(label: say("heldOut.rate"), text: language.percent(ppm: Int64((held.people.rate * 1_000_000).rounded()), decimals: 2)),
        ]
        if let gained = analysis.incrementality {
            facts.append(PageBlocks.Fact(label: say("heldOut.gained"), text: whole(gained.conversions)))
            facts.append(PageBlocks.Fact(label: say("heldOut.between"), text: language("experiments.between", ["low": whole(gained.interval.lower), "high": whole(gained.interval.upper)])))
        }
        if let each = analysis.costEach { facts.append(PageBlocks.Fact(label: say("heldOut.costEach"), text: money(each))) }
        return PageBlocks.Block(heading: say("heldOut"), text: say("heldOutText"), facts: facts, note: analysis.incrementality == nil ? say("heldOut.tooFew") : nil)
    }

    private var sharpened: PageBlocks.Block? {
        guard !analysis.sharpened.isEmpty else { return nil }
        let rows = analysis.sharpened.map { one in
            PageTable.Row(cells: [.name(one.variant, url: nil), .number(sentence.signed(one.difference)), .number(interval(one.interval)), .number(DecisionSentence.plain(one.pValue))])
        }
        return PageBlocks.Block(
            heading: say("sharpened"), text: language("experiments.sharpenedText", ["percent": language.percent(ppm: Int64((analysis.varianceReduction * 1_000_000).rounded()))]),
            table: table("sharpened", ["variant", "difference", "between", "p"], text: 1, rows))
    }

    private var segments: PageBlocks.Block? {
        guard !analysis.segments.isEmpty else { return nil }
        let rows = analysis.segments.map { segment -> PageTable.Row in
            func level(_ counts: VariantCounts) -> String { sentence.level((analysis.isByValue ? counts.values?.mean : counts.people.rate) ?? 0) }
            return PageTable.Row(cells: [
                .lines(segment.name, segment.variant), .number(language.integer(Int64(segment.control.people.users + segment.treatment.people.users))),
                .number(level(segment.control)), .number(level(segment.treatment)), .number(DecisionSentence.plain(segment.pValue)),
            ])
        }
        return PageBlocks.Block(heading: say("segments"), text: say("segmentsText"), table: table("segments", ["segment", "people", "control", "variant", "p"], text: 1, extra: ["people"], rows))
    }

    private var about: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("about"),
            facts: [
                PageBlocks.Fact(label: say("column.program"), text: program.name, url: "/programs/\(program.id.text)"),
                PageBlocks.Fact(label: say("column.kind"), text: say("kind.\(experiment.kind.rawValue)")),
                PageBlocks.Fact(label: say("column.metric"), text: say("metric.\(experiment.metric.rawValue)")),
                PageBlocks.Fact(label: say("field.holdout"), text: language.percent(ppm: Int64(experiment.holdoutPPM))),
                PageBlocks.Fact(label: say("field.effect"), text: language.percent(ppm: experiment.effectPPM)),
            ]
                + (experiment.layer.isEmpty
                    ? [] : [PageBlocks.Fact(label: say("field.layer"), text: "\(experiment.layer), \(language.percent(ppm: Int64(experiment.buckets.count) * 100))")]),
            trail: steps.map { step in
                PageBlocks.Event(
                    what: language("experiments.step.\(step.kind)", ["variant": step.variant.map(experiment.name(of:)) ?? ""]), time: language.time(step.at),
                    below: step.reason.isEmpty ? nil : step.reason, isMajor: step.kind == "concluded")
            })
    }

    private var deciding: PageBlocks.Block? {
        let place = "\(ExperimentPages.path)/\(experiment.id.text)"
        if experiment.state == .draft {
            return PageBlocks.Block(heading: say("begin"), forms: [PageForm(action: place + "/start", buttons: [PageForm.Button(label: say("start"))], csrfToken: csrfToken)])
        }
        guard experiment.state != .concluded else { return nil }
        var best = ""
        if case .use(let verdict) = analysis.decision { best = verdict.variant }
        let conclude = PageForm(
            action: place + "/conclusion",
            fields: [
                FormField(
                    name: "variant", label: say("field.winner"), help: say("help.winner"),
                    control: .select(experiment.variants.map { FormField.Choice(value: $0.name, label: $0.name, isChosen: $0.name == best) })),
                .line("reason", say("field.reason"), "", help: say("help.reason"), error: errors["reason"], isRequired: true, lengthMax: Experiment.reasonLengthMax),
            ], buttons: [PageForm.Button(label: say("conclude"))], csrfToken: csrfToken)
        let stop = PageForm(action: place + "/stop", buttons: [PageForm.Button(label: say("stop"), style: "btn-plain")], isInline: true, csrfToken: csrfToken)
        return PageBlocks.Block(heading: say("decide"), text: say("decideText"), forms: experiment.state == .running ? [conclude, stop] : [conclude])
    }

    // MARK: Words

    private func table(_ key: String, _ columns: [String], text: Int, extra: Set<String> = [], last: Bool = false, _ rows: [PageTable.Row]) -> PageTable {
        PageTable(
            label: say(key),
            columns: columns.enumerated().map { place, name in
                PageTable.Column(label: say("column.\(name)"), isNumber: place >= text && !(last && place == columns.count - 1), isExtra: extra.contains(name))
            }, rows: rows, language: language)
    }

    private func interval(_ interval: Interval?) -> String {
        guard let interval else { return "–" }
        return interval.isEmpty ? say("contradictory") : language("experiments.between", ["low": sentence.signed(interval.lower), "high": sentence.signed(interval.upper)])
    }

    private func whole(_ value: Double) -> String { language.integer(Int64(max(-1e15, min(1e15, value.rounded())))) }

    private func money(_ minor: Double) -> String {
        let exponent = Currency(code: program.currency)?.exponent ?? 2
        return DecisionSentence(metric: .money(exponent: exponent, unit: program.currency), control: "", language: language).size(minor)
    }

    private func say(_ key: String) -> String { language("experiments.\(key)") }
}
