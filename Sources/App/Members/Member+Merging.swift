import Chronology
import Persistence
import Web

enum MemberMergeKind: Identified { static let prefix = "mrg_" }
typealias MemberMergeID = Identifier<MemberMergeKind>

/// Two members who turned out to be one person. Links, customers and memberships go to the one who is kept, so that what comes is theirs; what
/// was earned before stays on the balance it was earned on and is paid to it. A tracker of the duplicate's is told of both. No amount moves, so the books need no correction, and for a week
/// all of it can be taken back.
struct MemberMerge: Sendable {
    static let undoMs: Int64 = 7 * 86_400_000
    static let linksMax = 10_000
    static let customersMax = 50_000

    struct Moved: Sendable {
        var links: [LinkID] = []
        /// Coupon codes that were the duplicate's to give.
        var codes: [CouponCodeID] = []
        var customers: [(program: ProgramID, customer: CustomerID)] = []
        /// Programs that the kept member was enrolled in for this.
        var programs: [ProgramID] = []
        var status = Member.Status.active
        /// Whether the kept member gets the duplicate's tracker.
        var carriesTracker = false
        /// The kept member's tracker, where the merge gave them the duplicate's.
        var tracker: WebhookID?

        var json: JSONValue {
            [
                "links": .array(links.map { .text($0.text) }), "codes": .array(codes.map { .text($0.text) }), "programs": .array(programs.map { .text($0.text) }), "status": .text(status.rawValue),
                "customers": .array(customers.map { ["programId": .text($0.program.text), "customerId": .text($0.customer.text)] }),
                "tracker": tracker.map { .text($0.text) } ?? .null,
            ]
        }

        init() {}

        init(_ json: JSONValue) {
            links = (json["links"]?.elements ?? []).compactMap { $0.string.flatMap { LinkID($0) } }
            codes = (json["codes"]?.elements ?? []).compactMap { $0.string.flatMap { CouponCodeID($0) } }
            programs = (json["programs"]?.elements ?? []).compactMap { $0.string.flatMap { ProgramID($0) } }
            tracker = json["tracker"]?.string.flatMap { WebhookID($0) }
            status = json["status"]?.string.flatMap { Member.Status(rawValue: $0) } ?? .active
            customers = (json["customers"]?.elements ?? []).compactMap { pair in
                guard let program = pair["programId"]?.string.flatMap({ ProgramID($0) }), let customer = pair["customerId"]?.string.flatMap({ CustomerID($0) })
                else { return nil }
                return (program, customer)
            }
        }
    }

    var id: MemberMergeID
    var keptID: MemberID
    var duplicateID: MemberID
    var moved: Moved
    var reason: String
    var mergedBy: String
    var mergedAt: Instant
    var undoneAt: Instant?

    func canBeUndone(at now: Instant) -> Bool { undoneAt == nil && now.millisecondsClamped(since: mergedAt) < Self.undoMs }

