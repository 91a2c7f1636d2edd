import Chronology
import Compensation
import Persistence
import Web

/// A compensation plan of a program, in one of its versions.
struct ProgramPlan: Sendable {
    var id: PlanID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var createdAt: Instant
    var version: Int
    var effectiveFrom: Instant
    var recordedAt: Instant
    var author: String
    /// As it was sent.
    var document: String
    /// The same as canonical JSON: what is computed from, and what a run's hash covers.
    var canonical: String
}

enum PlanKind: Identified { static let prefix = "plan_" }
typealias PlanID = Identifier<PlanKind>

struct NewPlan: Sendable {
    var programID: ProgramID
    var name: String
    var document: String
    var effectiveFrom: Instant?
}

extension ProgramPlan {
    /// The longest plan text.
    static let documentBytesMax = 200_000
    /// Of a call that brings one: every line break of it may stand as two characters.
    static let bodyBytesMax = 2 * documentBytesMax + 4_096

    /// The first version holds from the beginning, so that past periods can be computed.
    static func create(_ input: NewPlan, in write: Write) throws -> ProgramPlan {
        guard let program = try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        let canonical = try PlanReading.canonical(input.document, for: program)
        let plan = ProgramPlan(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, name: input.name, createdAt: write.now,
            version: 1, effectiveFrom: input.effectiveFrom ?? .earliest, recordedAt: write.now, author: write.actor.text,
            document: input.document, canonical: canonical)
        try PlanStore.insert(plan, on: write.connection)
        try PlanStore.insertVersion(plan, on: write.connection)
        try write.audit("plan.create", subject: plan.id.text, JSONText(["version": 1]))
        return plan
    }

    /// Writes the next version. Periods that start before `effectiveFrom` keep the version they had.
    static func change(_ id: PlanID, document: String, effectiveFrom: Instant?, in write: Write) throws -> ProgramPlan {
        guard var plan = try PlanStore.newest(id, in: write.workspace.id, on: write.connection),
            let program = try ProgramStore.find(plan.programID, in: write.workspace.id, at: write.now, on: write.connection)
        else { throw Refusal.unknown("plan") }
        let canonical = try PlanReading.canonical(document, for: program)
        plan.version += 1
        plan.effectiveFrom = effectiveFrom ?? write.now
        plan.recordedAt = write.now
        plan.author = write.actor.text
        plan.document = document
        plan.canonical = canonical
        try PlanStore.insertVersion(plan, on: write.connection)
        try write.audit(
            "plan.change", subject: id.text,
            JSONText(["version": .integer(Int64(plan.version)), "effectiveFrom": .text(plan.effectiveFrom.rfc3339)]))
        return plan
    }

    func plan(for program: Program) throws -> Compensation.Plan { try PlanReading.plan(canonical: canonical) }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "name": .text(name), "version": .integer(Int64(version)),
            "effectiveFrom": .text(effectiveFrom.rfc3339), "recordedAt": .text(recordedAt.rfc3339), "author": .text(author),
            "document": .text(document), "createdAt": .text(createdAt.rfc3339),
        ]
    }
}
