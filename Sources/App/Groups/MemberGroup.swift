import Chronology
import Persistence
import Web

enum GroupKind: Identified { static let prefix = "grp_" }
enum GroupMoveKind: Identified { static let prefix = "gmv_" }
typealias GroupID = Identifier<GroupKind>
typealias GroupMoveID = Identifier<GroupMoveKind>

/// Members of a program who share an offer: rules name the group in their conditions. A member is in one group of a program, or in none.
struct MemberGroup: Sendable, Hashable {
    static let keyLengthMax = 40
    static let nameLengthMax = 100
    static let descriptionLengthMax = 1_000
    /// Of one program.
    static let countMax = 100

    var id: GroupID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    /// The word that rules, plans and files name it by.
    var key: String
    var name: String
    var description: String
    var createdAt: Instant
    var rung: Rung?

    /// What brings members in by itself. The rungs of a program are a ladder: of those that hold, the highest counts.
    struct Rung: Sendable, Hashable {
        enum Metric: String, Sendable, CaseIterable { case sales, amount, newCustomers }

        static let daysMax: Int64 = 3_650

        var position: Int64
        var metric: Metric
        /// Sales, customers, or minor units of the program's currency.
        var atLeast: Int64
        /// Nil: since they joined.
        var days: Int64?
        /// Whoever came in by the rung and stands on it no longer leaves again.
        var fallsBack: Bool
    }

    /// The word with which a rule asks for this group.
    var condition: JSONValue { ["field": "memberGroup", "op": "eq", "value": .text(key)] }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "key": .text(key), "name": .text(name), "description": .text(description),
            "rung": rung.map(\.json) ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }
}

extension MemberGroup.Rung {
    var json: JSONValue {
        [
            "position": .integer(position), "metric": .text(metric.rawValue), "atLeast": .integer(atLeast), "days": days.map { .integer($0) } ?? .null,
            "fallsBack": .boolean(fallsBack),
        ]
    }
}

/// Somebody came into a group, changed it, or left it.
struct GroupMove: Sendable, Hashable {
    enum Cause: String, Sendable, CaseIterable { case joined, byHand, reached, fellBack }

    static let reasonLengthMax = 500

    var id: GroupMoveID
    var programID: ProgramID
    var memberID: MemberID
    var fromKey: String?
    var toKey: String?
    var cause: Cause
    var reason: String
    var evidence: Evidence?
    var author: String
    var at: Instant

    /// What was measured when a rung moved somebody.
    struct Evidence: Sendable, Hashable {
        var metric: MemberGroup.Rung.Metric
        var value: Int64
        var atLeast: Int64
        var days: Int64?
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "memberId": .text(memberID.text), "from": fromKey.map { .text($0) } ?? .null,
            "to": toKey.map { .text($0) } ?? .null, "cause": .text(cause.rawValue), "reason": .text(reason), "evidence": evidence.map(\.json) ?? .null,
            "author": .text(author), "at": .text(at.rfc3339),
        ]
    }
}

extension GroupMove.Evidence {
    var json: JSONValue {
        ["metric": .text(metric.rawValue), "value": .integer(value), "atLeast": .integer(atLeast), "days": days.map { .integer($0) } ?? .null]
    }

    init?(_ json: JSONValue) {
        guard let metric = json["metric"]?.string.flatMap({ MemberGroup.Rung.Metric(rawValue: $0) }), let value = json["value"]?.int64,
            let atLeast = json["atLeast"]?.int64
        else { return nil }
        self.init(metric: metric, value: value, atLeast: atLeast, days: json["days"]?.int64)
    }
}
