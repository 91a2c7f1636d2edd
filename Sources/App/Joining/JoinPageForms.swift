import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Where the team writes a program's join page: who may ask, what is asked, what is said first, and what members agree to.
enum JoinPageForms {
    static let versionsMax = 100
    static let acceptancesPerPage = 100
    /// Empty rows for further questions.
    private static let spareQuestions = 2

    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs/{id}/join-page", .programsRead, gate) { visit in try await show(visit, typed: nil, errors: [:]) }
        api.form("/programs/{id}/join-page", .programsWrite, gate) { visit, fields in try await change(visit, fields) }
        api.form("/programs/{id}/terms", .programsWrite, gate) { visit, fields in try await publish(visit, fields) }
        api.page("/programs/{id}/terms/{version}", .programsRead, gate) { visit in try await version(visit) }
    }

    private struct Place: Sendable {
        var program: Program
        var page: JoinPage?
        var terms: [Terms]
        var accepted: [Int64: Int64]
        var authors: OperatorNames
    }

    private static func place(_ visit: PageVisit) async throws -> Place {
        let id: ProgramID = try visit.context.id()
        let (workspace, vault, now) = (visit.workspaceID, visit.installation.vault, visit.now)
        let found = try await visit.installation.main.read { connection -> Place? in
            guard let program = try ProgramStore.find(id, in: workspace, at: now, on: connection) else { return nil }
            let terms = try TermsStore.list(of: id, limit: versionsMax, on: connection)
            return Place(
                program: program, page: try JoinStore.page(of: id, on: connection), terms: terms,
                accepted: try TermsStore.acceptedCounts(of: id, on: connection),
                authors: try OperatorNames.load(terms.map(\.author), in: workspace, vault: vault, on: connection))
        }
        guard let found else { throw Problem.notFound() }
        return found
    }

    // MARK: What the page asks

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = JoinPageTyped(fields)
        let errors = typed.errors(visit.language)
        guard errors.isEmpty else { return try await show(visit, typed: typed, errors: errors) }
        let id: ProgramID = try visit.context.id()
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            _ = try JoinPage.set(typed.input, for: id, in: write)
        }
        return visit.seeOther("/programs/\(id.text)/join-page?done=saved")
    }

    private static func publish(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: ProgramID = try visit.context.id()
        let text = (fields["text"] ?? "").replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, text.unicodeScalars.count <= Terms.textLengthMax else {
            return try await show(visit, typed: nil, errors: ["text": visit.language("joinPage.error.terms")], terms: text)
        }
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            _ = try Terms.publish(text, for: id, in: write)
        }
        return visit.seeOther("/programs/\(id.text)/join-page?done=terms")
    }

    private static func show(_ visit: PageVisit, typed: JoinPageTyped?, errors: [String: String], terms: String? = nil) async throws -> Response {
        let place = try await place(visit)
        let language = visit.language
        let path = "/programs/\(place.program.id.text)"
        let page = PageBlocks(
            heading: language("joinPage.title", ["program": place.program.name]), crumb: (path, place.program.name),
            links: place.page.map { page in
                [PageBlocks.Link(url: "/join/\(page.slug)", label: language(page.isOpen ? "joinPage.see" : "joinPage.preview"))]
            } ?? [],
            lead: lead(place, language), refused: errors.isEmpty ? nil : language("joinPage.refused"),
            blocks: [
                PageBlocks.Block(
                    heading: language("joinPage.page"),
                    forms: [form(typed ?? JoinPageTyped(place.page), path, spare: spareQuestions, errors, visit)]),
                PageBlocks.Block(
                    heading: language("joinPage.terms"), text: language("joinPage.termsText"), trail: versions(place, path, language),
                    forms: visit.session.may(.programsWrite)
                        ? [termsForm(terms ?? place.terms.first?.text ?? "", next: (place.terms.first?.version ?? 0) + 1, path, errors["text"], visit)] : [],
                    empty: place.terms.isEmpty ? language("joinPage.termsNone") : nil),
            ])
        return try visit.blocks(
            page, current: "/programs", isNarrow: true, notice: visit.done("joinPage", ["saved", "terms"]),
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func lead(_ place: Place, _ language: PageLanguage) -> PageValue {
        guard let page = place.page else { return language.sentence("joinPage.lead.none") }
        let values = ["path": "/join/\(page.slug)"]
        return language.sentence(page.isOpen ? "joinPage.lead.\(page.approval.rawValue)" : "joinPage.lead.closed", values)
    }

    private static func form(
        _ typed: JoinPageTyped, _ path: String, spare: Int, _ errors: [String: String], _ visit: PageVisit
    ) -> PageForm {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("joinPage.\(key)", values) }
        var fields = [
            FormField(
                name: "open", label: say("open"),
                control: .checks([FormField.Choice(value: "1", label: say("isOpen"), help: say("isOpenHelp"), isChosen: typed.isOpen)])),
            FormField(
                name: "approval", label: say("approval"),
                control: .radios(
                    JoinPage.Approval.allCases.reversed().map {
                        FormField.Choice(
                            value: $0.rawValue, label: say("approval.\($0.rawValue)"), help: say("approval.\($0.rawValue)Help"),
                            isChosen: $0 == typed.approval)
                    })),
            FormField(
                name: "declined", label: say("declined"),
                control: .checks([FormField.Choice(value: "1", label: say("tellsDeclined"), help: say("tellsDeclinedHelp"), isChosen: typed.tellsDeclined)])),
            FormField(
                name: "welcome", label: say("welcome"), help: say("welcomeHelp"), error: errors["welcome"], control: .area(typed.welcome, rows: 3),
                lengthMax: JoinPage.welcomeLengthMax),
        ]
        let count = min(JoinPage.questionsMax, typed.questions.count + spare)
        for index in 0..<count {
            let question = index < typed.questions.count ? typed.questions[index] : JoinPage.Question(label: "", isRequired: false, choices: [])
            let number = ["number": language.integer(Int64(index + 1))]
            fields.append(
                .line(
                    "question\(index)", say("question", number), question.label, help: index == 0 ? say("questionHelp") : nil,
                    error: errors["question\(index)"], lengthMax: JoinPage.labelLengthMax))
            fields.append(
                FormField(
                    name: "choices\(index)", label: say("choices", number), help: index == 0 ? say("choicesHelp") : nil,
                    error: errors["choices\(index)"], control: .area(question.choices.joined(separator: "\n"), rows: 2), lengthMax: 5_000))
            fields.append(
                FormField(
                    name: "required\(index)", label: say("must", number),
                    control: .checks([FormField.Choice(value: "1", label: say("required"), isChosen: question.isRequired)])))
        }
        return PageForm(
            action: "\(path)/join-page", fields: fields,
            buttons: visit.session.may(.programsWrite) ? [PageForm.Button(label: say("submit"))] : [], cancel: (path, say("cancel")),
            csrfToken: visit.csrfToken)
    }

    // MARK: What members agree to

    private static func termsForm(_ text: String, next: Int64, _ path: String, _ error: String?, _ visit: PageVisit) -> PageForm {
        let language = visit.language
        return PageForm(
            action: "\(path)/terms",
            fields: [
                FormField(
                    name: "text", label: language("joinPage.termsField"), help: language("joinPage.termsHelp"), error: error,
                    control: .area(text, rows: 10), isRequired: true, lengthMax: Terms.textLengthMax)
            ],
            buttons: [PageForm.Button(label: language("joinPage.publish", ["version": language.integer(next)]), style: "btn-plain")],
            csrfToken: visit.csrfToken)
    }

    private static func versions(_ place: Place, _ path: String, _ language: PageLanguage) -> [PageBlocks.Event] {
        place.terms.map { terms in
            PageBlocks.Event(
                what: language("joinPage.version", ["version": language.integer(terms.version)]), url: "\(path)/terms/\(terms.version)",
                time: language.time(terms.recordedAt),
                below: language.plural(
                    "joinPage.accepted", place.accepted[terms.version] ?? 0, ["name": place.authors.name(terms.author, language)]),
                isMajor: terms.version == place.terms.first?.version)
        }
    }

    /// One version with who agreed to it.
    private static func version(_ visit: PageVisit) async throws -> Response {
        let id: ProgramID = try visit.context.id()
        let language = visit.language
        let (workspace, vault, now) = (visit.workspaceID, visit.installation.vault, visit.now)
        guard let number = visit.context.parameters.get("version").flatMap({ Int64($0) }) else { throw Problem.notFound() }
        let after = visit.query["startingAfter"].flatMap { MemberID($0) }
        let maySee = visit.session.may(.membersRead)
        let found = try await visit.installation.main.read { connection -> (Program, Terms, [TermsStore.Acceptance], PersonNames)? in
            guard let program = try ProgramStore.find(id, in: workspace, at: now, on: connection),
                let terms = try TermsStore.find(number, of: id, on: connection)
            else { return nil }
            let accepted = maySee
                ? try TermsStore.acceptances(of: number, program: id, after: after, limit: acceptancesPerPage + 1, on: connection) : []
            return (program, terms, accepted, try PersonNames.load(members: accepted.map(\.memberID), vault: vault, on: connection))
        }
        guard let (program, terms, accepted, names) = found else { throw Problem.notFound() }
        let path = "/programs/\(id.text)"
        let shown = accepted.prefix(acceptancesPerPage)
        let table = PageTable(
            label: language("termsShow.who"),
            columns: [PageTable.Column(label: language("termsShow.member")), PageTable.Column(label: language("termsShow.at"))],
            rows: shown.map { one in
                PageTable.Row(cells: [.person(names.member(one.memberID, language), url: "/members/\(one.memberID.text)"), .time(one.at)])
            }, language: language)
        var who = PageBlocks.Block(heading: language("termsShow.who"))
        if shown.isEmpty { who.empty = language("termsShow.nobody") } else { who.table = table }
        if accepted.count > shown.count, let last = shown.last {
            who.links = [PageBlocks.Link(url: "\(path)/terms/\(number)?startingAfter=\(last.memberID.text)", label: language("termsShow.more"))]
        }
        let page = PageBlocks(
            heading: language("termsShow.title", ["version": language.integer(number)]), crumb: ("\(path)/join-page", language("joinPage.title", ["program": program.name])),
            lead: language.sentence("termsShow.lead", ["program": program.name, "at": language.minute(terms.recordedAt)]),
            blocks: [PageBlocks.Block(heading: language("termsShow.text"), code: terms.text)] + (maySee ? [who] : []))
        return try visit.blocks(page, current: "/programs", isNarrow: true)
    }
}

