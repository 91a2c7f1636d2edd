import Statistics
import Web

/// One survey as a page: what it came to, who waits for an answer, what people said.
struct SurveyModel: Sendable {
    var results: SurveyResults
    var program: String
    var open: [SurveyAnswer]
    var answers: [SurveyAnswer]
    var waiting: Int64
    var names: PersonNames
    var refused: String?
    var mayChange: Bool
    var mayRead: Bool
    var mayFollow: Bool
    var csrfToken: String
    var language: PageLanguage

    private var survey: Survey { results.survey }

    var blocks: PageBlocks {
        var blocks: [PageBlocks.Block] = []
        if results.whole.answers > 0 {
            blocks.append(PageBlocks.Block(heading: say("scores"), table: scores, note: say("definition.\(survey.kind.rawValue)")))
        } else {
            blocks.append(PageBlocks.Block(heading: say("scores"), empty: say("noAnswers")))
        }
        if mayRead { blocks.append(followUps) }
        if results.whole.answers > 0 { blocks.append(PageBlocks.Block(heading: say("parts"), text: say("partsText"), table: parts)) }
        if mayRead, !answers.isEmpty {
            blocks.append(
                PageBlocks.Block(heading: say("answers"), table: answersTable, note: answers.count == SurveyPages.answersMax ? say("answersCut") : nil))
        }
        blocks.append(PageBlocks.Block(heading: say("what"), facts: facts, forms: mayChange ? [ending] : []))
        return PageBlocks(heading: survey.question, crumb: (SurveyPages.path, say("title")), lead: lead, refused: refused, blocks: blocks)
    }

    private func say(_ key: String) -> String { language("surveys.\(key)") }

    private var lead: PageValue {
        let whole = results.whole
        guard let interval = whole.interval, whole.points != nil else {
            return language.sentence("surveys.lead.empty", count: results.asked)
        }
        func rounded(_ value: Double) -> String { language.integer(Int64(value.rounded())) }
        return language.sentence(
            "surveys.lead.\(survey.kind.rawValue)", count: whole.answers,
            ["points": language.integer(whole.points ?? 0), "lower": rounded(interval.lower), "upper": rounded(interval.upper)])
    }

    /// A score as people read it: a part of a hundred, or points.
    static func points(_ figure: SurveyResults.Figure, _ language: PageLanguage) -> String {
        guard let points = figure.points else { return "–" }
        return figure.kind == .csat ? language("surveys.percent", ["count": language.integer(points)]) : language.integer(points)
    }

    private var scores: PageTable {
        let whole = results.whole.answers
        return PageTable(
            label: say("scores"),
            columns: [
                PageTable.Column(label: say("column.score")), PageTable.Column(label: say("column.feeling"), isExtra: true),
                PageTable.Column(label: say("column.share")), PageTable.Column(label: say("column.answers"), isNumber: true),
            ],
            rows: survey.kind.scores.reversed().map { score in
                let count = results.answers(of: score)
                return PageTable.Row(cells: [
                    .text(language.integer(score)), .text(say("feeling.\(survey.kind.feeling(score).rawValue)")),
                    .meter(whole == 0 ? 0 : count * 1_000 / whole), .number(language.integer(count)),
                ])
            }, language: language)
    }

    private var parts: PageTable {
        func row(_ label: String, _ figure: SurveyResults.Figure) -> PageTable.Row? {
            guard figure.answers > 0, let interval = figure.interval else { return nil }
            let range = language(
                "surveys.range", ["lower": language.integer(Int64(interval.lower.rounded())), "upper": language.integer(Int64(interval.upper.rounded()))])
            return PageTable.Row(cells: [
                .text(label), .number(language.integer(figure.answers)), .number(Self.points(figure, language)), .number(range),
            ])
        }
        return PageTable(
            label: say("parts"),
            columns: [
                PageTable.Column(label: say("column.part")), PageTable.Column(label: say("column.answers"), isNumber: true),
                PageTable.Column(label: say("column.result"), isNumber: true), PageTable.Column(label: say("column.range"), isNumber: true, isExtra: true),
            ],
            rows: Member.Stage.allCases.compactMap { row(language("members.stage.\($0.rawValue)"), results.of($0)) }
                + SurveyAnswer.Channel.allCases.compactMap { row(say("channel.\($0.rawValue)"), results.of($0)) }, language: language)
    }

