import Chronology
import Compensation
import Persistence
import Web

/// Computes a run beside everything else: facts are read on a connection of their own, the engine works in this process, and what comes
/// out is written part by part.
struct RunPreview {
    let worker: RunWorker

    private static let clearedAtOnce = 20

    func make(_ start: Run) async throws {
        try await worker.progress(10)
        let installation = worker.installation
        let workspace = worker.workspace
        let id = worker.run
        var gathered = try await installation.main.read { connection in
            try RunInput.gather(start, world: installation.world, on: connection)
        }
        try await worker.progress(200)
        let late = try await RunDifferences(input: gathered, installation: installation).found()
        gathered.differences = late.rows
        if let carry = late.carry {
            gathered.carryIn = carry
            gathered.isCarryReplaced = true
        }
        let input = gathered
        try await worker.progress(300)
        let calculation = try await input.calculation(installation, workspace)
        try await worker.progress(350)
        let output = try await calculation.output()
        try await worker.progress(600)
        let report = try RunReport(output, calculation, limits: input.legal)
        while try await worker.piece({ _, write in
            try RunPartStore.clear(id, limit: Self.clearedAtOnce, on: write.connection)
        }) > 0 {}
        let parts = output.parts + [report.findings]
        for (number, part) in parts.enumerated() {
            let packed = try Deflated.pack(part.bytes)
            let done = 600 + Int64(400 * (number + 1) / parts.count)
            try await worker.chunk { run, write in
                try RunPartStore.insert(part, of: id, packed: packed, on: write.connection)
                run.progress.done = done
            }
        }
        let previousID = input.previous?.id
        let differences = input.differences
        let previewed = try await worker.piece { run, write in
            try RunDifferenceStore.replace(differences, of: id, on: write.connection)
            run.state = .previewed
            run.planVersion = input.planVersion
            run.previousID = previousID
            run.cutoff = input.cutoff
            run.factsHash = output.factsHash
            run.hash = output.hash
            run.totalMinor = output.totalMinor
            run.summary = report.summary
            run.audit = report.audit
            run.disclosure = report.disclosure
            run.previewedAt = write.now
            run.progress = Run.Progress(work: nil, done: 1_000, total: 1_000, chunks: 0)
            try write.audit(
                "run.preview", subject: id.text,
                JSONText(["total": .integer(output.totalMinor), "hash": .text(Hexadecimal.text(output.hash))]))
            return run
        }
        await installation.archive.keep(previewed, calculation, output.result)
    }
}

extension Run {
    /// Lets the preview begin.
    static func beginPreview(_ id: RunID, in write: Write) throws -> Run {
        var run = try find(id, in: write)
        try run.require(.draft, .previewed)
        _ = try run.previous(on: write.connection)
        run.begin(.preview, total: 1_000, owner: nil)
        try RunStore.update(run, on: write.connection)
        return run
    }

    /// The process that starts the work claims it.
    mutating func begin(_ work: Work, total: Int64, owner: String?) {
        progress = Progress(work: work, done: 0, total: total, chunks: 0, owner: owner, until: nil, failure: nil)
    }
}

/// What a run's computation takes, as it stood in one snapshot of the database.
struct RunInput: Sendable {
    var run: Run
    var plan: Compensation.Plan
    var canonical: String
    var planVersion: Int
    var program: Program
    var previous: Run?
    var cutoff: Instant
    var facts: FactsSnapshot
    var carryIn: Carry
    var isCarryReplaced = false
    /// Orders that were refunded in earlier periods, with what was taken back.
    var refundedBefore: [PastOrder]
    var overrides: [Override]
    var differences: [RunDifference] = []
    var legal: LegalPolicy

