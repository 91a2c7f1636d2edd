import Chronology
import Persistence
import Web

/// What `kith setup` makes: a workspace with its test twin, its owner and their keys. Shown once.
struct NewWorkspace: Sendable {
    var workspace: Workspace
    var twin: Workspace
    var ownerID: OperatorID
    var liveKeys: (secret: String, publishable: String)
    var testKeys: (secret: String, publishable: String)
    /// False when the owner had an account before, whose password stays.
    var isNewOwner: Bool
}

extension Workspace {
    static func create(
        name: String, ownerEmail: String, ownerName: String? = nil, ownerPasswordHash: String, world: World, vault: Vault, on connection: any Connection
    ) throws -> NewWorkspace {
        let now = world.now()
        let slug = try freeSlug(name, world: world, on: connection)
        let live = Workspace(
            id: world.newID(), name: name, slug: slug, liveID: nil, testAheadMs: nil, timeZone: "UTC", locale: "en", hue: 222)
        var twin = live
        twin.id = world.newID()
        twin.slug = slug + "-test"
        twin.liveID = live.id
        twin.testAheadMs = 0
        let (owner, isNew) = try Operator.findOrCreate(
            email: ownerEmail, name: ownerName, passwordHash: ownerPasswordHash, vault: vault, world: world, on: connection)
        for workspace in [live, twin] {
            try WorkspaceStore.insert(workspace, createdAt: now, on: connection)
        }
        try TeamStore.join(owner.id, live.id, role: .owner, at: now, on: connection)
        func keys(_ workspace: Workspace) throws -> (String, String) {
            let write = Write(
                connection: connection, workspace: workspace, now: workspace.now(world), actor: .command, world: world, vault: vault)
            try write.audit("workspace.create", subject: workspace.id.text)
            return (
                try APIKey.create(name: "First key", kind: .secret, role: .owner, scopes: [], for: owner.id, in: write).text,
                try APIKey.create(name: "Browser key", kind: .publishable, role: nil, scopes: [], for: owner.id, in: write).text
            )
        }
        return NewWorkspace(
            workspace: live, twin: twin, ownerID: owner.id, liveKeys: try keys(live), testKeys: try keys(twin), isNewOwner: isNew)
    }

    private static func freeSlug(_ name: String, world: World, on connection: any Connection) throws -> String {
        let base = Slug.make(name)
        for number in 0..<1_000 {
            let slug = number == 0 ? base : "\(base)-\(number + 1)"
            if try !WorkspaceStore.slugExists(slug, on: connection), try !WorkspaceStore.slugExists(slug + "-test", on: connection) { return slug }
        }
        return world.newID(WorkspaceKind.self).text
    }
}
