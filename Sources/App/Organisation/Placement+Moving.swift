import Chronology
import Persistence
import Web

/// A member's place in a tree from an instant on, until the next.
struct Placement: Sendable, Hashable {
    var programID: ProgramID
    var tree: String
    var memberID: MemberID
    var parentID: MemberID?
    var slot: Int64?
    var from: Instant
    var until: Instant?

    var json: JSONValue {
        [
            "programId": .text(programID.text), "tree": .text(tree), "memberId": .text(memberID.text),
            "parentId": parentID.map { .text($0.text) } ?? .null, "slot": slot.map { .integer($0) } ?? .null, "effectiveAt": .text(from.rfc3339),
            "effectiveUntil": until.map { .text($0.rfc3339) } ?? .null,
        ]
    }
}

struct NewPlacement: Sendable {
    var member: MemberReference
    var programID: ProgramID?
    var tree: String
    var parent: MemberReference
    var slot: Int64?
    var effectiveAt: Instant
}

extension Placement {
    static let treeNameMax = 40
    /// Placements looked at while a circle is searched for.
    static let stepsMax = 100_000

    /// Gives a member a place from an instant on. Who introduced whom never changes by it.
    static func move(_ input: NewPlacement, in write: Write) throws -> Placement {
        guard input.tree != "enroller" else {
            throw Refusal.field("tree", "Who introduced a member never changes; name a placement tree.", code: "enroller_moves")
        }
        let member = try Member.find(input.member, field: "memberId", in: write)
        let parent = try Member.find(input.parent, field: "parentId", in: write)
        let program = try program(input, of: member, in: write)
        guard parent.id != member.id else {
            throw Refusal.field("parentId", "A member cannot stand below themselves.", code: "placement_cycle")
        }
        guard try MemberStore.isEnrolled(parent.id, in: program, on: write.connection) else {
            throw Refusal.field("parentId", "This member is not enrolled in the program.")
        }
        if let policy = try TreePolicyStore.find(program, input.tree, on: write.connection), let slot = input.slot, slot > Int64(policy.width) {
            throw Refusal.field("slot", "Must be from 1 to \(policy.width), the width of this tree.")
        }
        let all = try PlacementStore.all(of: member.id, in: program, input.tree, on: write.connection)
        guard !all.contains(where: { $0.from == input.effectiveAt }) else {
            throw Problem.conflict(code: "already_moved", detail: "The member has a move at this very instant already.")
        }
        let placement = Placement(
            programID: program, tree: input.tree, memberID: member.id, parentID: parent.id, slot: input.slot, from: input.effectiveAt,
            until: all.first { $0.from > input.effectiveAt }?.from)
        guard try !closesCircle(placement, on: write.connection) else {
            throw Refusal.field("parentId", "The member stands above that place at some time: it would close a circle.", code: "placement_cycle")
        }
        if let slot = input.slot, let holder = try PlacementStore.holder(of: placement, slot: slot, on: write.connection) {
            throw Refusal.field("slot", "\(holder.text) stands there at some time from then on.", code: "slot_taken")
        }
        try PlacementStore.insert(placement, recordedAt: write.now, on: write.connection)
        try HoldingTankStore.remove(member.id, program, input.tree, on: write.connection)
        try write.audit(
            "member.place", subject: member.id.text,
            JSONText([
                "tree": .text(input.tree), "parentId": .text(parent.id.text), "slot": input.slot.map { .integer($0) } ?? .null,
                "effectiveAt": .text(input.effectiveAt.rfc3339),
            ]))
        return placement
    }

    private static func program(_ input: NewPlacement, of member: Member, in write: Write) throws -> ProgramID {
        let programs = try MemberStore.programs(of: member.id, on: write.connection)
        if let id = input.programID {
            guard programs.contains(id) else { throw Refusal.field("programId", "The member is not enrolled in this program.") }
            return id
        }
        guard let only = programs.first, programs.count == 1 else {
            throw Refusal.field("programId", "Is required: the member is enrolled in \(programs.count) programs.")
        }
        return only
    }