    static func gather(_ run: Run, world: World, on connection: any Connection) throws -> RunInput {
        guard let workspace = try WorkspaceStore.find(run.workspaceID, on: connection),
            let program = try ProgramStore.find(run.programID, in: run.workspaceID, at: run.createdAt, on: connection),
            let plan = try PlanStore.inForce(run.planID, at: run.startsAt, in: run.workspaceID, on: connection)
        else { throw Refusal.unknown("plan") }
        let engine = try plan.plan(for: program)
        let trees = PlanTrees(engine)
        let cutoff = workspace.now(world)
        let previous = try run.previous(on: connection)
        let facts = try FactsReading(
            program: program, unit: run.unit, startsAt: run.startsAt, endsAt: run.endsAt, cutoff: cutoff, treeCodes: trees.codes,
            readsProducts: trees.readsProducts
        ).snapshot(on: connection)
        let earlier = try previous.map { try RunPartStore.all([.carry, .refunded], of: $0.id, on: connection) } ?? []
        return RunInput(
            run: run, plan: engine, canonical: plan.canonical, planVersion: plan.version, program: program, previous: previous, cutoff: cutoff,
            facts: facts, carryIn: try Carry(earlier), refundedBefore: try [PastOrder](earlier, kind: .refunded),
            overrides: try RunOverrideStore.all(of: run.id, on: connection).map(\.engine), legal: try LegalPolicyStore.find(program.id, on: connection))
    }

    /// Adds what earlier runs paid on orders that are refunded now.
    func calculation(_ installation: Installation, _ workspace: WorkspaceID) async throws -> RunCalculation {
        RunCalculation(
            plan: plan, canonical: canonical, period: Period(start: run.periodStart, end: run.periodEnd), facts: facts, carryIn: carryIn,
            isCarryReplaced: isCarryReplaced, overrides: overrides + differences.map(\.override),
            history: try await RefundedHistory(input: self, installation: installation).orders(), refundedBefore: refundedBefore)
    }
}

/// What was paid on orders of earlier periods that are refunded in this one.
struct RefundedHistory {
    let input: RunInput
    let installation: Installation

    func orders() async throws -> [PastOrder] {
        let own = input.facts
        let wanted = Set(own.orders.compactMap { $0.refundOf }.filter { own.row(ofOrder: $0) == nil })
        guard !wanted.isEmpty else { return [] }
        var found: [String: PastOrder] = [:]
        for order in input.refundedBefore { found[order.orderId] = order }
        var missing = wanted.filter { found[$0.text] == nil }
        let run = input.run
        let earlier = try await installation.main.read { connection in
            try RunStore.accepted(of: run.planID, before: run.periodStart, on: connection)
        }
        for past in earlier.reversed() where !missing.isEmpty {
            let here = try await holding(missing, past)
            guard !here.isEmpty else { continue }
            let archived = try await installation.archive.result(of: past.id, in: past.workspaceID, installation)
            for order in archived.result.pastOrders(ids: Set(here.map(\.text))) { found[order.orderId] = order }
            missing.subtract(here)
        }
        // Sales from before the plan: nothing was paid on them.
        for order in missing.sorted() {
            let sale = try await installation.main.read { connection in try FactsStore.sale(order.wholeText, on: connection) }
            guard let sale else { continue }
            let parts = SaleParts.of(sale.items, amountMinor: sale.amountMinor, byProduct: PlanTrees(input.plan).readsProducts)
            let part = parts.indices.contains(order.partNumber) ? parts[order.partNumber] : parts[0]
            found[order.text] = PastOrder(
                orderId: order.text, amountMinor: part.amountMinor, commissionVolume: part.commissionVolume,
                qualifyingVolume: part.qualifyingVolume, paid: [])
        }
        return wanted.sorted().compactMap { found[$0.text] }
    }

    /// Those of the orders that are among the facts of a run.
    private func holding(_ orders: Set<PackedID>, _ run: Run) async throws -> Set<PackedID> {
        try await installation.main.read { connection in
            var here = Set<PackedID>()
            for order in orders where try RunReading.holds(order, run.id, on: connection) { here.insert(order) }
            return here
        }
    }
}
