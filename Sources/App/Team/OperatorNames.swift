import Persistence

/// What to call people of the team on a page: their name, else their mail. Others acted from the command line.
struct OperatorNames: Sendable {
    private var names: [String: String] = [:]

    static func load(_ actors: [String], vault: Vault, on connection: any Connection) throws -> OperatorNames {
        var found = OperatorNames()
        for actor in Set(actors) {
            guard let id = OperatorID(actor) else { continue }
            let identity = try TeamStore.identity(of: id, vault: vault, on: connection)
            found.names[actor] = identity.name ?? identity.email
        }
        return found
    }

    func name(_ actor: String, _ language: PageLanguage) -> String {
        names[actor] ?? language(actor == Actor.command.text ? "audit.who.command" : "audit.who.system")
    }
}