    private var followUps: PageBlocks.Block {
        guard !open.isEmpty else { return PageBlocks.Block(heading: say("followUps"), text: say("followUpsText"), empty: say("noFollowUps")) }
        let table = PageTable(
            label: say("followUps"),
            columns: [
                PageTable.Column(label: say("column.who")), PageTable.Column(label: say("column.score"), isNumber: true), PageTable.Column(label: say("column.words")),
                PageTable.Column(label: say("column.answered"), isExtra: true),
            ],
            rows: open.map { answer in
                PageTable.Row(cells: [
                    who(answer), .number(language.integer(answer.score)), .text(answer.comment ?? say("noWords")), .time(answer.answeredAt),
                ])
            }, language: language)
        return PageBlocks.Block(
            heading: say("followUps"), text: say("followUpsText"), table: table, forms: mayFollow ? [done] : [], note: waiting > Int64(open.count) ? say("followUpsCut") : nil)
    }

    private func name(_ answer: SurveyAnswer) -> String {
        switch answer.respondent {
        case .member(let id, _): names.member(id, language)
        case .customer(let id, _): names.customer(id, language)
        }
    }

    private func who(_ answer: SurveyAnswer) -> PageTable.Cell {
        switch answer.respondent {
        case .member(let id, _): .person(name(answer), url: "/members/\(id.text)")
        case .customer(let id, _): .person(name(answer), url: "/customers/\(id.text)")
        }
    }

    /// One form for all: a field in each row would be too narrow on a phone.
    private var done: PageForm {
        PageForm(
            action: "\(SurveyPages.path)/\(survey.id.text)/follow-up",
            fields: [
                FormField(
                    name: "answer", label: say("field.answer"),
                    control: .select(
                        open.map {
                            FormField.Choice(value: $0.id.text, label: language("surveys.whoScore", ["name": name($0), "score": language.integer($0.score)]))
                        })),
                FormField(name: "note", label: say("field.note"), control: .area("", rows: 2), isRequired: true, lengthMax: SurveyAnswer.noteLengthMax),
            ], buttons: [PageForm.Button(label: say("markDone"), style: "btn-plain")], csrfToken: csrfToken)
    }

    private var answersTable: PageTable {
        PageTable(
            label: say("answers"),
            columns: [
                PageTable.Column(label: say("column.who")), PageTable.Column(label: say("column.score"), isNumber: true), PageTable.Column(label: say("column.words")),
                PageTable.Column(label: say("column.stage"), isExtra: true), PageTable.Column(label: say("column.channel"), isExtra: true),
                PageTable.Column(label: say("column.answered"), isExtra: true),
            ],
            rows: answers.map { answer in
                PageTable.Row(cells: [
                    who(answer), .number(language.integer(answer.score)),
                    answer.note.map { .lines(answer.comment ?? say("noWords"), language("surveys.followed", ["note": $0])) } ?? .text(answer.comment ?? "–"),
                    .text(language("members.stage.\(answer.stage.rawValue)")), .text(say("channel.\(answer.channel.rawValue)")), .time(answer.answeredAt),
                ])
            }, language: language)
    }

    private var facts: [PageBlocks.Fact] {
        [
            PageBlocks.Fact(label: say("field.program"), text: program, url: "/programs/\(survey.programID.text)"),
            PageBlocks.Fact(label: say("column.kind"), text: say("kind.\(survey.kind.rawValue)")),
            PageBlocks.Fact(label: say("column.state"), text: say("state.\(survey.state.rawValue)")),
            PageBlocks.Fact(
                label: say("field.askedIn"), text: Survey.Place.allCases.filter(survey.places.contains).map { say("place.\($0.rawValue)") }.listed(language)),
            PageBlocks.Fact(
                label: say("field.askedWhen"),
                text: survey.when == .nowAndThen
                    ? say("askedWhen.nowAndThen") : language.plural("surveys.after.\(survey.when.rawValue)", survey.afterDays)),
            PageBlocks.Fact(label: say("field.restDays"), text: language.plural("surveys.days", survey.restDays)),
            PageBlocks.Fact(label: say("field.supportUrl"), text: survey.supportURL.isEmpty ? say("noSupport") : survey.supportURL),
            PageBlocks.Fact(label: say("column.asked"), text: language.integer(results.asked)),
        ]
    }

    private var ending: PageForm {
        let next: Survey.State = survey.state == .active ? .ended : .active
        return PageForm(
            action: "\(SurveyPages.path)/\(survey.id.text)/state", hidden: [("state", next.rawValue)],
            buttons: [PageForm.Button(label: say("become.\(next.rawValue)"), style: "btn-plain")], csrfToken: csrfToken)
    }
}
