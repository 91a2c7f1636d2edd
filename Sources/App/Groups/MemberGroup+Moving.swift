import Chronology
import Persistence
import Web

extension MemberGroup {
    /// Members that one look moves in one transaction; the rest follows in the next.
    static let movesMax = 200
    static let lookEveryMs: Int64 = 86_400_000

    /// Puts somebody into a group (nil: into none), for a reason that they are told. The ladder leaves alone whom a person has placed.
    static func place(_ member: Member, in group: MemberGroup?, of program: ProgramID, reason: String, _ write: Write) throws -> GroupMove {
        guard try MemberStore.isEnrolled(member.id, in: program, on: write.connection) else {
            throw Refusal.field("memberId", "Takes no part in this group's program.", code: "not_enrolled")
        }
        let before = try MemberStore.group(of: member.id, in: program, on: write.connection)
        guard before != group?.key else {
            throw Problem.conflict(code: "in_group_already", detail: group.map { "The member is in \($0.name) already." } ?? "The member is in no group.")
        }
        let move = try note(member, from: before, to: group?.key, of: program, .byHand, reason: reason, evidence: nil, in: write)
        try write.audit("group.place", subject: member.id.text, JSONText(["to": group.map { .text($0.key) } ?? .null, "reason": .text(reason)]))
        return move
    }

    /// Somebody takes part from the start as one of the group.
    static func noteJoining(_ member: Member, group: String, program: ProgramID, at: Instant, in write: Write) throws {
        let move = GroupMove(
            id: write.world.newID(), programID: program, memberID: member.id, toKey: group, cause: .joined, reason: "", author: write.actor.text, at: at)
        try GroupStore.insert(move, workspace: write.workspace.id, on: write.connection)
    }

    /// Moves whom the program's ladder says. Answers whether there is more to do.
    static func look(at program: Program, in write: Write) throws -> Bool {
        let ladder = Ladder(try GroupStore.list(in: program.id, on: write.connection))
        guard !ladder.rungs.isEmpty else {
            try GroupStore.stopLooking(at: program.id, on: write.connection)
            return false
        }
        var due: [(member: MemberID, standing: Ladder.Standing, to: Int?, evidence: GroupMove.Evidence)] = []
        let reached = try ladder.reached(program, at: write.now, on: write.connection)
        for (member, standing) in try GroupStore.standings(in: program.id, on: write.connection) {
            guard due.count < movesMax, let move = ladder.move(standing, reached: reached[member]) else { continue }
            due.append((member, standing, move.to, move.evidence))
        }
        let members = try MemberStore.find(due.map(\.member), on: write.connection)
        for move in due {
            guard let member = members[move.member], member.status != .erased else { continue }
            let isUp = (move.to ?? -1) > (ladder.position(of: move.standing.key) ?? -1)
            _ = try note(
                member, from: move.standing.key, to: move.to.map { ladder.rungs[$0].key }, of: program.id, isUp ? .reached : .fellBack, reason: "",
                evidence: move.evidence, in: write)
        }
        if due.count < movesMax {
            try GroupStore.lookAt(program.id, in: write.workspace.id, at: try write.now.adding(milliseconds: lookEveryMs), on: write.connection)
        }
        return due.count == movesMax
    }

    private static func note(
        _ member: Member, from: String?, to: String?, of program: ProgramID, _ cause: GroupMove.Cause, reason: String, evidence: GroupMove.Evidence?,
        in write: Write
    ) throws -> GroupMove {
        let move = GroupMove(
            id: write.world.newID(), programID: program, memberID: member.id, fromKey: from, toKey: to, cause: cause, reason: reason, evidence: evidence,
            author: write.actor.text, at: write.now)
        try GroupStore.insert(move, workspace: write.workspace.id, on: write.connection)
        try GroupStore.set(to, of: member.id, in: program, on: write.connection)
        try write.emit(
            .memberGroupChanged, subject: member.id.text, JSONText(move.json),
            changes: JSONText(["group": ["before": from.map { .text($0) } ?? .null, "after": to.map { .text($0) } ?? .null]]))
        try tell(member, move, in: write)
        return move
    }

    private static func tell(_ member: Member, _ move: GroupMove, in write: Write) throws {
        guard member.status == .active, let program = try ProgramStore.find(move.programID, in: write.workspace.id, at: write.now, on: write.connection)
        else { return }
        let group = try move.toKey.flatMap { try GroupStore.find(key: $0, in: move.programID, on: write.connection) }
        try Mail.queue(
            .groupChanged(program: program.name, group: group?.name, description: group?.description ?? "", reason: move.reason),
            to: .person(member.personID), locale: member.locale, in: write)
    }
}

/// The rungs of a program, the lowest first.
struct Ladder: Sendable {
    /// Where somebody stands, and what brought them there last.
    struct Standing: Sendable, Hashable {
        var key: String?
        var cause: GroupMove.Cause?
    }

    /// The highest rung that holds, and what each rung measured for the member.
    struct Reached: Sendable {
        var highest: Int
        var evidence: GroupMove.Evidence
    }

    var rungs: [MemberGroup]

    init(_ groups: [MemberGroup]) {
        rungs = groups.filter { $0.rung != nil }.sorted { ($0.rung?.position ?? 0) < ($1.rung?.position ?? 0) }
    }

    func position(of key: String?) -> Int? { rungs.firstIndex { $0.key == key } }

    /// The highest rung that holds, for each member on whom one does.
    func reached(_ program: Program, at now: Instant, on connection: any Connection) throws -> [MemberID: Reached] {
        var reached: [MemberID: Reached] = [:]
        for (index, group) in rungs.enumerated() {
            guard let rung = group.rung else { continue }
            for (member, value) in try GroupStore.performance(rung, of: program, at: now, on: connection) {
                reached[member] = Reached(
                    highest: index, evidence: GroupMove.Evidence(metric: rung.metric, value: value, atLeast: rung.atLeast, days: rung.days))
            }
        }
        return reached
    }

    /// Where somebody goes; nil when they stay. Nobody whom a person placed is moved; down go only those whom a rung brought up, and where it lets them fall.
    func move(_ standing: Standing, reached: Reached?) -> (to: Int?, evidence: GroupMove.Evidence)? {
        guard standing.cause != .byHand else { return nil }
        let stands = position(of: standing.key)
        if let reached, reached.highest > stands ?? -1 { return (reached.highest, reached.evidence) }
        guard let stands, standing.cause == .reached || standing.cause == .fellBack, let rung = rungs[stands].rung, rung.fallsBack,
            reached?.highest != stands
        else { return nil }
        let missed = GroupMove.Evidence(metric: rung.metric, value: reached?.evidence.value ?? 0, atLeast: rung.atLeast, days: rung.days)
        return (reached?.highest, missed)
    }
}
