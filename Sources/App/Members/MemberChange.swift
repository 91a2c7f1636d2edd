import Chronology
import Persistence
import Web

/// A status that a person of the team gave to several members at once.
struct MemberChange: Sendable {
    struct Item: Sendable {
        var memberID: MemberID
        var before: Member.Status
        var after: Member.Status
        /// Whether it was taken back.
        var isBack = false
    }

    /// How long it can be taken back.
    static let undoMs: Int64 = 10 * 60_000

    var id: MemberChangeID
    var workspaceID: WorkspaceID
    var author: String
    var changedAt: Instant
    var undoneBy: String?
    var undoneAt: Instant?
    var items: [Item]

    func mayBeUndone(at now: Instant) -> Bool {
        undoneAt == nil && now.millisecondsSince1970 <= changedAt.millisecondsSince1970 + Self.undoMs
    }

    /// Sets the status of those who have another; nil when nobody has.
    static func make(_ status: Member.Status, _ ids: [MemberID], in write: Write) throws -> MemberChange? {
        var change = MemberChange(
            id: write.world.newID(), workspaceID: write.workspace.id, author: write.actor.person, changedAt: write.now, items: [])
        for id in Set(ids).sorted() {
            guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection), member.status != .erased, member.status != status
            else { continue }
            change.items.append(Item(memberID: id, before: member.status, after: status))
            try set(id, from: member.status, to: status, in: write)
        }
        guard !change.items.isEmpty else { return nil }
        try MemberChangeStore.insert(change, on: write.connection)
        return change
    }

    /// Brings back those who are still as the change left them. For a few minutes.
    static func undo(_ id: MemberChangeID, in write: Write) throws -> MemberChange {
        guard var change = try MemberChangeStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("change") }
        guard change.undoneAt == nil else { throw Problem.conflict(code: "undone_already", detail: "This was taken back already.") }
        guard change.mayBeUndone(at: write.now) else {
            throw Problem.conflict(code: "too_late", detail: "A change can be taken back for \(undoMs / 60_000) minutes. Change it anew instead.")
        }
        for (position, item) in change.items.enumerated() {
            guard let member = try MemberStore.find(item.memberID, in: write.workspace.id, on: write.connection), member.status == item.after else { continue }
            try set(item.memberID, from: item.after, to: item.before, in: write)
            change.items[position].isBack = true
        }
        change.undoneBy = write.actor.person
        change.undoneAt = write.now
        try MemberChangeStore.markUndone(change, on: write.connection)
        return change
    }

    private static func set(_ id: MemberID, from before: Member.Status, to after: Member.Status, in write: Write) throws {
        try MemberMergeStore.setStatus(id, after, on: write.connection)
        try write.audit("member.status", subject: id.text, JSONText(["before": .text(before.rawValue), "after": .text(after.rawValue)]))
    }
}

enum MemberChangeKind: Identified { static let prefix = "mch_" }
typealias MemberChangeID = Identifier<MemberChangeKind>

enum MemberChangeStore {
    private static let columns = "id, workspace_id, author, changed_at, undone_by, undone_at"

    static func insert(_ change: MemberChange, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member_change (\(raw: columns))
            VALUES (\(change.id), \(change.workspaceID), \(change.author), \(change.changedAt), \(change.undoneBy), \(change.undoneAt))
            """)
        try connection.executeAll(
            change.items.map {
                """
                INSERT INTO member_change_item (member_change_id, member_id, status_before, status_after)
                VALUES (\(change.id), \($0.memberID), \($0.before.rawValue), \($0.after.rawValue))
                """
            })
    }

    static func markUndone(_ change: MemberChange, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE member_change SET undone_by = \(change.undoneBy), undone_at = \(change.undoneAt) WHERE id = \(change.id)")
        let back = change.items.filter(\.isBack).map(\.memberID)
        guard !back.isEmpty else { return }
        try connection.execute(
            "UPDATE member_change_item SET is_back = 1 WHERE member_change_id = \(change.id) AND member_id IN \(list: back)")
    }

    static func find(_ id: MemberChangeID, in workspace: WorkspaceID, on connection: any Connection) throws -> MemberChange? {
        guard let row = try connection.row("SELECT \(raw: columns) FROM member_change WHERE id = \(id) AND workspace_id = \(workspace)") else { return nil }
        let items = try connection.rows(
            "SELECT member_id, status_before, status_after, is_back FROM member_change_item WHERE member_change_id = \(id) ORDER BY member_id"
        ).map {
            MemberChange.Item(
                memberID: try $0.get(at: 0), before: Member.Status(rawValue: try $0.get(at: 1)) ?? .inactive,
                after: Member.Status(rawValue: try $0.get(at: 2)) ?? .inactive, isBack: try $0.get(at: 3, as: Int64.self) == 1)
        }
        return MemberChange(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), author: try row.get(at: 2), changedAt: try row.get(at: 3),
            undoneBy: try row.get(at: 4), undoneAt: try row.get(at: 5), items: items)
    }
}
