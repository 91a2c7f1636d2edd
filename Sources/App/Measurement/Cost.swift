import Chronology
import Money
import Persistence
import Web

/// What a company spent on a day to reach people: on which channel, and on which move when it says so.
struct Cost: Sendable {
    enum Channel: String, Sendable, CaseIterable { case paid, affiliate, referral, retail, partnerships, social, other }

    /// What is told of one.
    struct Draft: Sendable, Equatable {
        var programID: ProgramID
        var channel: Channel
        var stage: Member.Stage?
        var day: LocalDay
        var amountMinor: Int64
        var currency: Currency
        /// The company's own name for it: told twice, it counts once.
        var reference: String?
    }

    var id: CostID
    var workspaceID: WorkspaceID
    var draft: Draft
    var recordedAt: Instant
    var correctedAt: Instant?

    static let referenceLengthMax = 100
    /// How far ahead a cost may lie: what is booked for a season is told at once.
    static let daysAheadMax: Int64 = 366
    static let firstYear: Int64 = 2000

    static let dayAllowed = "Must be a day such as 2026-11-23, from the year \(firstYear) on and at most \(daysAheadMax) days ahead."

    static func day(_ text: String, today: LocalDay) -> LocalDay? {
        guard let day = try? LocalDay(iso8601: text), day.year >= Int(firstYear), day <= today.plus(days: daysAheadMax) else { return nil }
        return day
    }

    /// Notes a cost. One whose reference is known already with the same facts is that one.
    static func record(_ draft: Draft, in write: Write) throws -> (cost: Cost, isRepeated: Bool) {
        guard try ProgramStore.exists(draft.programID, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("program", field: "programId") }
        guard draft.day.year >= Int(firstYear), draft.day <= write.workspace.zone.day(of: write.now).plus(days: daysAheadMax) else {
            throw Refusal.field("date", dayAllowed)
        }
        if let reference = draft.reference, let known = try CostStore.find(reference: reference, in: write.workspace.id, on: write.connection) {
            var told = draft
            if known.correctedAt != nil { told.amountMinor = known.draft.amountMinor }
            guard told == known.draft else {
                throw Problem.conflict(
                    code: "cost_conflict", detail: "The reference \(reference) is known as \(known.id) with other facts. Correct that one, or send another reference.")
            }
            return (known, true)
        }
        let cost = Cost(id: write.world.newID(), workspaceID: write.workspace.id, draft: draft, recordedAt: write.now)
        try CostStore.insert(cost, on: write.connection)
        return (cost, false)
    }

    /// Puts another amount in place of the one that was told; 0 takes the cost back.
    static func correct(_ id: CostID, to amountMinor: Int64, in write: Write) throws -> Cost {
        guard var cost = try CostStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("cost") }
        guard cost.draft.amountMinor != amountMinor else { return cost }
        try write.audit(
            "cost.correct", subject: id.text, JSONText(["before": .integer(cost.draft.amountMinor), "after": .integer(amountMinor)]))
        cost.draft.amountMinor = amountMinor
        cost.correctedAt = write.now
        try CostStore.correct(cost, on: write.connection)
        return cost
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(draft.programID.text), "channel": .text(draft.channel.rawValue),
            "stage": draft.stage.map { .text($0.rawValue) } ?? .null, "date": .text(draft.day.iso8601), "amount": .integer(draft.amountMinor),
            "currency": .text(draft.currency.code), "reference": draft.reference.map { .text($0) } ?? .null, "recordedAt": .text(recordedAt.rfc3339),
            "correctedAt": correctedAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("channel", .enumeration(Channel.allCases.map(\.rawValue))),
        .required("stage", .nullable(.enumeration(Member.Stage.allCases.map(\.rawValue)))), .required("date", .text),
        .required("amount", Schemas.amount), .required("currency", Schemas.currency), .required("reference", .nullable(.text)),
        .required("recordedAt", .dateTime), .required("correctedAt", .nullable(.dateTime)),
    ])
}

enum CostStore {
    private static let columns = "id, workspace_id, program_id, channel, stage, day, amount, currency, reference, recorded_at, corrected_at"

    static func insert(_ cost: Cost, on connection: any Connection) throws {
        let told = cost.draft
        try connection.execute(
            """
            INSERT INTO cost (\(raw: columns))
            VALUES (\(cost.id), \(cost.workspaceID), \(told.programID), \(told.channel.rawValue), \(told.stage?.rawValue), \(told.day.iso8601),
                    \(told.amountMinor), \(told.currency.code), \(told.reference), \(cost.recordedAt), \(cost.correctedAt))
            """)
    }

    static func correct(_ cost: Cost, on connection: any Connection) throws {
        try connection.execute("UPDATE cost SET amount = \(cost.draft.amountMinor), corrected_at = \(cost.correctedAt) WHERE id = \(cost.id)")
    }

    static func find(_ id: CostID, in workspace: WorkspaceID, on connection: any Connection) throws -> Cost? {
        try connection.row("SELECT \(raw: columns) FROM cost WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(reference: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Cost? {
        try connection.row("SELECT \(raw: columns) FROM cost WHERE workspace_id = \(workspace) AND reference = \(reference)").map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Cost] {
        try connection.rows(
            "SELECT \(raw: columns) FROM cost WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(Int64(limit))"
        ).map(read)
    }

    /// By their day, the latest first.
    static func latest(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Cost] {
        try connection.rows(
            "SELECT \(raw: columns) FROM cost WHERE workspace_id = \(workspace) ORDER BY day DESC, id DESC LIMIT \(Int64(limit))"
        ).map(read)
    }

    private static func read(_ row: Row) throws -> Cost {
        let (code, dayText): (String, String) = (try row.get(at: 7), try row.get(at: 5))
        guard let currency = Currency(code: code), let channel = Cost.Channel(rawValue: try row.get(at: 3)) else {
            throw DatabaseFailure(.corrupt, "a cost has the unknown currency \(code), or channel")
        }
        let stage: String? = try row.get(at: 4)
        return Cost(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1),
            draft: Cost.Draft(
                programID: try row.get(at: 2), channel: channel, stage: stage.flatMap { Member.Stage(rawValue: $0) }, day: try LocalDay(iso8601: dayText),
                amountMinor: try row.get(at: 6), currency: currency, reference: try row.get(at: 8)),
            recordedAt: try row.get(at: 9), correctedAt: try row.get(at: 10))
    }
}
