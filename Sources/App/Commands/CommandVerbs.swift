import Chronology
import Persistence
import Web

/// What commands do when they write: run in this process, or by the server that has the database open.
enum CommandVerbs {
    static func run(_ name: String, _ arguments: JSONValue, _ installation: Installation) async throws -> JSONValue {
        guard let token = arguments["follow"]?.string else { return try await perform(name, arguments, installation) }
        if name == "progress" { return installation.board[token]?.json ?? [:] }
        return try await installation.board.follow(token, LongWork.current ?? LongWork()) { progress in
            try await LongWork.$current.withValue(progress) { try await perform(name, arguments.without(["follow"]), installation) }
        }
    }

    private static func perform(_ name: String, _ arguments: JSONValue, _ installation: Installation) async throws -> JSONValue {
        let reader = try JSONReader(arguments)
        switch name {
        case "setup":
            let workspace = reader.name("workspace", maximumLength: 200)
            let ownerName = reader.optionalName("ownerName", maximumLength: 200)
            let email = reader.custom("email", standIn: "", Normalised.readEmail)
            let isTest = reader.optionalBoolean("test") ?? false
            try reader.finish()
            return try await setUp(workspace: workspace, email: email, ownerName: ownerName, isTest: isTest, installation)
        case "jobs-run":
            let rewrites = reader.optionalBoolean("rewrite") ?? false
            try reader.finish()
            try await installation.doDueWork()
            if rewrites { await installation.rewriteErased(isForced: true) }
            return ["done": true, "erasuresToRewrite": .integer(try await installation.erasureRemains())]
        case "insights-rebuild":
            try reader.finish()
            return ["workspaces": .integer(try await installation.rebuildInsights())]
        case "team-add": return try await addToTeam(reader, installation)
        case "team-list": return try await listTeam(reader, installation)
        case "team-reset-password": return try await resetPassword(reader, installation)
        case "team-remove-second-factor": return try await removeSecondFactor(reader, installation)
        case "domain-list", "domain-add", "domain-check", "domain-main", "domain-remove": return try await domain(name, reader, installation)
        case "theme-show", "theme-set": return try await theme(name, reader, installation)
        case "mail-domain-show", "mail-domain-set", "mail-domain-check", "mail-domain-remove": return try await mailDomain(name, reader, installation)
        case "backup": return try await backUp(reader, installation)
        case "import-file": return try await importFile(reader, installation)
        case "reconcile": return try await reconcile(reader, installation)
        case "import-folder": return try await importFolder(reader, installation)
        case "apply-clicks":
            try reader.finish()
            try await installation.applyClicks()
            return ["done": true]
        case "erase-person": return try await erasePerson(reader, installation)
        case "generate": return try await generateOrganisation(reader, installation)
        case "demo": return try await fillDemo(reader, installation)
        default: throw Problem.notFound(detail: "This server knows no command \(name).")
        }
    }

    private static func setUp(
        workspace name: String, email: String, ownerName: String?, isTest: Bool, _ installation: Installation
    ) async throws -> JSONValue {
        let password = Operator.newPassword(installation.world)
        guard let hash = await installation.passwords.hash(password) else {
            throw Problem.unavailable(detail: "There is not enough memory to hash a password.", retryAfterSeconds: 5)
        }
        let made = try await installation.writeAnywhere { [world = installation.world, vault = installation.vault] connection in
            try Workspace.create(
                name: name, ownerEmail: email, ownerName: ownerName, ownerPasswordHash: hash, world: world, vault: vault, on: connection)
        }
        let keys = isTest ? made.testKeys : made.liveKeys
        return [
            "workspaceId": .text((isTest ? made.twin : made.workspace).id.text), "secretKey": .text(keys.secret),
            "publishableKey": .text(keys.publishable), "ownerEmail": .text(email), "ownerPassword": made.isNewOwner ? .text(password) : .null,
        ]
    }
}
