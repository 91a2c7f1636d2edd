import Chronology
import Persistence

enum InvitationStore {
    static func insert(_ invitation: FriendInvitation, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO friend_invitation (id, workspace_id, program_id, member_id, link_id, created_at)
            VALUES (\(invitation.id), \(invitation.workspaceID), \(invitation.programID), \(invitation.memberID), \(invitation.linkID), \(invitation.createdAt))
            """)
    }

    /// The program and the member of a letter.
    static func find(_ id: FriendInvitationID, on connection: any Connection) throws -> FriendInvitation? {
        try connection.row(
            "SELECT workspace_id, program_id, member_id, link_id, created_at FROM friend_invitation WHERE id = \(id)"
        ).map {
            FriendInvitation(
                id: id, workspaceID: try $0.get(at: 0), programID: try $0.get(at: 1), memberID: try $0.get(at: 2), linkID: try $0.get(at: 3),
                createdAt: try $0.get(at: 4))
        }
    }

    static func count(by member: MemberID, after: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM friend_invitation WHERE member_id = \(member) AND created_at > \(after)") ?? 0
    }

    static func count(in workspace: WorkspaceID, after: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM friend_invitation WHERE workspace_id = \(workspace) AND created_at > \(after)") ?? 0
    }

    static func counts(of member: MemberID, at now: Instant, on connection: any Connection) throws -> InvitationCounts {
        let today = try count(by: member, after: now.adding(milliseconds: -FriendInvitation.dayMs), on: connection)
        return InvitationCounts(
            sent: try connection.value("SELECT count(*) FROM friend_invitation WHERE member_id = \(member)") ?? 0,
            followed: try connection.value(
                """
                SELECT CAST(coalesce(sum(l.clicks), 0) AS BIGINT) FROM link l
                WHERE l.id IN (SELECT link_id FROM invitation_link WHERE member_id = \(member))
                """) ?? 0,
            bought: try connection.value(
                """
                SELECT count(DISTINCT s.customer_id) FROM sale s
                WHERE s.link_id IN (SELECT link_id FROM invitation_link WHERE member_id = \(member))
                """) ?? 0,
            leftToday: max(0, Int64(FriendInvitation.memberDayMax) - today), isPaused: try isPaused(member, on: connection))
    }

    // MARK: Links

    static func link(of member: MemberID, in program: ProgramID, on connection: any Connection) throws -> LinkID? {
        try connection.value("SELECT link_id FROM invitation_link WHERE member_id = \(member) AND program_id = \(program)")
    }

    static func links(of member: MemberID, on connection: any Connection) throws -> Set<LinkID> {
        Set(try connection.rows("SELECT link_id FROM invitation_link WHERE member_id = \(member)").map { try $0.get(at: 0) })
    }

    static func setLink(_ link: LinkID, of member: MemberID, in program: ProgramID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO invitation_link (member_id, program_id, link_id) VALUES (\(member), \(program), \(link))
            ON CONFLICT (member_id, program_id) DO UPDATE SET link_id = excluded.link_id
            """)
    }

    // MARK: Addresses, as keyed hashes

    static func wasInvited(_ hash: [UInt8], after: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM invited_address WHERE workspace_id = \(workspace) AND hash = \(hash) AND invited_at > \(after)") != nil
    }

    static func noteInvited(_ hash: [UInt8], at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO invited_address (workspace_id, hash, invited_at) VALUES (\(workspace), \(hash), \(now))
            ON CONFLICT (workspace_id, hash) DO UPDATE SET invited_at = excluded.invited_at
            """)
    }

    static func hasInvited(before: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM invited_address WHERE invited_at < \(before) LIMIT 1") != nil
    }

    static func forgetInvited(before: Instant, on connection: any Connection) throws {
        try connection.execute("DELETE FROM invited_address WHERE invited_at < \(before)")
    }

    static func isUnwanted(_ hash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM unwanted_address WHERE workspace_id = \(workspace) AND hash = \(hash)") != nil
    }

    static func setUnwanted(_ hash: [UInt8], at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO unwanted_address (workspace_id, hash, since) VALUES (\(workspace), \(hash), \(now))
            ON CONFLICT (workspace_id, hash) DO NOTHING
            """)
    }

    // MARK: Pauses

    static func isPaused(_ member: MemberID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM invitation_pause WHERE member_id = \(member) AND lifted_at IS NULL") != nil
    }

    static func pause(_ member: MemberID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO invitation_pause (member_id, paused_at) VALUES (\(member), \(now))
            ON CONFLICT (member_id) DO UPDATE SET paused_at = excluded.paused_at, lifted_at = NULL, lifted_by = NULL
            """)
    }

    static func lift(_ member: MemberID, by author: String, at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            "UPDATE invitation_pause SET lifted_at = \(now), lifted_by = \(author) WHERE member_id = \(member) AND lifted_at IS NULL") > 0
    }

    /// Since when complaints count for a pause: the last time somebody of the team let the member write again.
    static func liftedAt(_ member: MemberID, on connection: any Connection) throws -> Instant? {
        try connection.value("SELECT lifted_at FROM invitation_pause WHERE member_id = \(member) AND lifted_at IS NOT NULL")
    }
}
