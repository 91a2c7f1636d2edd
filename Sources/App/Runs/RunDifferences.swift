import Chronology
import Compensation
import Persistence
import Web

/// Works out what facts that came too late change about accepted periods. Each affected period, and all after it, is computed again
/// from its stored facts with the late ones added and with the carry that follows; what differs from what was posted for the period,
/// by member and bonus, becomes a line of the open run.
struct RunDifferences {
    /// Accepted periods looked back at.
    static let periodsMax = 24
    /// Differences of one run at most.
    static let rowsMax = 200_000

    let input: RunInput
    let installation: Installation

    struct Found: Sendable {
        var rows: [RunDifference] = []
        /// The carry as it would be with all facts in time; nil: nothing changed.
        var carry: Carry?
    }

    func found() async throws -> Found {
        let run = input.run
        let earlier = Array(
            try await installation.main.read { connection in
                try RunStore.accepted(of: run.planID, before: run.periodStart, on: connection)
            }.suffix(Self.periodsMax))
        guard let first = try await firstAffected(earlier) else { return Found() }
        var found = Found()
        var carry: Carry?
        for past in earlier[first...] {
            let archived = try await installation.archive.result(of: past.id, in: past.workspaceID, installation)
            var calculation = archived.calculation
            let late = try await lateFacts(of: past)
            calculation.facts = late.merged(into: calculation.facts)
            // What runs added by themselves is counted with what was posted, not computed again.
            calculation.overrides = calculation.overrides.filter { $0.author != RunDifference.author }
            if let carry {
                calculation.carryIn = carry
                calculation.isCarryReplaced = true
            }
            let result = try await calculation.result()
            carry = result.carryOut.withoutDebts
            found.rows += try await compare(result, archived, late.names)
            guard found.rows.count <= Self.rowsMax else {
                throw Problem.unprocessable(
                    code: "too_many_differences", detail: "Late facts change more than \(Self.rowsMax) amounts of accepted periods.")
            }
        }
        found.carry = carry
        return found
    }

    private func firstAffected(_ runs: [Run]) async throws -> Int? {
        for (place, run) in runs.enumerated() {
            let isAffected = try await installation.main.read { connection in try LateFacts.exist(for: run, on: connection) }
            if isAffected { return place }
        }
        return nil
    }

    private func lateFacts(of past: Run) async throws -> LateFacts {
        let program = input.program
        let plan = input.plan
        let world = installation.world
        return try await installation.main.read { connection in
            try LateFacts(past, program, PlanTrees(plan), world, on: connection)
        }
    }

    private func compare(_ result: RunResult, _ archived: RunArchive.Archived, _ cause: String) async throws -> [RunDifference] {
        let past = archived.run
        let posted = try await installation.main.read { connection in try RunDifferenceStore.posted(for: past.id, on: connection) }
        var byMember: [String: [String: Int64]] = [:]
        for row in posted { byMember[row.member.text, default: [:]][row.bonus, default: 0] += row.amountMinor }
        // What the run itself posted for other periods does not count for this one.
        var foreign: [String: [String: Int64]] = [:]
        for override in archived.calculation.overrides where override.author == RunDifference.author {
            if case .adjustment(let bonus, let amount) = override.kind { foreign[override.memberId, default: [:]][bonus, default: 0] += amount }
        }
        var rows: [RunDifference] = []
        for member in 0..<result.facts.memberCount {
            let id = result.facts.memberId(member)
            guard id.hasPrefix(MemberKind.prefix) else { continue }
            let before = archived.result.facts.member(id: id)
            for (number, bonus) in result.plan.bonuses.enumerated() {
                let now = result.amountMinor(of: member, bonus: number)
                var then = before.map { archived.result.amountMinor(of: $0, bonus: number) } ?? 0
                then += (byMember[id]?[bonus.code] ?? 0) - (foreign[id]?[bonus.code] ?? 0)
                guard now != then else { continue }
                rows.append(
                    RunDifference(forRunID: past.id, memberID: MemberID(stored: id), bonus: bonus.code, amountMinor: now - then, cause: cause))
            }
        }
        return rows
    }
}
