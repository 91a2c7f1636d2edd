import Chronology
import Compensation
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

/// Runs as a list, each run, each of its lines with its receipt, each member's period, and the income disclosure.
enum RunPages {
    static let runsPerPage = 30
    static let statementsPerPage = 50
    static let linesPerPage = 100
    static let plansMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/runs", .commissionsRead, gate) { visit in try await list(visit) }
        api.form("/runs", .commissionsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.page("/runs/{id}", .commissionsRead, gate) { visit in try await show(visit) }
        api.page("/runs/{id}/progress", .commissionsRead, gate) { visit in try await progress(visit) }
        api.page("/runs/{id}/lines", .commissionsRead, gate) { visit in try await lines(visit) }
        api.page("/runs/{id}/lines/{number}", .commissionsRead, gate) { visit in try await line(visit) }
        api.page("/runs/{id}/members/{member}", .commissionsRead, gate) { visit in try await member(visit) }
        api.page("/runs/{id}/disclosure", .commissionsRead, gate) { visit in try await disclosure(visit) }
        api.page("/runs/{id}/disclosure.pdf", .commissionsRead, gate) { visit in try await disclosureFile(visit) }
        api.form("/runs/{id}/preview", .commissionsWrite, gate) { visit, _ in
            let id: RunID = try visit.context.id()
            return try await step(visit) { write in try Run.beginPreview(id, in: write) }
        }
        api.form("/runs/{id}/overrides", .commissionsWrite, gate) { visit, fields in try await override(visit, fields) }
        let next: @Sendable (PageVisit) -> String = { visit in "/runs/\(visit.context.parameters.get("id") ?? "")" }
        api.confirmedForm("/runs/{id}/acceptance", .payoutsApprove, gate, next: next) { visit, fields in
            let id: RunID = try visit.context.id()
            let reason = fields["overrideReason"]
            return try await step(visit) { write in try Run.beginAcceptance(RunDecision(runID: id, overrideReason: reason), in: write) }
        }
        api.confirmedForm("/runs/{id}/funding", .payoutsApprove, gate, next: next) { visit, _ in
            let id: RunID = try visit.context.id()
            return try await step(visit) { write in try Run.beginFunding(id, in: write) }
        }
        api.confirmedForm("/runs/{id}/reopening", .payoutsApprove, gate, next: next) { visit, _ in
            let id: RunID = try visit.context.id()
            return try await step(visit) { write in try Run.beginReversal(id, in: write) }
        }
    }

    // MARK: The list

    /// The first day of a run as it was typed, when it can't be read.
    private struct TypedStart: Sendable {
        var plan: PlanID
        var text: String
    }

    private static func list(_ visit: PageVisit, typed: TypedStart? = nil) async throws -> Response {
        let workspace = visit.workspaceID
        let before = visit.query["startingAfter"].flatMap { RunID($0) }
        let model = try await visit.installation.main.read { connection -> RunListModel in
            let runs = try RunStore.list(in: workspace, before: before?.text, limit: runsPerPage + 1, on: connection)
            let plans = try PlanStore.list(in: workspace, after: nil, limit: plansMax, on: connection)
            var next: [PlanID: LocalDay] = [:]
            for plan in plans { next[plan.id] = try nextPeriod(of: plan, now: visit.now, on: connection) }
            return RunListModel(
                runs: Array(runs.prefix(runsPerPage)), hasMore: runs.count > runsPerPage, isFirstPage: before == nil, plans: plans, next: next,
                typed: typed.map { [$0.plan: $0.text] } ?? [:], mayWrite: visit.session.may(.commissionsWrite), csrfToken: visit.session.csrf(visit.installation).text(), language: visit.language)
        }
        return try visit.page("run-list", title: visit.language("runs.title"), current: "/runs", notice: refusal(visit), status: typed == nil ? .ok : .unprocessableContent, model.page)
    }

