import Chronology
import Money
import Persistence
import Web

/// Something beside sales that members earn points or credit for: the company says when somebody did it.
struct EarnAction: Sendable {
    static let keyLengthMax = 60
    static let nameLengthMax = 120
    static let descriptionLengthMax = 500
    static let referenceLengthMax = 200
    static let timesMax: Int64 = 1_000_000
    static let daysMax: Int64 = 3_650
    /// What one program offers at a time.
    static let countMax = 100

    var id: EarnActionID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var key: String
    var name: String
    var description: String
    var unit: UnitCode
    var amountMinor: Int64
    /// How often one member may earn it; nil without an end.
    var times: Int64?
    /// In how many days; nil ever.
    var days: Int64?
    var archivedAt: Instant?
    var createdAt: Instant

    static func add(_ action: EarnAction, in write: Write) throws -> EarnAction {
        guard try ProgramStore.find(action.programID, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard action.days == nil || action.times != nil else { throw Refusal.field("times", "Is required where days are counted.") }
        guard try EarnActionStore.find(key: action.key, in: action.programID, on: write.connection) == nil else {
            throw Refusal.field("key", "Is taken by another action of the program: archived ones keep their word.", code: "key_taken")
        }
        guard try EarnActionStore.offered(by: action.programID, on: write.connection).count < countMax else {
            throw Problem.conflict(code: "too_many_actions", detail: "A program offers \(countMax) actions at most: archive one first.")
        }
        try EarnActionStore.insert(action, on: write.connection)
        try write.audit(
            "earning.add", subject: action.id.text,
            JSONText(["key": .text(action.key), "amount": .integer(action.amountMinor), "unit": .text(action.unit.code)]))
        return action
    }

    /// Earned no longer. What was earned stays.
    static func archive(_ id: EarnActionID, in write: Write) throws -> EarnAction {
        guard var action = try EarnActionStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("action") }
        guard action.archivedAt == nil else { return action }
        action.archivedAt = write.now
        try EarnActionStore.archive(id, at: write.now, on: write.connection)
        try write.audit("earning.archive", subject: id.text)
        return action
    }

    /// A member did it. The same reference earns once, however often it is told.
    static func earn(_ key: String, in programID: ProgramID, by member: Member, reference: String, in write: Write) throws -> (EarnedAction, isRepeated: Bool) {
        guard let action = try EarnActionStore.find(key: key, in: programID, on: write.connection), action.workspaceID == write.workspace.id else {
            throw Refusal.unknown("action", field: "action")
        }
        if let known = try EarnActionStore.earned(reference: reference, action: action.id, on: write.connection) {
            guard known.memberID == member.id else {
                throw Refusal.field("reference", "Was used for another member. Give each time its own.", code: "reference_taken")
            }
            return (known, true)
        }
        guard action.archivedAt == nil else {
            throw Problem.conflict(code: "action_archived", detail: "\(action.name) is earned no longer.")
        }
        guard member.status == .active else {
            throw Refusal.field("memberId", "Is not active: only active members earn.", code: "member_not_active")
        }
        if let times = action.times {
            let since = action.days.map { Instant(millisecondsSince1970: write.now.millisecondsSince1970 - $0 * 86_400_000) }
            let done = try EarnActionStore.count(action.id, by: member.id, since: since, on: write.connection)
            guard done < times else {
                let often = times == 1 ? "once" : "\(times) times"
                throw Problem.conflict(
                    code: "limit_reached",
                    detail: "\(action.name) is earned \(often)\(action.days.map { " in \($0) days" } ?? ""), and they did.")
            }
        }
        let movement = try Wallet.give(
            .bonus, to: member.id,
            Wallet.Order(unit: action.unit, amountMinor: action.amountMinor, reason: action.name, programID: programID, subject: action.id.text), in: write)
        let earned = EarnedAction(
            id: write.world.newID(), actionID: action.id, memberID: member.id, reference: reference, movementID: movement.id, earnedAt: write.now)
        try EarnActionStore.insert(earned, in: write.workspace.id, on: write.connection)
        try write.audit("earning.earn", subject: earned.id.text, JSONText(["memberId": .text(member.id.text), "action": .text(action.key)]))
        return (earned, false)
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "key": .text(key), "name": .text(name), "description": .text(description),
            "unit": .text(unit.code), "amount": .integer(amountMinor), "times": times.map { .integer($0) } ?? .null, "days": days.map { .integer($0) } ?? .null,
            "archivedAt": archivedAt.map { .text($0.rfc3339) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("key", .text), .required("name", .text), .required("description", .text),
        .required("unit", .text), .required("amount", .integer()),
        .required("times", .described(.nullable(.integer()), description: "How often one member may earn it; null without an end.")),
        .required("days", .described(.nullable(.integer()), description: "In how many days; null ever.")), .required("archivedAt", .nullable(.dateTime)),
        .required("createdAt", .dateTime),
    ])
}

/// One time that a member did it.
struct EarnedAction: Sendable {
    var id: EarnedActionID
    var actionID: EarnActionID
    var memberID: MemberID
    var reference: String
    var movementID: WalletMovementID
    var earnedAt: Instant

    var json: JSONValue {
        [
            "id": .text(id.text), "actionId": .text(actionID.text), "memberId": .text(memberID.text), "reference": .text(reference),
            "movementId": .text(movementID.text), "earnedAt": .text(earnedAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("actionId", .text), .required("memberId", .text), .required("reference", .text), .required("movementId", .text),
        .required("earnedAt", .dateTime),
    ])
}

enum EarnActionKind: Identified { static let prefix = "era_" }
typealias EarnActionID = Identifier<EarnActionKind>
enum EarnedActionKind: Identified { static let prefix = "erd_" }
typealias EarnedActionID = Identifier<EarnedActionKind>
