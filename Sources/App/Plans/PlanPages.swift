import Chronology
import Hummingbird
import Persistence
import Web

/// Compensation plans: a list, each plan's text with its versions, and a form for the next one.
enum PlanPages {
    static let plansMax = 200
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/plans", .programsRead, gate) { visit in try await list(visit, refused: nil) }
        api.form("/plans", .programsWrite, gate) { visit, fields in try await create(visit, fields) }
        api.page("/plans/{id}", .programsRead, gate) { visit in try await show(visit, document: nil, refused: nil) }
        api.form("/plans/{id}", .programsWrite, gate) { visit, fields in try await change(visit, fields) }
    }

    private static func list(_ visit: PageVisit, refused: Problem?, fields: FormFields? = nil) async throws -> Response {
        let workspace = visit.workspaceID
        let (plans, programs) = try await visit.installation.main.read { connection in
            (
                try PlanStore.list(in: workspace, after: nil, limit: plansMax, on: connection),
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection)
            )
        }
        let language = visit.language
        let names = Dictionary(programs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let page: PageObject = [
            "csrfToken": .text(visit.session.csrf(visit.installation).text()), "lead": language.sentence("plans.lead", count: Int64(plans.count)),
            "hasPlans": .flag(!plans.isEmpty),
            "plans": PageValue(
                plans.map { plan -> PageObject in
                    [
                        "url": .text("/plans/\(plan.id.text)"), "name": .text(plan.name), "program": .text(names[plan.programID] ?? ""),
                        "version": .text(language.integer(Int64(plan.version))), "at": language.time(plan.recordedAt),
                    ]
                }), "mayWrite": .flag(visit.session.may(.programsWrite) && !programs.isEmpty),
            "programs": PageValue(programs.map { ["id": .text($0.id.text), "name": .text($0.name)] as PageObject }),
            "name": .text(fields?["name"] ?? ""),
            "document": .text(fields?.exact("document") ?? sample(currency: programs.first?.currency ?? "EUR")), "refused": mistakes(refused),
        ]
        return try visit.page("plan-list", title: language("plans.title"), current: "/plans", status: refused == nil ? .ok : .unprocessableContent, page)
    }

    /// What a new plan begins with.
    private static func sample(currency: String) -> String {
        """
        plan: first
        unit: \(currency)
        ranks:
          - rank: bronze
            condition: {metric: groupVolume, atLeastMinor: 100000}
        bonuses:
          - bonus: level
            type: unilevel
            rates: [10%, 5%, 3%]
        """
    }

    private static func mistakes(_ problem: Problem?) -> PageValue {
        guard let problem else { return .nothing }
        let lines = problem.errors.isEmpty ? [problem.detail] : problem.errors.map(\.message)
        return ["lines": PageValue(lines)]
    }

    private static func create(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        do {
            guard let program = fields["programId"].flatMap({ ProgramID($0) }) else { throw Refusal.unknownProgram() }
            let name = String((fields["name"] ?? "").prefix(200))
            guard !name.isEmpty else { throw Refusal.field("name", "Is required.") }
            guard name.isName else { throw Refusal.field("name", "Must be one line without control characters.") }
            let document = try document(fields)
            let plan = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try ProgramPlan.create(NewPlan(programID: program, name: name, document: document, effectiveFrom: nil), in: write)
            }
            return visit.seeOther("/plans/\(plan.id.text)")
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            return try await list(visit, refused: problem, fields: fields)
        }
    }

    private static func document(_ fields: FormFields) throws -> String {
        let text = (fields.exact("document") ?? "").replacing("\r\n", with: "\n")
        guard text.utf8.count <= ProgramPlan.documentBytesMax else {
            throw Refusal.field("document", "Must have at most \(ProgramPlan.documentBytesMax) bytes.")
        }
        return text
    }

    private static func show(
        _ visit: PageVisit, document: String?, refused: Problem?, from: String = "", fromError: String? = nil
    ) async throws -> Response {
        let id: PlanID = try visit.context.id()
        let workspace = visit.workspaceID
        let versions = try await visit.installation.main.read { connection in try PlanStore.versions(of: id, in: workspace, on: connection) }
        guard let plan = versions.first else { throw Problem.notFound() }
        let language = visit.language
        let page: PageObject = [
            "heading": .text(plan.name), "id": .text(id.text), "csrfToken": .text(visit.session.csrf(visit.installation).text()),
            "lead": language.sentence(
                plan.effectiveFrom == .earliest ? "plan.leadAlways" : "plan.lead",
                ["version": language.integer(Int64(plan.version)), "day": language.day(plan.effectiveFrom)]),
            "document": .text(document ?? plan.document), "mayWrite": .flag(visit.session.may(.programsWrite)), "refused": mistakes(refused),
            "from": .text(from), "fromError": PageValue(fromError),
            "versions": PageValue(
                versions.map { version -> PageObject in
                    [
                        "label": .text(language("run.version", ["version": language.integer(Int64(version.version))])),
                        "from": version.effectiveFrom == .earliest ? nil : language.time(version.effectiveFrom),
                        "always": .flag(version.effectiveFrom == .earliest), "at": language.time(version.recordedAt), "document": .text(version.document),
                    ]
                }), "labUrl": .text("/laboratory?plan=\(id.text)"),
        ]
        return try visit.page(
            "plan-show", title: plan.name, current: "/plans", status: refused == nil && fromError == nil ? .ok : .unprocessableContent, page)
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: PlanID = try visit.context.id()
        do {
            let document = try document(fields)
            let sent = fields["effectiveFrom"] ?? ""
            let workspace = visit.workspaceID
            let known = try await visit.installation.main.read { connection -> (Zone, [Instant])? in
                guard let plan = try PlanStore.newest(id, in: workspace, on: connection) else { return nil }
                let zone = try ProgramStore.find(plan.programID, in: workspace, at: visit.now, on: connection)?.zone
                return (zone ?? .utc, try PlanStore.versions(of: id, in: workspace, on: connection).map(\.effectiveFrom))
            }
            guard let (zone, starts) = known else { throw Problem.notFound() }
            var from: Instant?
            if !sent.isEmpty {
                guard let day = TypedDay.read(sent, today: zone.day(of: visit.now)) else {
                    return try await show(visit, document: document, refused: nil, from: sent, fromError: visit.language("ruleForm.error.day"))
                }
                let start = zone.start(of: day)
                guard !starts.contains(where: { $0 > start && $0 <= visit.now }) else {
                    return try await show(visit, document: document, refused: nil, from: sent, fromError: visit.language("ruleForm.error.dayBehind"))
                }
                from = start
            }
            _ = try await visit.installation.write(workspace, actor: visit.session.actor) { [from] write in
                try ProgramPlan.change(id, document: document, effectiveFrom: from, in: write)
            }
            return visit.seeOther("/plans/\(id.text)")
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            return try await show(visit, document: fields.exact("document"), refused: problem, from: fields["effectiveFrom"] ?? "")
        }
    }
}