    /// The period after the last run's, or the one that ended last.
    private static func nextPeriod(of plan: ProgramPlan, now: Instant, on connection: any Connection) throws -> LocalDay? {
        guard let program = try ProgramStore.find(plan.programID, in: plan.workspaceID, at: now, on: connection) else { return nil }
        if let last = try RunStore.last(of: plan.id, before: .latest, on: connection) { return last.periodEnd }
        let calendar = try plan.plan(for: program).calendar
        let current = try calendar.period(containing: program.zone.day(of: now))
        return try calendar.period(containing: current.start.adding(days: -1)).start
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let plan = fields["planId"].flatMap({ PlanID($0) }) else { return visit.seeOther("/runs?refused=period") }
        let sent = fields["periodStart"] ?? ""
        guard let day = visit.language.typedDay(sent, now: visit.now) else { return try await list(visit, typed: TypedStart(plan: plan, text: sent)) }
        do {
            let run = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try Run.create(NewRun(planID: plan, periodStart: day), in: write)
            }
            return visit.seeOther("/runs/\(run.id.text)")
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            return visit.seeOther("/runs?refused=\(problem.code)")
        }
    }

    // MARK: One run

    private static func find(_ visit: PageVisit) async throws -> Run {
        let id: RunID = try visit.context.id()
        let workspace = visit.workspaceID
        let run = try await visit.installation.main.read { connection in try RunStore.find(id, in: workspace, on: connection) }
        guard let run else { throw Problem.notFound() }
        return run
    }

    private static func show(_ visit: PageVisit, decision: TypedDecision = TypedDecision()) async throws -> Response {
        let run = try await find(visit)
        let first = max(0, visit.query["from"].flatMap { Int($0) } ?? 0)
        let vault = visit.installation.vault
        let workspace = visit.workspaceID
        let model = try await visit.installation.main.read { connection -> RunModel in
            let plan = try PlanStore.find(run.planID, version: run.planVersion, in: workspace, on: connection)
            let program = try ProgramStore.find(run.programID, in: workspace, at: visit.now, on: connection)
            var statements: [RunModel.Statement] = []
            if run.state != .draft {
                let rows = try RunReading.statements(of: run.id, from: first, count: statementsPerPage + 1, on: connection)
                let members = try MemberRows(of: run.id, on: connection)
                statements = try rows.map { RunModel.Statement(memberID: MemberID(stored: try members.id($0.member).text), statement: $0) }
            }
            let findings = run.state == .draft ? [] : try RunReading.findings(of: run.id, on: connection)
            let overrides = try RunOverrideStore.all(of: run.id, on: connection)
            let people = statements.map(\.memberID) + findings.prefix(RunModel.findingsShownMax).map(\.memberID) + overrides.map(\.memberID)
            return RunModel(
                run: run, plan: plan, program: program, ranks: try plan.flatMap { plan in try program.map { try plan.plan(for: $0).ranks.map(\.code) } } ?? [],
                previous: try run.previousID.flatMap { try RunStore.find($0, in: workspace, on: connection) }, statements: statements, first: first,
                findings: findings, overrides: overrides, names: try PersonNames.load(members: people, vault: vault, on: connection),
                people: try OperatorNames.load(
                    [run.createdBy, run.acceptedBy, run.fundedBy, run.supersededBy].compactMap { $0 } + overrides.map(\.author), in: workspace,
                    vault: vault, on: connection), decision: decision, session: visit.session,
                waitsUntil: try NewApprover.waitsUntil(
                    visit.session.actor, in: visit.session.workspace, at: visit.installation.world.now(), on: connection),
                csrfToken: visit.session.csrf(visit.installation).text(),
                language: visit.language)
        }
        return try visit.page(
            "run-show", title: model.heading, current: "/runs", notice: refusal(visit), status: decision.errors.isEmpty ? .ok : .unprocessableContent,
            model.page)
    }

    /// Where long work stands, for the script that draws the bar.
    private static func progress(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        var response = ListAnswer.one([
            "state": .text(run.state.rawValue), "work": run.progress.work.map { .text($0.rawValue) } ?? .null,
            "thousandths": .integer(run.progress.thousandths), "text": .text(RunModel.progressText(run, visit.language)),
        ])
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// Begins the work and shows the run's page at once; the page tells how far it is.
    private static func step(_ visit: PageVisit, _ begin: @escaping @Sendable (Write) throws -> Run) async throws -> Response {
        let id: RunID = try visit.context.id()
        do {
            _ = try await visit.installation.work(
                on: id, in: visit.workspaceID, actor: visit.session.actor, rights: Set(Right.allCases.filter { visit.session.may($0) }), waitMs: 700,
                begin)
        } catch {
            guard let problem = Refusal.of(error), refusals.contains(problem.code) else { throw Refusal.of(error) ?? error }
            return visit.seeOther("/runs/\(id.text)?refused=\(problem.code)")
        }
        return visit.seeOther("/runs/\(id.text)")
    }

    private static func override(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: RunID = try visit.context.id()
        var decision = TypedDecision(fields)
        let kind = RunOverride.Kind(rawValue: decision["kind"])
        let member = MemberReference(decision["memberId"])
        let reason = decision["reason"]
        var value: Int64?
        if !decision["value"].isEmpty {
            // An adjustment may take away.
            let isBelow = kind == .adjustment && decision["value"].hasPrefix("-")
            let count = visit.language.typedCount(String(decision["value"].dropFirst(isBelow ? 1 : 0)), in: 0...RunOverride.amountMax)
            value = count.map { isBelow ? -$0 : $0 }
            if value == nil { decision.refuse("value", visit.language) }
        }
        if kind == nil { decision.refuse("kind", visit.language) }
        if member == nil { decision.refuse("memberId", visit.language) }
        if reason.isEmpty { decision.refuse("reason", visit.language) }
        guard decision.errors.isEmpty, let kind, let member else { return try await show(visit, decision: decision) }
        let bonus = decision["bonus"].isEmpty ? nil : decision["bonus"]
        do {
            let value = value
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try RunOverride.add(
                    NewRunOverride(
                        runID: id, member: member, kind: kind, bonus: bonus, value: value, reason: String(reason.prefix(Run.reasonLengthMax))), in: write)
            }
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            for refused in problem.errors { decision.refuse(refused.field, visit.language) }
            guard problem.status == .unprocessableContent, !decision.errors.isEmpty else { return visit.seeOther("/runs/\(id.text)?refused=override") }
            return try await show(visit, decision: decision)
        }
        return visit.seeOther("/runs/\(id.text)")
    }

    /// The form of a decision by hand as it was typed, with what is wrong with it.
    struct TypedDecision: Sendable {
        static let names = ["memberId", "kind", "bonus", "value", "reason"]

        private var values: [String: String] = [:]
        private(set) var errors: [String: String] = [:]

        init() {}

        init(_ fields: FormFields) {
            values = Dictionary(Self.names.map { ($0, String((fields[$0] ?? "").prefix(2_000))) }, uniquingKeysWith: { first, _ in first })
        }

        subscript(name: String) -> String { values[name] ?? "" }

        mutating func refuse(_ field: String, _ language: PageLanguage) {
            guard Self.names.contains(field) else { return }
            errors[field] = language("runOverride.error.\(field)")
        }
    }

    // MARK: Lines

    private static func lines(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        let after = visit.query["startingAfter"].flatMap { Int($0) }
        let sale = try visit.query.id("sale", SaleKind.self)
        let rows = try await RunLineList(run: run, member: nil, sale: sale).rows(after: after, limit: linesPerPage + 1, visit.installation)
        let shown = Array(rows.prefix(linesPerPage))
        let vault = visit.installation.vault
        let names = try await visit.installation.main.read { connection in
            try PersonNames.load(members: shown.map { MemberID(stored: $0.memberID) }, vault: vault, on: connection)
        }
        let model = RunLinesModel(
            run: run, lines: shown, hasMore: rows.count > linesPerPage, isFirstPage: after == nil, sale: sale, names: names, language: visit.language)
        return try visit.page("run-lines", title: model.heading, current: "/runs", model.page)
    }

    private static func line(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        guard let number = visit.context.parameters.get("number").flatMap({ Int($0) }), number >= 0 else { throw Problem.notFound() }
        let archived = try await visit.installation.archive.result(of: run.id, in: run.workspaceID, visit.installation)
        guard let receipt = try RunReceipt(archived, line: number) else { throw Problem.notFound() }
        let model = try await RunReceiptModel.load(receipt, others: [], visit)
        return try visit.page("run-line", title: model.heading, current: "/runs", isNarrow: true, model.page)
    }

    private static func member(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        guard let member = visit.context.parameters.get("member").flatMap({ MemberID($0) }) else { throw Problem.notFound() }
        if let sale = try visit.query.id("sale", SaleKind.self) {
            let archived = try await visit.installation.archive.result(of: run.id, in: run.workspaceID, visit.installation)
            guard let receipts = try RunReceipt.all(archived, member: member, sale: sale), let first = receipts.first else { throw Problem.notFound() }
            let model = try await RunReceiptModel.load(first, others: Array(receipts.dropFirst()), visit)
            return try visit.page("run-line", title: model.heading, current: "/runs", isNarrow: true, model.page)
        }
        let model = try await RunMemberModel.load(run, member, visit)
        return try visit.page("run-member", title: model.heading, current: "/runs", isNarrow: true, model.page)
    }

    private static func disclosure(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        guard run.hash != nil else { throw Problem.notFound() }
        let model = try DisclosureModel(run, visit.language)
        return try visit.page("run-disclosure", title: model.heading, current: "/runs", isNarrow: true, model.page)
    }

    private static func disclosureFile(_ visit: PageVisit) async throws -> Response {
        let run = try await find(visit)
        guard run.hash != nil else { throw Problem.notFound() }
        let workspace = visit.session.workspace
        let company = try await visit.installation.main.read { connection in try Company.of(workspace, on: connection) }
        let name = "income-disclosure-\(run.periodStart.iso8601).pdf"
        return Response(
            status: .ok,
            headers: [.contentType: "application/pdf", .contentDisposition: "attachment; filename=\"\(name)\"", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try DisclosurePDF.make(try DisclosureModel(run, visit.language), company: company))))
    }

    // MARK: Refusals that the pages explain

    static let refusals: Set<String> = [
        "wrong_state", "run_busy", "same_person", "period_open", "audit_blocks", "earlier_run_open", "period_missing", "preview_outdated",
        "later_run_exists", "run_exists", "approver_too_new", "no_plan_in_force", "override", "period", "invalid_fields", "plan_refused",
    ]

    static func refusal(_ visit: PageVisit) -> PageFrame.Notice? {
        guard let code = visit.query["refused"], refusals.contains(code) else { return nil }
        let words = code.split(separator: "_")
        let key = words.dropFirst().reduce(String(words[0])) { $0 + $1.capitalized }
        return PageFrame.Notice(kind: "bad", icon: "warning", text: visit.language("runRefused.\(key)"))
    }
}

extension Run.Progress {
    var thousandths: Int64 { total > 0 ? min(1_000, done * 1_000 / total) : 0 }
}
