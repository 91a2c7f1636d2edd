import Chronology
import Compensation
import Hummingbird
import Persistence
import Web

/// The plan laboratory: plans on the same facts side by side. Nothing here is stored, and nobody is paid.
enum LaboratoryPages {
    static let plansMax = 200
    static let runsMax = 24
    static let generatedStandard = 2_000
    /// Members up to which the sensitivity table is worked out with the comparison.
    static let sensitivityMembersMax = 100_000
    static let documentBytesMax = ProgramPlan.documentBytesMax

    static func add(to api: inout API, gate: PageGate) {
        api.page("/laboratory", .programsRead, gate) { visit in try await show(visit, LaboratoryWish(visit.query, visit.language), trial: nil, refused: nil) }
        api.form("/laboratory", .programsRead, gate) { visit, fields in try await compare(visit, fields) }
    }

    private static func compare(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let wish = LaboratoryWish(fields, visit.language)
        guard wish.errors.isEmpty else { return try await show(visit, wish, trial: nil, refused: nil) }
        do {
            let outcome = try await LaboratoryWork(wish: wish, installation: visit.installation, workspace: visit.workspaceID).done()
            return try await show(visit, wish, trial: outcome, refused: nil)
        } catch {
            guard let words = RunRefusal.words(error) else { throw error }
            return try await show(visit, wish, trial: nil, refused: words)
        }
    }

    private static func show(_ visit: PageVisit, _ wish: LaboratoryWish, trial: LaboratoryWork.Outcome?, refused: String?) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let model = try await visit.installation.main.read { connection -> LaboratoryModel in
            let changed = trial.map { $0.trial.entries.flatMap { $0.gain.largest + $0.lose.largest }.map(\.memberID) } ?? []
            let people = trial?.isGenerated == false ? changed.filter { $0.hasPrefix(MemberKind.prefix) }.map { MemberID(stored: $0) } : []
            return LaboratoryModel(
                wish: wish, outcome: trial, refused: refused, plans: try PlanStore.list(in: workspace, after: nil, limit: plansMax, on: connection),
                runs: try RunStore.list(in: workspace, before: nil, limit: runsMax, on: connection).filter { $0.hash != nil && $0.state != .draft },
                names: try PersonNames.load(members: people, vault: vault, on: connection),
                csrfToken: visit.session.csrf(visit.installation).text(), language: visit.language)
        }
        return try visit.page(
            "laboratory", title: visit.language("laboratory.title"), current: "/laboratory", 
            status: refused == nil && wish.errors.isEmpty ? .ok : .unprocessableContent, model.page)
    }
}

/// What somebody wants compared.
struct LaboratoryWish: Sendable {
    var plan: PlanID?
    var other: PlanID?
    /// A plan that is only tried out.
    var document: String
    /// The other plan's rates, in hundredths of what they are.
    var percent: Int
    var run: RunID?
    var members: Int
    var seed: UInt64
    var replays: Bool
    /// The numbers as they were typed.
    var typed: [String: String] = [:]
    var errors: [String: String] = [:]

    init(_ fields: FormFields, _ language: PageLanguage) {
        var (typed, errors): ([String: String], [String: String]) = ([:], [:])
        func number(_ name: String, _ standard: Int64, _ range: ClosedRange<Int64>) -> Int64 {
            guard let text = fields[name], !text.isEmpty else { return standard }
            typed[name] = String(text.prefix(200))
            if let value = language.typedCount(text, in: range) { return value }
            errors[name] = language(
                "programSettings.error.number", ["least": language.integer(range.lowerBound), "most": language.integer(range.upperBound)])
            return standard
        }
        plan = fields["plan"].flatMap { PlanID($0) }
        other = fields["other"].flatMap { PlanID($0) }
        document = String((fields.exact("document") ?? "").replacing("\r\n", with: "\n").prefix(LaboratoryPages.documentBytesMax))
        percent = Int(number("percent", 100, Int64(PlanSensitivity.percents.lowerBound)...Int64(PlanSensitivity.percents.upperBound)))
        run = fields["run"].flatMap { RunID($0) }
        members = Int(number("members", Int64(LaboratoryPages.generatedStandard), 1...Int64(OrganisationGenerator.promotersMax)))
        seed = UInt64(number("seed", 1, 0...Int64.max))
        replays = fields["replay"] != nil
        (self.typed, self.errors) = (typed, errors)
    }
}

/// Does what the laboratory is asked for.
struct LaboratoryWork: Sendable {
    struct Replay: Sendable {
        var run: Run
        var totals: [Int64]
    }

    struct Outcome: Sendable {
        var trial: LaboratoryTrial
        var isGenerated: Bool
        var unit: String
        /// The first plan's pay with its rates at so many hundredths.
        var sensitivity: [(percent: Int, totalMinor: Int64)]
        var replays: [Replay]
    }