/// A join page as it was typed. A question without words is left out.
struct JoinPageTyped: Sendable {
    var isOpen = false
    var approval = JoinPage.Approval.byHand
    var tellsDeclined = true
    var welcome = ""
    var questions: [JoinPage.Question] = []

    init(_ page: JoinPage?) {
        guard let page else { return }
        (isOpen, approval, tellsDeclined) = (page.isOpen, page.approval, page.tellsDeclined)
        (welcome, questions) = (page.welcome, page.questions)
    }

    init(_ fields: FormFields) {
        isOpen = fields["open"] == "1"
        approval = fields["approval"].flatMap { JoinPage.Approval(rawValue: $0) } ?? .byHand
        tellsDeclined = fields["declined"] == "1"
        welcome = (fields["welcome"] ?? "").replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        questions = (0..<JoinPage.questionsMax).compactMap { index in
            let label = (fields["question\(index)"] ?? "").trimmingCharacters(in: .whitespaces)
            let choices = (fields["choices\(index)"] ?? "").split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
            guard !label.isEmpty || !choices.isEmpty else { return nil }
            return JoinPage.Question(label: label, isRequired: fields["required\(index)"] == "1", choices: choices)
        }
    }

    var input: JoinPageInput {
        JoinPageInput(isOpen: isOpen, approval: approval, welcome: welcome, tellsDeclined: tellsDeclined, questions: questions)
    }

    /// By field.
    func errors(_ language: PageLanguage) -> [String: String] {
        var errors: [String: String] = [:]
        if welcome.unicodeScalars.count > JoinPage.welcomeLengthMax { errors["welcome"] = language("joinPage.error.welcome") }
        for (index, question) in questions.enumerated() {
            if question.label.isEmpty || question.label.unicodeScalars.count > JoinPage.labelLengthMax {
                errors["question\(index)"] = language("joinPage.error.question")
            }
            let isTooLong = question.choices.contains { $0.unicodeScalars.count > JoinPage.labelLengthMax }
            if question.choices.count > JoinPage.choicesMax || isTooLong || Set(question.choices).count < question.choices.count {
                errors["choices\(index)"] = language("joinPage.error.choices")
            }
        }
        return errors
    }
}
