import Chronology
import Compensation
import Money
import Persistence
import Web

/// One calculation of a plan over one period: draft → previewed → accepting → accepted → funded, or superseded.
struct Run: Sendable {
    enum State: String, Sendable, CaseIterable { case draft, previewed, accepting, accepted, funded, superseded }

    /// Long work on a run, done in small pieces beside everything else.
    enum Work: String, Sendable { case preview, acceptance, funding, reversal }

    struct Progress: Sendable {
        var work: Work?
        var done: Int64
        var total: Int64
        /// Pieces that are written for good.
        var chunks: Int
        var owner: String?
        var until: Instant?
        /// Why the last work stopped.
        var failure: String?
    }

    var id: RunID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var planID: PlanID
    var planVersion: Int
    var periodStart: LocalDay
    var periodEnd: LocalDay
    var startsAt: Instant
    var endsAt: Instant
    var state: State
    var unit: UnitCode
    var previousID: RunID?
    var cutoff: Instant?
    var factsHash: [UInt8]?
    var hash: [UInt8]?
    var totalMinor: Int64
    var summary: JSONText
    var audit: JSONText
    var disclosure: JSONText
    /// People, by operator id.
    var createdBy: String
    var createdAt: Instant
    var previewedAt: Instant?
    var acceptedBy: String?
    var acceptedAt: Instant?
    var overrideReason: String?
    var fundedBy: String?
    var fundedAt: Instant?
    var supersededBy: String?
    var supersededAt: Instant?
    var progress: Progress
}

enum RunKind: Identified { static let prefix = "run_" }
enum RunOverrideKind: Identified { static let prefix = "ovr_" }
typealias RunID = Identifier<RunKind>
typealias RunOverrideID = Identifier<RunOverrideKind>

struct NewRun: Sendable {
    var planID: PlanID
    /// Any day of the period.
    var periodStart: LocalDay
}

extension Run {
    /// Makes a draft for the period that holds the day.
    static func create(_ input: NewRun, in write: Write) throws -> Run {
        guard let newest = try PlanStore.newest(input.planID, in: write.workspace.id, on: write.connection),
            let program = try ProgramStore.find(newest.programID, in: write.workspace.id, at: write.now, on: write.connection)
        else { throw Refusal.unknown("plan", field: "planId") }
        let calendar = try newest.plan(for: program).calendar
        let period = try calendar.period(containing: input.periodStart)
        guard period.start == input.periodStart else {
            throw Refusal.field("periodStart", "No period starts on this day; the one that holds it starts on \(period.start.iso8601).")
        }
        let zone = Zone(calendar.zone.name) ?? program.zone
        let startsAt = zone.start(of: period.start)
        guard let plan = try PlanStore.inForce(input.planID, at: startsAt, in: write.workspace.id, on: write.connection) else {
            throw Problem.unprocessable(code: "no_plan_in_force", detail: "No version of the plan was in force on \(period.start.iso8601).")
        }
        if let other = try RunStore.live(of: input.planID, startingOn: period.start, on: write.connection) {
            throw Problem.conflict(code: "run_exists", detail: "\(other.id.text) is the run of this plan and period already.")
        }
        let run = Run(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, planID: plan.id, planVersion: plan.version,
            periodStart: period.start, periodEnd: period.end, startsAt: startsAt, endsAt: zone.start(of: period.end), state: .draft,
            unit: try UnitCode(program.currency), totalMinor: 0, summary: .empty, audit: .empty, disclosure: .empty,
            createdBy: write.actor.person, createdAt: write.now, progress: Progress(done: 0, total: 0, chunks: 0))
        try RunStore.insert(run, on: write.connection)
        try write.audit(
            "run.create", subject: run.id.text, JSONText(["planId": .text(plan.id.text), "periodStart": .text(period.start.iso8601)]))
        return run
    }

    /// The run before, whose carry this one takes: the accepted one of the period before. Nil for the first run of a plan.
    func previous(on connection: any Connection) throws -> Run? {
        guard let last = try RunStore.last(of: planID, before: periodStart, on: connection) else { return nil }
        guard last.state == .accepted || last.state == .funded else {
            throw Problem.conflict(
                code: "earlier_run_open",
                detail: "\(last.id.text), the run of the period that starts on \(last.periodStart.iso8601), must be accepted first.")
        }
        guard last.periodEnd == periodStart else {
            throw Problem.conflict(
                code: "period_missing", detail: "The period that starts on \(last.periodEnd.iso8601) has no run yet: make and accept it first.")
        }
        return last
    }

    func require(_ states: State...) throws {
        guard states.contains(state) else {
            throw Problem.conflict(
                code: "wrong_state",
                detail: "The run is \(state.rawValue); this needs one that is \(states.map(\.rawValue).joined(separator: " or ")).")
        }
        if let work = progress.work {
            throw Problem.conflict(code: "run_busy", detail: "The run's \(work.rawValue) is under way. Wait until it has ended.")
        }
    }

    static func find(_ id: RunID, in write: Write) throws -> Run {
        guard let run = try RunStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("run") }
        return run
    }
}
