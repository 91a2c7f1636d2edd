import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Experiments: the list, one with its answer in a sentence, and setting one up.
enum ExperimentPages {
    static let path = "/experiments"
    static let rowsPerPage = 50
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/experiments", .programsRead, gate) { visit in try await list(visit) }
        api.page("/experiments/new", .programsWrite, gate) { visit in try await new(visit, ExperimentForm(visit.query), errors: [:]) }
        api.page("/experiments/{id}", .programsRead, gate) { visit in try await show(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.form(path + "/{id}/start", .programsWrite, gate) { visit, _ in
            let id: ExperimentID = try visit.context.id()
            return try await change(visit, id, done: "started") { write in _ = try Experiment.start(id, in: write) }
        }
        api.form(path + "/{id}/stop", .programsWrite, gate) { visit, fields in
            let id: ExperimentID = try visit.context.id()
            let reason = String((fields["reason"] ?? "").prefix(Experiment.reasonLengthMax))
            return try await change(visit, id, done: "stopped") { write in _ = try Experiment.stop(id, reason: reason, in: write) }
        }
        api.form(path + "/{id}/conclusion", .programsWrite, gate) { visit, fields in
            let id: ExperimentID = try visit.context.id()
            let reason = String((fields["reason"] ?? "").prefix(Experiment.reasonLengthMax))
            guard !reason.allSatisfy(\.isWhitespace) else { return try await show(visit, errors: ["reason": visit.language("experiments.error.reason")]) }
            let variant = fields["variant"] ?? ""
            return try await change(visit, id, done: "concluded") { write in _ = try Experiment.conclude(id, variant: variant, reason: reason, in: write) }
        }
    }

    private static func change(
        _ visit: PageVisit, _ id: ExperimentID, done: String, _ verb: @escaping @Sendable (Write) throws -> Void
    ) async throws -> Response {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
        return visit.seeOther("\(path)/\(id.text)?done=\(done)")
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let before = visit.query["startingAfter"].flatMap { ExperimentID($0) }
        let (experiments, people, programs) = try await visit.installation.main.read { connection in
            let found = try ExperimentStore.newest(in: workspace, before: before?.text, limit: rowsPerPage + 1, on: connection)
            return (
                found, try ExposureStore.count(of: found.map(\.id), on: connection),
                try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
            )
        }
        let names = Dictionary(programs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let shown = experiments.prefix(rowsPerPage)
        let rows = shown.map { experiment in
            PageTable.Row(cells: [
                .name(experiment.name, url: "\(path)/\(experiment.id.text)"), .text(names[experiment.programID] ?? ""), .text(language("experiments.kind.\(experiment.kind.rawValue)")),
                ExperimentModel.badge(experiment.state, language), .number(language.integer(Int64(people[experiment.id] ?? 0))),
                experiment.startedAt.map { .time($0) } ?? .nothing,
            ])
        }
        var page = PageBlocks(heading: language("experiments.title"))
        if visit.session.may(.programsWrite), !programs.isEmpty {
            page.links = [PageBlocks.Link(url: "/experiments/new", label: language("experiments.new"), style: "btn-primary", icon: "plus")]
        }
        guard !rows.isEmpty else {
            page.empty = PageBlocks.Empty(
                heading: language("experiments.empty.heading"), text: language(programs.isEmpty ? "experiments.empty.noProgram" : "experiments.empty.text"),
                link: programs.isEmpty ? PageBlocks.Link(url: "/programs", label: language("programs.title")) : nil)
            return try visit.blocks(page, current: path)
        }
        page.lead = language.sentence("experiments.list.lead", count: Int64(shown.count { $0.state == .running }))
        page.blocks = [
            PageBlocks.Block(
                links: experiments.count > rowsPerPage ? [PageBlocks.Link(url: "\(path)?startingAfter=\(shown.last?.id.text ?? "")", label: language("experiments.older"))] : [],
                table: PageTable(
                    label: language("experiments.title"),
                    columns: ["name", "program", "kind", "state", "people", "started"].map {
                        PageTable.Column(label: language("experiments.column.\($0)"), isNumber: $0 == "people", isExtra: ["program", "kind", "started"].contains($0))
                    }, rows: rows, language: language))
        ]
        return try visit.blocks(page, current: path)
    }

    private static func show(_ visit: PageVisit, errors: [String: String] = [:]) async throws -> Response {
        let id: ExperimentID = try visit.context.id()
        let (workspace, now, vault) = (visit.workspaceID, visit.now, visit.installation.vault)
        let found = try await visit.installation.main.read { connection -> (ExperimentAnalysis, Program, [ExperimentStore.Step])? in
            guard let (analysis, program) = try ExperimentAnalysis.load(id, in: workspace, now: now, vault: vault, on: connection) else { return nil }
            return (analysis, program, try ExperimentStore.steps(of: id, on: connection))
        }
        guard let (analysis, program, steps) = found else { throw Problem.notFound() }
        let model = ExperimentModel(
            analysis: analysis, program: program, steps: steps, mayWrite: visit.session.may(.programsWrite), errors: errors, csrfToken: visit.csrfToken,
            language: visit.language)
        return try visit.page(
            "experiment-show", title: analysis.experiment.name, current: path, notice: visit.done("experiments", ["made", "started", "stopped", "concluded"]),
            status: errors.isEmpty ? .ok : .unprocessableContent, model.page)
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let form = ExperimentForm(fields)
        let (input, errors) = form.read(visit.language)
        guard let input else { return try await new(visit, form, errors: errors) }
        do {
            let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Experiment.create(input, in: write)
            }
            return visit.seeOther("\(path)/\(made.id.text)?done=made")
        } catch let problem as Problem where problem.code == "layer_full" {
            return try await new(visit, form, errors: ["layerShare": visit.language("experiments.error.layerFull")])
        }
    }

    private static func new(_ visit: PageVisit, _ form: ExperimentForm, errors: [String: String]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let programs = try await visit.installation.main.read { connection in
            try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
        }
        let page = PageBlocks(
            heading: language("experiments.new"), crumb: (path, language("experiments.title")), lead: language.sentence("experiments.newLead"),
            refused: errors.isEmpty ? nil : language("experiments.refused"),
            blocks: [PageBlocks.Block(forms: [form.page(programs: programs.map { ($0.id.text, $0.name) }, errors: errors, csrfToken: visit.csrfToken, language)])])
        return try visit.blocks(page, current: path, isNarrow: true, status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}
