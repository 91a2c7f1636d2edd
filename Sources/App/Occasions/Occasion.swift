import Chronology
import Persistence
import Web

/// A dated event to which a company invites members of a program: an evening for its best, a live training.
struct Occasion: Sendable {
    static let titleLengthMax = 100
    static let descriptionLengthMax = 2_000
    static let placeLengthMax = 300
    static let placesMax: Int64 = 100_000
    static let daysAheadMax: Int64 = 730
    static let durationMsMax: Int64 = 14 * 86_400_000
    /// What one program has ahead at a time.
    static let openMax: Int64 = 200

    enum State: String, Sendable, CaseIterable { case planned, running, over, canceled }

    /// Whom it is for: whoever is in one of the groups, has one of the tiers, and is at one of the stages. An empty list asks for none.
    struct Invited: Sendable, Hashable {
        static let listMax = 20

        var groups: [String] = []
        var tiers: [TierID] = []
        var stages: [Member.Stage] = []
    }

    var id: OccasionID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var title: String
    var description: String
    var place: String?
    var zone: Zone
    var startsAt: Instant
    var endsAt: Instant
    /// Nil: as many as come.
    var places: Int64?
    var invited: Invited
    var earnActionID: EarnActionID?
    var canceledAt: Instant?
    var createdAt: Instant

    func state(at now: Instant) -> State {
        if canceledAt != nil { return .canceled }
        if now >= endsAt { return .over }
        return now >= startsAt ? .running : .planned
    }

    /// What is wanted of a new one.
    struct Draft: Sendable {
        var programID: ProgramID
        var title: String
        var description: String
        var place: String?
        var zone: Zone?
        var startsAt: Instant
        var endsAt: Instant
        var places: Int64?
        var invited: Invited
        var earnAction: String?
    }

    /// What may change until it begins. Nobody loses a place by it.
    struct Change: Sendable {
        var description: String?
        var place: String?
        var places: Int64?
    }

    static func make(_ draft: Draft, in write: Write) throws -> Occasion {
        guard let program = try ProgramStore.find(draft.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        let zone = draft.zone ?? program.zone
        guard draft.startsAt > write.now else { throw Refusal.field("startsAt", "Must be ahead of us.", code: "occasion_in_past") }
        guard zone.day(of: draft.startsAt) <= (try zone.day(of: write.now).adding(days: daysAheadMax)) else {
            throw Refusal.field("startsAt", "Must be within \(daysAheadMax) days.")
        }
        guard draft.endsAt > draft.startsAt, draft.endsAt.millisecondsClamped(since: draft.startsAt) <= durationMsMax else {
            throw Refusal.field("endsAt", "Must be after the beginning, by 14 days at most.")
        }
        let groups = Set(try GroupStore.list(in: program.id, on: write.connection).map(\.key))
        guard draft.invited.groups.allSatisfy(groups.contains) else { throw Refusal.field("invited.groups", "Names a group that the program does not have.") }
        let tiers = Set(try StandingStore.tiers(of: program.id, on: write.connection).map(\.id))
        guard draft.invited.tiers.allSatisfy(tiers.contains) else { throw Refusal.field("invited.tiers", "Names a tier that the program does not have.") }
        let action = try draft.earnAction.map { key in
            guard let action = try EarnActionStore.find(key: key, in: program.id, on: write.connection), action.archivedAt == nil else {
                throw Refusal.unknown("action", field: "earnAction")
            }
            return action
        }
        guard try OccasionStore.open(in: program.id, at: write.now, on: write.connection) < openMax else {
            throw Problem.conflict(code: "too_many_occasions", detail: "A program has \(openMax) events ahead at most: cancel one first.")
        }
        let occasion = Occasion(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, title: draft.title, description: draft.description,
            place: draft.place, zone: zone, startsAt: draft.startsAt, endsAt: draft.endsAt, places: draft.places, invited: draft.invited,
            earnActionID: action?.id, createdAt: write.now)
        try OccasionStore.insert(occasion, on: write.connection)
        try write.audit("occasion.make", subject: occasion.id.text, JSONText(["title": .text(occasion.title), "startsAt": .text(occasion.startsAt.rfc3339)]))
        try write.emit(.occasionCreated, subject: occasion.id.text, JSONText(try occasion.json(in: write)))
        return occasion
    }

    static func known(_ id: OccasionID, in write: Write) throws -> Occasion {
        guard let occasion = try OccasionStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("occasion") }
        return occasion
    }

