import Chronology
import Compensation
import Persistence
import Web

/// Computed runs that are kept in memory for a while, so that receipts are quick. A run is computed again from its own stored facts; its
/// hash proves that it is the same.
actor RunArchive {
    /// Runs kept: one of a million members takes about a gigabyte.
    static let keptMax = 2

    struct Archived: Sendable {
        let run: Run
        let calculation: RunCalculation
        let result: RunResult
        /// As it would be stored now.
        var output: RunOutput { get throws { try RunOutput(calculation, result) } }
        var isSame: Bool { get throws { try output.hash == run.hash } }
        /// Number of a stored line → place in the engine's lines.
        let placeOfLine: [Int32]
    }

    /// Ends when the last computation that was asked for has.
    private var computing: Task<Void, Never>?
    private var kept: [(key: String, task: Task<Archived, any Error>)] = []

    func result(of id: RunID, in workspace: WorkspaceID, _ installation: Installation) async throws -> Archived {
        let run = try await installation.main.read { connection in try RunStore.find(id, in: workspace, on: connection) }
        guard let run else { throw Refusal.unknown("run") }
        guard let hash = run.hash, run.state != .draft else {
            throw Problem.conflict(code: "not_previewed", detail: "The run has no lines yet: preview it first.")
        }
        let key = id.text + Hexadecimal.text(hash)
        if let known = kept.firstIndex(where: { $0.key == key }) {
            let entry = kept.remove(at: known)
            kept.append(entry)
            return try await entry.task.value
        }
        // One after the other: each holds a whole run in memory.
        let before = computing
        let task = Task {
            await before?.value
            return try await Self.compute(run, installation.main)
        }
        computing = Task { _ = try? await task.value }
        kept.append((key, task))
        if kept.count > Self.keptMax { kept.removeFirst() }
        do {
            return try await task.value
        } catch {
            kept.removeAll { $0.key == key }
            throw error
        }
    }

    /// Keeps what a preview has just computed, so that its receipts need no second computation.
    func keep(_ run: Run, _ calculation: RunCalculation, _ result: RunResult) {
        guard let hash = run.hash else { return }
        let key = run.id.text + Hexadecimal.text(hash)
        kept.removeAll { $0.key == key }
        kept.append((key, Task { Self.archived(run, calculation, result) }))
        if kept.count > Self.keptMax { kept.removeFirst() }
    }

    static func compute(_ run: Run, _ main: any Database) async throws -> Archived {
        let calculation = try await main.read { connection in try stored(run, on: connection) }
        return archived(run, calculation, try await calculation.result())
    }

    private static func archived(_ run: Run, _ calculation: RunCalculation, _ result: RunResult) -> Archived {
        Archived(run: run, calculation: calculation, result: result, placeOfLine: places(result, calculation.facts))
    }

    /// The computation as it was, out of what the run has stored.
    private static func stored(_ run: Run, on connection: any Connection) throws -> RunCalculation {
        guard let program = try ProgramStore.find(run.programID, in: run.workspaceID, at: run.createdAt, on: connection),
            let plan = try PlanStore.find(run.planID, version: run.planVersion, in: run.workspaceID, on: connection)
        else { throw Refusal.unknown("plan") }
        let parts = try RunPartStore.all([.names, .members, .orders, .history], of: run.id, on: connection)
        let before = try run.previousID.map { try RunPartStore.all([.carry, .refunded], of: $0, on: connection) } ?? []
        let replaced = parts.compactMap(\.asCarry)
        return RunCalculation(
            plan: try plan.plan(for: program), canonical: plan.canonical, period: Period(start: run.periodStart, end: run.periodEnd),
            facts: try FactsSnapshot(parts), carryIn: try Carry(replaced.isEmpty ? before : replaced), isCarryReplaced: !replaced.isEmpty,
            overrides: try RunOverrideStore.all(of: run.id, on: connection).map(\.engine)
                + RunDifferenceStore.all(of: run.id, on: connection).map(\.override),
            history: try [PastOrder](parts, kind: .history), refundedBefore: try [PastOrder](before, kind: .refunded))
    }

    /// Stored lines stand in the order of members' ids, the engine's in that of its numbers.
    private static func places(_ result: RunResult, _ facts: FactsSnapshot) -> [Int32] {
        let engine = result.facts
        var first = [Int32](repeating: 0, count: engine.memberCount + 1)
        for line in result.lines { first[Int(line.member) + 1] += 1 }
        for number in 0..<engine.memberCount { first[number + 1] += first[number] }
        var places: [Int32] = []
        places.reserveCapacity(result.lines.count)
        for row in facts.members.indices {
            let number = engine.member(atRow: row)
            guard number >= 0 else { continue }
            places.append(contentsOf: first[number]..<first[number + 1])
        }
        return places
    }
}
