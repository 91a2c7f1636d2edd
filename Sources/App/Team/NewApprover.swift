import Chronology
import Persistence
import Web

/// A person who came to a role that approves money a short while ago. An invitation can be opened by whoever wrote it, so a new person is not
/// yet a second one: they wait, and the owners are told. Nobody waits in a test workspace, where nothing real is paid, and whoever
/// was added on the machine itself (`kith team add`) is vouched for by who runs it.
enum NewApprover {
    static let waitMs: Int64 = 86_400_000

    /// From when somebody with this role may approve; nil when the role doesn't, or they may already.
    static func startsAt(_ role: Role, before: Role? = nil, at now: Instant) throws -> Instant? {
        guard role.may(.payoutsApprove), !(before?.may(.payoutsApprove) ?? false) else { return nil }
        return try now.adding(milliseconds: waitMs)
    }

    /// From when this person may approve here, while they may not.
    static func waitsUntil(
        _ actor: Actor, in workspace: Workspace, at now: Instant, on connection: any Connection
    ) throws -> Instant? {
        guard !workspace.isTest, let id = OperatorID(actor.person),
            let from = try TeamStore.approvesFrom(id, in: workspace.teamID, on: connection), from > now
        else { return nil }
        return from
    }

    static func refuse(in write: Write) throws {
        guard let from = try waitsUntil(write.actor, in: write.workspace, at: write.world.now(), on: write.connection) else { return }
        throw Problem.forbidden(
            code: "approver_too_new",
            detail: "Who is new in a role that approves money waits for 24 hours: you may from \(from.rfc3339). Ask another person of your team.")
    }

    /// Tells the other owners. It is news of the live workspace, from wherever it was done.
    static func tell(_ id: OperatorID, _ role: Role, before: Role? = nil, from: Instant?, in write: Write) throws {
        guard role.may(.payoutsApprove), !(before?.may(.payoutsApprove) ?? false),
            let live = try WorkspaceStore.find(write.workspace.teamID, on: write.connection)
        else { return }
        let liveWrite = Write(
            connection: write.connection, workspace: live, now: live.now(write.world), actor: write.actor, world: write.world, vault: write.vault,
            rights: write.rights)
        let person = try TeamStore.identity(of: id, vault: write.vault, on: write.connection).email ?? id.text
        for owner in try TeamStore.team(of: live.id, on: write.connection)
        where owner.role == .owner && owner.id != id && owner.id.text != write.actor.person {
            try Mail.queue(
                .approverAdded(person: person, role: role.rawValue, fromMs: from?.millisecondsSince1970), to: .operator_(owner.id), in: liveWrite)
        }
    }
}

extension TeamStore {
    static func approvesFrom(_ id: OperatorID, in workspace: WorkspaceID, on connection: any Connection) throws -> Instant? {
        try connection.row(
            "SELECT approves_from FROM team_member WHERE workspace_id = \(workspace) AND operator_id = \(id) AND removed_at IS NULL"
        )?.get(at: 0)
    }
}
