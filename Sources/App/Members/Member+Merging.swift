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
        /// Parties that are not settled yet: their host is the kept member from now on.
        var parties: [PartyID] = []
        /// Programs that the kept member was enrolled in for this.
        var programs: [ProgramID] = []
        var status = Member.Status.active
        /// Whether the kept member gets the duplicate's tracker.
        var carriesTracker = false
        /// The kept member's tracker, where the merge gave them the duplicate's.
        var tracker: WebhookID?

        var json: JSONValue {
            [
                "links": .array(links.map { .text($0.text) }), "codes": .array(codes.map { .text($0.text) }), "parties": .array(parties.map { .text($0.text) }), "programs": .array(programs.map { .text($0.text) }), "status": .text(status.rawValue),
                "customers": .array(customers.map { ["programId": .text($0.program.text), "customerId": .text($0.customer.text)] }),
                "tracker": tracker.map { .text($0.text) } ?? .null,
            ]
        }

        init() {}

        init(_ json: JSONValue) {
            links = (json["links"]?.elements ?? []).compactMap { $0.string.flatMap { LinkID($0) } }
            codes = (json["codes"]?.elements ?? []).compactMap { $0.string.flatMap { CouponCodeID($0) } }
            parties = (json["parties"]?.elements ?? []).compactMap { $0.string.flatMap { PartyID($0) } }
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
        moved.parties = try PartyStore.unsettled(of: duplicate, limit: linksMax, on: connection)
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
        try PartyStore.give(moved.parties, from: duplicate, to: kept, on: write.connection)
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
        try PartyStore.give(merge.moved.parties, from: merge.keptID, to: merge.duplicateID, on: write.connection)
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
