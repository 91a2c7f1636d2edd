import Persistence

/// What to call who acted, on a page: a person by name, else by mail; a key by its name. Others acted from the command line.
struct OperatorNames: Sendable {
    private var people: [String: String] = [:]
    private var keys: [String: String] = [:]

    static func load(
        _ actors: [String], in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> OperatorNames {
        var found = OperatorNames()
        for actor in Set(actors) {
            if let id = OperatorID(actor) {
                let identity = try TeamStore.identity(of: id, vault: vault, on: connection)
                found.people[actor] = identity.name ?? identity.email
            } else if let id = APIKeyID(actor) {
                found.keys[actor] = try APIKeyStore.find(id, in: workspace, on: connection)?.name
            }
        }
        return found
    }

    func name(_ actor: String, _ language: PageLanguage) -> String {
        if let key = keys[actor] { return language("audit.who.key", ["name": key]) }
        return people[actor] ?? language(actor == Actor.command.text ? "audit.who.command" : "audit.who.system")
    }
}