    var json: JSONValue {
        [
            "id": .text(id.text), "keptId": .text(keptID.text), "duplicateId": .text(duplicateID.text), "links": .integer(Int64(moved.links.count)),
            "customers": .integer(Int64(moved.customers.count)), "programs": .integer(Int64(moved.programs.count)), "reason": .text(reason),
            "trackerId": moved.tracker.map { .text($0.text) } ?? .null,
            "mergedAt": .text(mergedAt.rfc3339), "undoneAt": undoneAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }
}

extension MemberMerge {
    /// What a merge would move. Reads only.
    static func effect(of duplicate: MemberID, into kept: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> Moved {
        var moved = Moved()
        moved.links = try MemberMergeStore.links(of: duplicate, limit: linksMax, on: connection)
        moved.codes = try CouponCodeStore.ids(of: duplicate, limit: linksMax, on: connection)
        moved.customers = try MemberMergeStore.customers(of: duplicate, limit: customersMax, on: connection)
        let known = Set(try MemberStore.programs(of: kept, on: connection))
        moved.programs = try MemberStore.programs(of: duplicate, on: connection).filter { !known.contains($0) }
        moved.carriesTracker = try Postback.isCarried(from: duplicate, to: kept, in: workspace, on: connection)
        return moved
    }

    static func merge(_ duplicate: MemberID, into kept: MemberID, reason: String, in write: Write) throws -> MemberMerge {
        guard duplicate != kept else { throw Refusal.field("duplicateId", "Must be another member.") }
        guard let one = try MemberStore.find(kept, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("member") }
        guard let other = try MemberStore.find(duplicate, in: write.workspace.id, on: write.connection) else {
            throw Refusal.unknown("member", field: "duplicateId")
        }
        guard one.status != .erased, other.status != .erased else {
            throw Problem.conflict(code: "member_erased", detail: "Somebody who was erased cannot be merged.")
        }
        guard try MemberMergeStore.open(duplicate: duplicate, on: write.connection) == nil,
            try MemberMergeStore.open(duplicate: kept, on: write.connection) == nil
        else { throw Problem.conflict(code: "merged_already", detail: "One of them was merged into somebody already.") }
        var moved = try effect(of: duplicate, into: kept, in: write.workspace.id, on: write.connection)
        moved.status = other.status
        for program in moved.programs { try MemberStore.enroll(kept, in: program, group: nil, at: write.now, on: write.connection) }
        try MemberMergeStore.give(moved.links, to: kept, on: write.connection)
        try CouponCodeStore.give(moved.codes, from: duplicate, to: kept, on: write.connection)
        try replace(duplicate, by: kept, in: moved.customers, write)
        moved.tracker = try Postback.carry(from: duplicate, to: kept, in: write)
        if other.status == .active { try MemberMergeStore.setStatus(duplicate, .inactive, on: write.connection) }
        let merge = MemberMerge(
            id: write.world.newID(), keptID: kept, duplicateID: duplicate, moved: moved, reason: reason, mergedBy: write.actor.text, mergedAt: write.now)
        try MemberMergeStore.insert(merge, workspace: write.workspace.id, on: write.connection)
        try write.audit(
            "member.merge", subject: kept.text,
            JSONText([
                "mergeId": .text(merge.id.text), "duplicateId": .text(duplicate.text), "links": .integer(Int64(moved.links.count)),
                "customers": .integer(Int64(moved.customers.count)),
            ]))
        return merge
    }

    /// Gives back what was moved, where it is still as the merge left it.
    static func undo(_ id: MemberMergeID, in write: Write) throws -> MemberMerge {
        guard var merge = try MemberMergeStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("merge") }
        guard merge.undoneAt == nil else { throw Problem.conflict(code: "undone_already", detail: "This merge was undone before.") }
        guard merge.canBeUndone(at: write.now) else {
            throw Problem.conflict(code: "too_late", detail: "A merge can be undone for seven days; this one is older.")
        }
        let links = try MemberMergeStore.owned(merge.moved.links, by: merge.keptID, on: write.connection)
        try MemberMergeStore.give(links, to: merge.duplicateID, on: write.connection)
        try CouponCodeStore.give(merge.moved.codes, from: merge.keptID, to: merge.duplicateID, on: write.connection)
        try replace(merge.keptID, by: merge.duplicateID, in: merge.moved.customers, write)
        if let tracker = merge.moved.tracker { try Postback.giveBack(tracker, of: merge.keptID, from: merge.duplicateID, in: write) }
        for program in merge.moved.programs { try MemberMergeStore.leave(merge.keptID, program, on: write.connection) }
        if let duplicate = try MemberStore.find(merge.duplicateID, in: write.workspace.id, on: write.connection), duplicate.status == .inactive {
            try MemberMergeStore.setStatus(merge.duplicateID, merge.moved.status, on: write.connection)
        }
        try MemberMergeStore.markUndone(id, at: write.now, on: write.connection)
        try write.audit("member.unmerge", subject: merge.keptID.text, JSONText(["mergeId": .text(id.text), "duplicateId": .text(merge.duplicateID.text)]))
        merge.undoneAt = write.now
        return merge
    }

    /// Puts one member in another's place in bindings of customers. Parts of the same person are one part.
    private static func replace(
        _ old: MemberID, by new: MemberID, in customers: [(program: ProgramID, customer: CustomerID)], _ write: Write
    ) throws {
        for place in customers {
            for var binding in try BindingStore.history(program: place.program, customer: place.customer, on: write.connection)
            where binding.shares.contains(where: { $0.memberID == old }) {
                binding.shares = replaced(old, by: new, in: binding.shares)
                try BindingStore.put(binding, workspace: write.workspace.id, on: write.connection)
            }
        }
    }

    private static func replaced(_ old: MemberID, by new: MemberID, in before: [CustomerBinding.Share]) -> [CustomerBinding.Share] {
        var shares: [CustomerBinding.Share] = []
        for share in before {
            let owner = share.memberID == old ? new : share.memberID
            if let known = shares.firstIndex(where: { $0.memberID == owner }) {
                shares[known].ppm += share.ppm
            } else {
                shares.append(CustomerBinding.Share(memberID: owner, ppm: share.ppm))
            }
        }
        return shares
    }
}

enum MemberMergeStore {
    private static let columns = "id, kept_id, duplicate_id, moved, reason, merged_by, merged_at, undone_at"