    /// Whether the member is somewhere above the new parent at any time of the placement. Without a place somebody stands below
    /// the enroller.
    private static func closesCircle(_ placement: Placement, on connection: any Connection) throws -> Bool {
        guard let parent = placement.parentID else { return false }
        var pending: [(member: MemberID, from: Instant, until: Instant)] = [(parent, placement.from, placement.until ?? .latest)]
        var steps = 0
        while let (member, from, until) = pending.popLast() {
            if member == placement.memberID { return true }
            steps += 1
            guard steps <= stepsMax else {
                throw Problem.unprocessable(code: "tree_too_deep", detail: "There are too many moves above this place to look through.")
            }
            var open = from
            for step in try PlacementStore.all(of: member, in: placement.programID, placement.tree, on: connection) {
                let end = min(step.until ?? .latest, until)
                let start = max(step.from, from)
                guard start < end else { continue }
                if open < start, let enroller = try PlacementStore.enroller(of: member, on: connection) { pending.append((enroller, open, start)) }
                if let above = step.parentID { pending.append((above, start, end)) }
                open = end
            }
            if open < until, let enroller = try PlacementStore.enroller(of: member, on: connection) { pending.append((enroller, open, until)) }
        }
        return false
    }
}

enum PlacementStore {
    /// Places of a member in a tree, the earliest first.
    static func all(of member: MemberID, in program: ProgramID, _ tree: String, on connection: any Connection) throws -> [Placement] {
        try connection.rows(
            """
            SELECT program_id, tree, member_id, parent_id, slot, effective_from, effective_until FROM placement
            WHERE program_id = \(program) AND tree = \(tree) AND member_id = \(member) ORDER BY effective_from
            """
        ).map(read)
    }

    static func enroller(of member: MemberID, on connection: any Connection) throws -> MemberID? {
        try connection.row("SELECT enroller_id FROM member WHERE id = \(member)")?.get(at: 0)
    }

    /// Another member in the same place at any time of the placement.
    static func holder(of placement: Placement, slot: Int64, on connection: any Connection) throws -> MemberID? {
        guard let parent = placement.parentID else { return nil }
        return try connection.row(
            """
            SELECT member_id FROM placement
            WHERE program_id = \(placement.programID) AND tree = \(placement.tree) AND parent_id = \(parent) AND slot = \(slot)
              AND member_id <> \(placement.memberID) AND effective_from < \(placement.until ?? .latest)
              AND (effective_until IS NULL OR effective_until > \(placement.from)) ORDER BY effective_from LIMIT 1
            """
        )?.get(at: 0)
    }

    /// The interval that held is cut where the new one begins.
    static func insert(_ placement: Placement, recordedAt: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE placement SET effective_until = \(placement.from)
            WHERE program_id = \(placement.programID) AND tree = \(placement.tree) AND member_id = \(placement.memberID)
              AND effective_from < \(placement.from) AND (effective_until IS NULL OR effective_until > \(placement.from))
            """)
        try connection.execute(
            """
            INSERT INTO placement (program_id, tree, member_id, parent_id, slot, effective_from, effective_until, recorded_at)
            VALUES (\(placement.programID), \(placement.tree), \(placement.memberID), \(placement.parentID), \(placement.slot), \(placement.from),
                    \(placement.until), \(recordedAt))
            """)
    }

    /// Who stands right below members now, with the slots.
    static func children(
        of parents: [String], in program: ProgramID, _ tree: String, at now: Instant, on connection: any Connection
    ) throws -> [(member: MemberID, parent: MemberID, slot: Int64?)] {
        guard !parents.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT member_id, parent_id, slot FROM placement
            WHERE program_id = \(program) AND tree = \(tree) AND parent_id IN \(list: parents) AND effective_from <= \(now)
              AND (effective_until IS NULL OR effective_until > \(now)) ORDER BY parent_id, slot, member_id
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    private static func read(_ row: Row) throws -> Placement {
        Placement(
            programID: try row.get(at: 0), tree: try row.get(at: 1), memberID: try row.get(at: 2), parentID: try row.get(at: 3),
            slot: try row.get(at: 4), from: try row.get(at: 5), until: try row.get(at: 6))
    }
}
