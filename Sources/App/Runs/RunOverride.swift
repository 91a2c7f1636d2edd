import Chronology
import Compensation
import Persistence
import Web

/// A person's decision that a run must follow, with author and reason; it stands on the receipts that it touches.
struct RunOverride: Sendable {
    enum Kind: String, Sendable, CaseIterable { case forcedRank, activityWaiver, eligibilityWaiver, adjustment }

    var id: RunOverrideID
    var workspaceID: WorkspaceID
    var runID: RunID
    var memberID: MemberID
    var kind: Kind
    var bonus: String?
    /// The rank, or the amount in minor units.
    var value: Int64?
    var author: String
    var reason: String
    var recordedAt: Instant

    var engine: Override {
        let kind: Override.Kind =
            switch self.kind {
            case .forcedRank: .forcedRank(Int(value ?? 0))
            case .activityWaiver: .activityWaiver
            case .eligibilityWaiver: .eligibilityWaiver(bonus: bonus ?? "")
            case .adjustment: .adjustment(bonus: bonus ?? "", amountMinor: value ?? 0)
            }
        return Override(memberId: memberID.text, kind: kind, author: author, reason: reason)
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "memberId": .text(memberID.text), "kind": .text(kind.rawValue), "bonus": bonus.map { .text($0) } ?? .null,
            "value": value.map { .integer($0) } ?? .null, "author": .text(author), "reason": .text(reason),
            "recordedAt": .text(recordedAt.rfc3339),
        ]
    }
}

struct NewRunOverride: Sendable {
    var runID: RunID
    var member: MemberReference
    var kind: RunOverride.Kind
    var bonus: String?
    var value: Int64?
    var reason: String
}

extension RunOverride {
    static let amountMax: Int64 = 1_000_000_000_000

    /// Adds a decision; what was previewed before is out of date.
    static func add(_ input: NewRunOverride, in write: Write) throws -> RunOverride {
        var run = try Run.find(input.runID, in: write)
        try run.require(.draft, .previewed)
        let member = try Member.find(input.member, field: "memberId", in: write)
        guard let stored = try PlanStore.find(run.planID, version: run.planVersion, in: write.workspace.id, on: write.connection),
            let program = try ProgramStore.find(run.programID, in: write.workspace.id, at: run.createdAt, on: write.connection)
        else { throw Refusal.unknown("plan") }
        guard try MemberStore.isEnrolled(member.id, in: program.id, on: write.connection) else {
            throw Refusal.field("memberId", "This member is not enrolled in the program of the run.")
        }
        let plan = try stored.plan(for: program)
        switch input.kind {
        case .forcedRank:
            guard let rank = input.value, (0...Int64(plan.ranks.count)).contains(rank) else {
                throw Refusal.field("value", "Must be a rank from 0 (none) to \(plan.ranks.count).")
            }
            // Of two ranks for one period nobody could say which one holds.
            guard try !RunOverrideStore.hasForcedRank(member.id, in: run.id, on: write.connection) else {
                throw Refusal.field("kind", "This member has a forced rank in this run already; remove that one first.")
            }
        case .adjustment:
            guard let amount = input.value, amount != 0, amount.magnitude <= UInt64(amountMax) else {
                throw Refusal.field("value", "Must be an amount in minor units, other than 0.")
            }
        case .activityWaiver, .eligibilityWaiver:
            guard input.value == nil else { throw Refusal.field("value", "A waiver has no value.") }
        }
        if input.kind == .adjustment || input.kind == .eligibilityWaiver {
            guard let bonus = input.bonus, plan.bonuses.contains(where: { $0.code == bonus }) else {
                throw Refusal.field("bonus", "Must be one of \(plan.bonuses.map(\.code).joined(separator: ", ")).")
            }
        } else if input.bonus != nil {
            throw Refusal.field("bonus", "Only an adjustment or the waiver of an eligibility names a bonus.")
        }
        let override = RunOverride(
            id: write.world.newID(), workspaceID: write.workspace.id, runID: run.id, memberID: member.id, kind: input.kind, bonus: input.bonus,
            value: input.value, author: write.actor.person, reason: input.reason, recordedAt: write.now)
        try RunOverrideStore.insert(override, on: write.connection)
        run.state = .draft
        try RunStore.update(run, on: write.connection)
        try write.audit(
            "run.override", subject: run.id.text,
            JSONText(["overrideId": .text(override.id.text), "memberId": .text(member.id.text), "kind": .text(input.kind.rawValue)]))
        return override
    }

    static func remove(_ id: RunOverrideID, of runID: RunID, in write: Write) throws {
        var run = try Run.find(runID, in: write)
        try run.require(.draft, .previewed)
        guard try RunOverrideStore.delete(id, of: runID, on: write.connection) else { throw Refusal.unknown("override") }
        run.state = .draft
        try RunStore.update(run, on: write.connection)
        try write.audit("run.override_removed", subject: run.id.text, JSONText(["overrideId": .text(id.text)]))
    }
}

enum RunOverrideStore {
    /// Decisions of one run at most.
    static let overridesMax = 10_000

    private static let columns = "id, workspace_id, run_id, member_id, kind, bonus, value, author, reason, recorded_at"

    static func insert(_ override: RunOverride, on connection: any Connection) throws {
        let known: Int = try connection.value("SELECT count(*) FROM run_override WHERE run_id = \(override.runID)") ?? 0
        guard known < overridesMax else {
            throw Problem.conflict(code: "too_many_overrides", detail: "A run may have at most \(overridesMax) overrides.")
        }
        try connection.execute(
            """
            INSERT INTO run_override (\(raw: columns))
            VALUES (\(override.id), \(override.workspaceID), \(override.runID), \(override.memberID), \(override.kind.rawValue), \(override.bonus),
                    \(override.value), \(override.author), \(override.reason), \(override.recordedAt))
            """)
    }

    static func hasForcedRank(_ member: MemberID, in run: RunID, on connection: any Connection) throws -> Bool {
        let known: Int = try connection.value(
            "SELECT count(*) FROM run_override WHERE run_id = \(run) AND member_id = \(member) AND kind = \(RunOverride.Kind.forcedRank.rawValue)") ?? 0
        return known > 0
    }

    static func delete(_ id: RunOverrideID, of run: RunID, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM run_override WHERE id = \(id) AND run_id = \(run)") == 1
    }

    static func all(of run: RunID, on connection: any Connection) throws -> [RunOverride] {
        try connection.rows("SELECT \(raw: columns) FROM run_override WHERE run_id = \(run) ORDER BY id").map { row in
            RunOverride(
                id: try row.get(at: 0), workspaceID: try row.get(at: 1), runID: try row.get(at: 2), memberID: try row.get(at: 3),
                kind: RunOverride.Kind(rawValue: try row.get(at: 4)) ?? .adjustment, bonus: try row.get(at: 5), value: try row.get(at: 6),
                author: try row.get(at: 7), reason: try row.get(at: 8), recordedAt: try row.get(at: 9))
        }
    }
}