    let wish: LaboratoryWish
    let installation: Installation
    let workspace: WorkspaceID

    func done() async throws -> Outcome {
        guard let first = wish.plan else { throw Refusal.field("plan", "Choose a plan.") }
        let workspace = workspace
        let other = wish.other
        let stored = try await installation.main.read { connection -> (ProgramPlan, ProgramPlan?, Program) in
            guard let plan = try PlanStore.newest(first, in: workspace, on: connection),
                let program = try ProgramStore.find(
                    plan.programID, in: workspace, at: WorkspaceStore.now(of: workspace, installation.world, on: connection), on: connection)
            else { throw Refusal.unknown("plan") }
            return (plan, try other.flatMap { try PlanStore.newest($0, in: workspace, on: connection) }, program)
        }
        let (plan, second, program) = stored
        var plans: [(name: String, plan: Compensation.Plan)] = [(plan.name, try plan.plan(for: program))]
        if let second { plans.append((second.name, try PlanReading.plan(canonical: second.canonical))) }
        if !wish.document.isEmpty {
            let tried = try PlanReading.read(wish.document, for: program)
            plans.append((tried.code, tried))
        }
        if plans.count == 1, wish.percent != 100 { plans.append(plans[0]) }
        if wish.percent != 100, let last = plans.indices.last, last > 0 {
            plans[last] = ("\(plans[last].name), \(wish.percent) %", try PlanSensitivity.scaled(plans[last].plan, percent: wish.percent))
        }
        let (facts, period) = try await facts(plans[0].plan, program)
        let trial = try await LaboratoryTrial.run(plans, facts: facts, period: period)
        var sensitivity: [(percent: Int, totalMinor: Int64)] = []
        if facts.members.count <= LaboratoryPages.sensitivityMembersMax {
            for percent in [80, 90, 100, 110, 120] {
                let scaled = try PlanSensitivity.scaled(plans[0].plan, percent: percent)
                let one = try await LaboratoryTrial.run([("", scaled)], facts: facts, period: period)
                sensitivity.append((percent, one.entries[0].totalMinor))
            }
        }
        return Outcome(
            trial: trial, isGenerated: wish.run == nil, unit: program.currency, sensitivity: sensitivity,
            replays: wish.replays ? try await replay(plans, of: first) : [])
    }

    private func facts(_ plan: Compensation.Plan, _ program: Program) async throws -> (FactsSnapshot, Period) {
        guard let id = wish.run else {
            let today = program.zone.day(of: installation.world.now())
            let current = try plan.calendar.period(containing: today)
            let period = try plan.calendar.period(containing: current.start.adding(days: -1))
            return (OrganisationGenerator(promoters: wish.members, seed: wish.seed).facts(period: period, zone: program.zone), period)
        }
        let workspace = workspace
        return try await installation.main.read { connection in
            guard let run = try RunStore.find(id, in: workspace, on: connection), run.hash != nil else { throw Refusal.unknown("run") }
            return (
                try FactsSnapshot(RunPartStore.all([.names, .members, .orders], of: id, on: connection)),
                Period(start: run.periodStart, end: run.periodEnd)
            )
        }
    }

    /// Past periods under each plan, each with the carry of its own periods before.
    private func replay(_ plans: [(name: String, plan: Compensation.Plan)], of id: PlanID) async throws -> [Replay] {
        let runs = try await installation.main.read { connection in try RunStore.accepted(of: id, before: .latest, on: connection) }
            .suffix(LaboratoryPages.runsMax)
        var carries = plans.map { _ in Carry() }
        var replays: [Replay] = []
        for run in runs {
            let facts = try await installation.main.read { connection in
                try FactsSnapshot(RunPartStore.all([.names, .members, .orders], of: run.id, on: connection))
            }
            var totals: [Int64] = []
            for (place, (_, plan)) in plans.enumerated() {
                var own = facts
                for code in PlanTrees(plan).codes where !own.treeCodes.contains(code) {
                    own.treeCodes.append(code)
                    own.places.append(Array(repeating: .none, count: own.members.count))
                }
                // Refunds of orders of earlier periods are left out: what each plan would have paid on them is not known here.
                own.orders = own.orders.filter { order in order.refundOf.map { facts.row(ofOrder: $0) != nil } ?? true }
                let result = try await RunCalculation(
                    plan: plan, canonical: "", period: Period(start: run.periodStart, end: run.periodEnd), facts: own, carryIn: carries[place],
                    overrides: [], history: []
                ).result()
                carries[place] = result.carryOut
                totals.append(Int64(clamping: result.totalMinor))
            }
            replays.append(Replay(run: run, totals: totals))
        }
        return replays
    }
}