    static func insert(_ merge: MemberMerge, workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member_merge (workspace_id, \(raw: columns))
            VALUES (\(workspace), \(merge.id), \(merge.keptID), \(merge.duplicateID), \(JSONText(merge.moved.json).text), \(merge.reason),
                    \(merge.mergedBy), \(merge.mergedAt), \(merge.undoneAt))
            """)
    }

    static func find(_ id: MemberMergeID, in workspace: WorkspaceID, on connection: any Connection) throws -> MemberMerge? {
        try connection.row("SELECT \(raw: columns) FROM member_merge WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func open(duplicate: MemberID, on connection: any Connection) throws -> MemberMerge? {
        try connection.row("SELECT \(raw: columns) FROM member_merge WHERE duplicate_id = \(duplicate) AND undone_at IS NULL").map(read)
    }

    /// Merges that a member took part in, the newest first.
    static func of(_ member: MemberID, limit: Int, on connection: any Connection) throws -> [MemberMerge] {
        let kept = try connection.rows("SELECT \(raw: columns) FROM member_merge WHERE kept_id = \(member) ORDER BY id DESC LIMIT \(limit)").map(read)
        return try open(duplicate: member, on: connection).map { [$0] + kept } ?? kept
    }

    static func markUndone(_ id: MemberMergeID, at: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE member_merge SET undone_at = \(at) WHERE id = \(id)")
    }

    static func links(of member: MemberID, limit: Int, on connection: any Connection) throws -> [LinkID] {
        try connection.rows("SELECT id FROM link WHERE member_id = \(member) ORDER BY id LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    /// Those of the links that still belong to a member.
    static func owned(_ links: [LinkID], by member: MemberID, on connection: any Connection) throws -> [LinkID] {
        let own = Set(try self.links(of: member, limit: MemberMerge.linksMax * 2, on: connection))
        return links.filter(own.contains)
    }

    static func give(_ links: [LinkID], to member: MemberID, on connection: any Connection) throws {
        for link in links { try connection.execute("UPDATE link SET member_id = \(member) WHERE id = \(link)") }
    }

    /// Customers that a member was ever credited for and is or was bound to.
    static func customers(of member: MemberID, limit: Int, on connection: any Connection) throws -> [(program: ProgramID, customer: CustomerID)] {
        try connection.rows(
            """
            SELECT DISTINCT b.program_id, b.customer_id FROM sale_credit c JOIN sale s ON s.id = c.sale_id
            JOIN customer_binding b ON b.customer_id = s.customer_id
            WHERE c.member_id = \(member) ORDER BY b.program_id, b.customer_id LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }.filter { place in
            try BindingStore.history(program: place.0, customer: place.1, on: connection).contains { $0.shares.contains { $0.memberID == member } }
        }
    }

    static func leave(_ member: MemberID, _ program: ProgramID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM enrollment WHERE member_id = \(member) AND program_id = \(program)")
    }

    static func setStatus(_ member: MemberID, _ status: Member.Status, on connection: any Connection) throws {
        try connection.execute("UPDATE member SET status = \(status.rawValue) WHERE id = \(member)")
    }

    struct Likeness: Sendable {
        var one: MemberID
        var other: MemberID
        var kinds: [String]
    }

    /// Members who share a mailbox, address, payment means or device with one.
    static func alike(_ member: MemberID, limit: Int, on connection: any Connection) throws -> [Likeness] {
        try connection.rows(
            """
            SELECT o.id, a.kind FROM member m JOIN person_lookup a ON a.person_id = m.person_id AND a.kind <> 'email'
            JOIN person_lookup b ON b.workspace_id = a.workspace_id AND b.kind = a.kind AND b.hash = a.hash AND b.person_id <> a.person_id
            JOIN member o ON o.person_id = b.person_id AND o.status <> 'erased'
            WHERE m.id = \(member) ORDER BY o.id, a.kind LIMIT \(limit)
            """
        ).reduce(into: []) { (found: inout [Likeness], row) in add(member, try row.get(at: 0), try row.get(at: 1), to: &found) }
    }

    /// Pairs of members in a workspace who share something, those not merged yet.
    static func pairs(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Likeness] {
        try connection.rows(
            """
            SELECT m.id, o.id, a.kind FROM person_lookup a
            JOIN person_lookup b ON b.workspace_id = a.workspace_id AND b.kind = a.kind AND b.hash = a.hash AND b.person_id > a.person_id
            JOIN member m ON m.person_id = a.person_id AND m.status <> 'erased'
            JOIN member o ON o.person_id = b.person_id AND o.status <> 'erased'
            WHERE a.workspace_id = \(workspace) AND a.kind IN ('mailbox', 'payoutAccount', 'paymentFingerprint', 'device', 'homeAddress')
              AND NOT EXISTS (SELECT 1 FROM member_merge x WHERE x.undone_at IS NULL AND x.duplicate_id IN (m.id, o.id))
            ORDER BY m.id, o.id, a.kind LIMIT \(limit)
            """
        ).reduce(into: []) { (found: inout [Likeness], row) in add(try row.get(at: 0), try row.get(at: 1), try row.get(at: 2), to: &found) }
    }

    private static func add(_ one: MemberID, _ other: MemberID, _ kind: String, to found: inout [Likeness]) {
        if let last = found.indices.last, found[last].one == one, found[last].other == other {
            if !found[last].kinds.contains(kind) { found[last].kinds.append(kind) }
        } else {
            found.append(Likeness(one: one, other: other, kinds: [kind]))
        }
    }

    private static func read(_ row: Row) throws -> MemberMerge {
        MemberMerge(
            id: try row.get(at: 0), keptID: try row.get(at: 1), duplicateID: try row.get(at: 2),
            moved: MemberMerge.Moved(JSONText(text: try row.get(at: 3)).value), reason: try row.get(at: 4), mergedBy: try row.get(at: 5),
            mergedAt: try row.get(at: 6), undoneAt: try row.get(at: 7))
    }
}
