import Chronology
import Persistence
import Web

/// Who works in a workspace and its test twin: invite, change, sign out, remove.
enum Team {
    struct Invited: Sendable {
        var id: OperatorID
        /// Works once, for a week.
        var token: String
    }

    static func invite(email: String, role: Role, in write: Write, url: (String) -> String) throws -> Invited {
        try write.mayGive(Role.rights[role] ?? [])
        let (operator_, _) = try Operator.findOrCreate(
            email: email, name: nil, passwordHash: nil, vault: write.vault, world: write.world, on: write.connection)
        guard try TeamStore.role(of: operator_.id, in: write.workspace.teamID, on: write.connection) == nil else {
            throw Problem.conflict(code: "already_in_team", detail: "This person is in the team already.")
        }
        let token = Base64URL.encode(write.world.random.bytes(32))
        try TeamStore.insertInvitation(
            write.world.newID(), workspace: write.workspace.teamID, operator_: operator_.id, role: role, tokenHash: APIKey.hash(token),
            at: write.world.now(), until: try write.world.now().adding(milliseconds: TeamRoutes.invitationMs), on: write.connection)
        try write.audit("team.invite", subject: operator_.id.text, JSONText(["role": .text(role.rawValue)]))
        try Mail.queue(.teamInvitation(url: url(token)), to: .operator_(operator_.id), in: write)
        return Invited(id: operator_.id, token: token)
    }

    /// Gives a person another role. Nobody gives or takes more than they may do themselves, and an owner remains.
    static func setRole(_ role: Role, of id: OperatorID, in write: Write) throws {
        let before = try known(id, in: write)
        guard before != role else { return }
        try write.mayGive((Role.rights[before] ?? []).union(Role.rights[role] ?? []))
        if before == .owner { try keepAnOwner(in: write) }
        let from = try NewApprover.startsAt(role, before: before, at: write.world.now())
        try TeamStore.setRole(role, approvesFrom: from, of: id, in: write.workspace.teamID, on: write.connection)
        try NewApprover.tell(id, role, before: before, from: from, in: write)
        try write.audit("team.role", subject: id.text, JSONText(["role": .text(role.rawValue), "before": .text(before.rawValue)]))
    }

    /// Takes a person out of the team: their sessions here end and their keys stop.
    static func remove(_ id: OperatorID, in write: Write) throws {
        let role = try known(id, in: write)
        try write.mayGive(Role.rights[role] ?? [])
        if role == .owner { try keepAnOwner(in: write) }
        try TeamStore.leave(id, write.workspace.teamID, at: write.world.now(), on: write.connection)
        try TeamStore.endSessions(of: id, in: write.workspace.teamID, on: write.connection)
        try write.audit("team.remove", subject: id.text, JSONText(["role": .text(role.rawValue)]))
    }

    /// Ends the sessions of a person here: a lost device, a doubt.
    static func signOut(_ id: OperatorID, in write: Write) throws {
        let role = try known(id, in: write)
        if write.actor.person != id.text { try write.mayGive(Role.rights[role] ?? []) }
        try TeamStore.endSessions(of: id, in: write.workspace.teamID, on: write.connection)
        try write.audit("session.endAll", subject: id.text)
    }

    static func withdraw(_ id: InvitationID, in write: Write) throws {
        guard let invited = try TeamStore.withdraw(id, in: write.workspace.teamID, on: write.connection) else { throw Refusal.unknown("invitation") }
        try write.audit("team.withdraw", subject: invited.text)
    }

    private static func known(_ id: OperatorID, in write: Write) throws -> Role {
        guard let role = try TeamStore.role(of: id, in: write.workspace.teamID, on: write.connection) else { throw Refusal.unknown("person") }
        return role
    }

    private static func keepAnOwner(in write: Write) throws {
        let owners = try TeamStore.team(of: write.workspace.teamID, on: write.connection).count { $0.role == .owner }
        guard owners > 1 else {
            throw Problem.conflict(code: "last_owner", detail: "This is the only owner. Make another person an owner first.")
        }
    }
}

extension TeamStore {
    /// Whoever waits goes on waiting.
    static func setRole(
        _ role: Role, approvesFrom: Instant?, of id: OperatorID, in workspace: WorkspaceID, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE team_member SET role = \(role.rawValue), approves_from = coalesce(\(approvesFrom), approves_from)
            WHERE workspace_id = \(workspace) AND operator_id = \(id) AND removed_at IS NULL
            """)
    }

    static func leave(_ id: OperatorID, _ workspace: WorkspaceID, at: Instant, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE team_member SET removed_at = \(at) WHERE workspace_id = \(workspace) AND operator_id = \(id) AND removed_at IS NULL")
    }

    /// Sessions that look at a workspace or its test twin.
    static func endSessions(of id: OperatorID, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM operator_session WHERE operator_id = \(id)
                AND workspace_id IN (SELECT id FROM workspace WHERE id = \(workspace) OR live_id = \(workspace))
            """)
    }

    /// When a person's sessions here were last used, and how many there are.
    static func sessions(
        of id: OperatorID, in workspace: WorkspaceID, at now: Instant, on connection: any Connection
    ) throws -> (count: Int64, seenAt: Instant?) {
        guard
            let row = try connection.row(
                """
                SELECT count(*), max(seen_at) FROM operator_session WHERE operator_id = \(id) AND expires_at > \(now)
                    AND workspace_id IN (SELECT id FROM workspace WHERE id = \(workspace) OR live_id = \(workspace))
                """)
        else { return (0, nil) }
        return (try row.get(at: 0), try row.get(at: 1))
    }

    struct OpenInvitation: Sendable {
        var id: InvitationID
        var operatorID: OperatorID
        var role: Role
        var createdAt: Instant
        var expiresAt: Instant
    }

    /// Invitations that nobody took yet, of people who are not in the team.
    static func invitations(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [OpenInvitation] {
        try connection.rows(
            """
            SELECT i.id, i.operator_id, i.role, i.created_at, i.expires_at FROM invitation i
            WHERE i.workspace_id = \(workspace) AND i.accepted_at IS NULL AND i.expires_at > \(now)
                AND NOT EXISTS (SELECT 1 FROM team_member t WHERE t.workspace_id = i.workspace_id AND t.operator_id = i.operator_id AND t.removed_at IS NULL)
            ORDER BY i.created_at DESC LIMIT \(limit)
            """
        ).map { row in
            OpenInvitation(
                id: try row.get(at: 0), operatorID: try row.get(at: 1), role: Role(rawValue: try row.get(at: 2)) ?? .viewer,
                createdAt: try row.get(at: 3), expiresAt: try row.get(at: 4))
        }
    }

    static func withdraw(_ id: InvitationID, in workspace: WorkspaceID, on connection: any Connection) throws -> OperatorID? {
        guard
            let row = try connection.row(
                "SELECT operator_id FROM invitation WHERE id = \(id) AND workspace_id = \(workspace) AND accepted_at IS NULL")
        else { return nil }
        try connection.execute("DELETE FROM invitation WHERE id = \(id)")
        return try row.get(at: 0)
    }
}