    /// Says more of it, or finds more places: whoever waits longest comes.
    static func change(_ id: OccasionID, _ change: Change, in write: Write) throws -> Occasion {
        var occasion = try known(id, in: write)
        guard occasion.state(at: write.now) == .planned else { throw Self.over }
        if let places = change.places {
            guard let before = occasion.places, places >= before else {
                throw Refusal.field("places", "Must be at least what it was: nobody loses a place. Without a limit there is none to raise.", code: "places_fewer")
            }
            occasion.places = places
        }
        occasion.description = change.description ?? occasion.description
        occasion.place = change.place ?? occasion.place
        try OccasionStore.update(occasion, on: write.connection)
        try occasion.moveUp(in: write)
        try write.audit("occasion.change", subject: id.text)
        return occasion
    }

    /// It does not take place; whoever said that they come is told.
    static func cancel(_ id: OccasionID, in write: Write) throws -> Occasion {
        var occasion = try known(id, in: write)
        guard occasion.canceledAt == nil else { return occasion }
        let before = occasion.state(at: write.now)
        guard before == .planned else { throw Self.over }
        occasion.canceledAt = write.now
        try OccasionStore.cancel(id, at: write.now, on: write.connection)
        for member in try OccasionAnswerStore.members(of: id, [.yes, .waiting], limit: Int(placesMax), on: write.connection) {
            try occasion.write(.canceled, to: member, in: write)
        }
        try write.audit("occasion.cancel", subject: id.text)
        try write.emit(
            .occasionChanged, subject: id.text, JSONText(try occasion.json(in: write)),
            changes: JSONText.state(before.rawValue, State.canceled.rawValue))
        return occasion
    }

    static var over: Problem { Problem.conflict(code: "occasion_over", detail: "It has begun, is over or was canceled: nothing of it changes any more.") }

    func json(in write: Write) throws -> JSONValue {
        json(try OccasionAnswerStore.counts([id], on: write.connection)[id] ?? [:], at: write.now)
    }

    func json(_ counts: [OccasionAnswer.Kind: Int64], at now: Instant) -> JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "title": .text(title), "description": .text(description),
            "place": place.map { .text($0) } ?? .null, "timezone": .text(zone.name), "startsAt": .text(startsAt.rfc3339), "endsAt": .text(endsAt.rfc3339),
            "places": places.map { .integer($0) } ?? .null, "invited": invited.json, "earnActionId": earnActionID.map { .text($0.text) } ?? .null,
            "state": .text(state(at: now).rawValue), "coming": .integer(counts[.yes] ?? 0), "waiting": .integer(counts[.waiting] ?? 0),
            "declined": .integer(counts[.no] ?? 0), "canceledAt": canceledAt.map { .text($0.rfc3339) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("title", .text), .required("description", .text), .required("place", .nullable(.text)),
        .required("timezone", .text), .required("startsAt", .dateTime), .required("endsAt", .dateTime),
        .required("places", .described(.nullable(.integer()), description: "Null: as many as come.")), .required("invited", Invited.schema),
        .required("earnActionId", .described(.nullable(.text), description: "What whoever came earns.")),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("coming", .integer()), .required("waiting", .integer()),
        .required("declined", .integer()), .required("canceledAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ])
}

extension Occasion.Invited {
    var json: JSONValue {
        [
            "groups": .array(groups.map { .text($0) }), "tiers": .array(tiers.map { .text($0.text) }), "stages": .array(stages.map { .text($0.rawValue) }),
        ]
    }

    init(_ value: JSONValue) {
        groups = value["groups"]?.elements.compactMap(\.string) ?? []
        tiers = value["tiers"]?.elements.compactMap { $0.string.flatMap { TierID($0) } } ?? []
        stages = value["stages"]?.elements.compactMap { $0.string.flatMap { Member.Stage(rawValue: $0) } } ?? []
    }

    static let schema = APISchema.object([
        .optional("groups", .described(.array(.text, maximumCount: listMax), description: "Keys of groups of the program.")),
        .optional("tiers", .described(.array(.text, maximumCount: listMax), description: "Ids of tiers of the program.")),
        .optional("stages", .array(.enumeration(Member.Stage.allCases.map(\.rawValue)), maximumCount: listMax)),
    ])
}

enum OccasionKind: Identified { static let prefix = "occ_" }
typealias OccasionID = Identifier<OccasionKind>
