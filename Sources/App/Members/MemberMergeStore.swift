import Chronology
import Persistence
import Web

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

    /// Merges of merges are followed so far.
    static let chainMax = 8

    /// Whom somebody has become by merges that stand: themselves, if none.
    static func kept(of member: MemberID, on connection: any Connection) throws -> MemberID {
        var current = member
        for _ in 0..<chainMax {
            guard let merge = try open(duplicate: current, on: connection) else { break }
            current = merge.keptID
        }
        return current
    }

    /// Everybody who is one of the members by merges that stand, with which of them they are.
    static func selves(_ members: [MemberID], on connection: any Connection) throws -> [MemberID: Set<MemberID>] {
        var selves = Dictionary(members.map { ($0, Set([$0])) }, uniquingKeysWith: { known, _ in known })
        var looked = members
        for _ in 0..<chainMax where !looked.isEmpty {
            let pairs: [(MemberID, MemberID)] = try connection.rows(
                "SELECT kept_id, duplicate_id FROM member_merge WHERE undone_at IS NULL AND (kept_id IN \(list: looked) OR duplicate_id IN \(list: looked))"
            ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
            looked = []
            for (one, other) in pairs.flatMap({ [($0, $1), ($1, $0)] }) {
                guard let owners = selves[one], !owners.isSubset(of: selves[other] ?? []) else { continue }
                selves[other, default: []].formUnion(owners)
                looked.append(other)
            }
        }
        return selves
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
