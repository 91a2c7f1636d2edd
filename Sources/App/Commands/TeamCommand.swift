import ArgumentParser
import Chronology
import Persistence
import Web

struct TeamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "People who operate a workspace.", subcommands: [List.self, Add.self, ResetPassword.self, RemoveSecondFactor.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add an operator; prints their id, their password when they are new, and a secret key of theirs.")

        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Option(help: "Their mail address.") var email: String
        @Option(help: "Their name.") var name: String?
        @Option(help: "owner, admin, finance, marketer, compliance, developer, support or viewer.") var role: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                let arguments = [("email", JSONValue.text(email)), ("name", name.map { .text($0) } ?? .null), ("role", .text(role))] + workspace.arguments
                Commands.show(
                    try await Commands.write("team-add", .object(arguments.map { JSONMember($0.0, $0.1) }), options.settings()), json: json)
            }
        }
    }

    struct ResetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-password", abstract: "Give an operator a new password, open a locked account, end their sessions.")

        @OptionGroup var options: DatabaseOptions
        @Argument(help: "Their mail address.") var email: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                Commands.show(try await Commands.write("team-reset-password", ["email": .text(email)], options.settings()), json: json)
            }
        }
    }
}

extension TeamCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Who operates a workspace, with which role, and whether their sign-in asks for a code.")

        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                let arguments = JSONValue.object(workspace.arguments.map { JSONMember($0.0, $0.1) })
                let answer = try await Commands.write("team-list", arguments, options.settings())
                guard !json, case .array(let people)? = answer["people"] else { return Commands.show(answer, json: json) }
                for person in people {
                    let factors = person["secondFactor"] == true ? "password and code" : "password"
                    print("\(person["email"]?.string ?? "erased")  \(person["role"]?.string ?? "")  signs in with \(factors)")
                }
            }
        }
    }

    struct RemoveSecondFactor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove-second-factor",
            abstract: "For an operator who lost phone and recovery codes: the password alone signs them in until they set up another.")

        @OptionGroup var options: DatabaseOptions
        @Argument(help: "Their mail address.") var email: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                Commands.show(try await Commands.write("team-remove-second-factor", ["email": .text(email)], options.settings()), json: json)
            }
        }
    }
}

extension CommandVerbs {
    static func addToTeam(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let email = reader.custom("email", standIn: "", Normalised.readEmail)
        let name = reader.optionalName("name", maximumLength: 200)
        let role = try reader.oneOf("role", Role.self)
        let choice = WorkspaceChoice(reader)
        try reader.finish()
        let workspace = try await installation.main.read { connection in try choice.find(on: connection) }
        let password = Operator.newPassword(installation.world)
        let hash = try await hashed(password, installation)
        return try await installation.write(workspace.id, actor: .command) { write in
            let (operator_, isNew) = try Operator.findOrCreate(
                email: email, name: name, passwordHash: hash, vault: write.vault, world: write.world, on: write.connection)
            try TeamStore.join(operator_.id, write.workspace.teamID, role: role, at: write.world.now(), on: write.connection)
            try NewApprover.tell(operator_.id, role, from: nil, in: write)
            try write.audit("team.add", subject: operator_.id.text, JSONText(["role": .text(role.rawValue)]))
            let key = try APIKey.create(name: "First key", kind: .secret, role: role, scopes: [], for: operator_.id, in: write)
            return [
                "id": .text(operator_.id.text), "password": isNew ? .text(password) : .null, "secretKey": .text(key.text),
                "workspaceId": .text(write.workspace.id.text),
            ]
        }
    }

    static func listTeam(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        try reader.finish()
        let people = try await installation.main.read { connection in
            try TeamStore.team(of: try choice.find(on: connection).teamID, on: connection).map { member -> JSONValue in
                let identity = try TeamStore.identity(of: member.id, vault: installation.vault, on: connection)
                return [
                    "id": .text(member.id.text), "email": identity.email.map { .text($0) } ?? .null, "role": .text(member.role.rawValue),
                    "secondFactor": .boolean(try SecondFactorStore.find(member.id, on: connection)?.isOn == true),
                ]
            }
        }
        return ["people": .array(people)]
    }

    static func resetPassword(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let email = try address(reader)
        let password = Operator.newPassword(installation.world)
        let hash = try await hashed(password, installation)
        let emailHash = installation.vault.lookupHash(nil, "operator", email)
        let (id, workspaces) = try await installation.writeAnywhere { connection -> (OperatorID, [WorkspaceID]) in
            guard let known = try TeamStore.find(emailHash: emailHash, on: connection) else {
                throw nobody(email)
            }
            try TeamStore.setPassword(known.id, hash, on: connection)
            try TeamStore.endSessions(of: known.id, on: connection)
            return (known.id, try TeamStore.workspaces(of: known.id, on: connection))
        }
        for workspace in workspaces {
            try await installation.write(workspace, actor: .command) { write in
                try write.audit("team.reset_password", subject: id.text)
                // One notice, however many workspaces they work in.
                if write.workspace.id == workspaces.first { try Mail.queue(.passwordReset, to: .operator_(id), in: write) }
            }
        }
        return ["id": .text(id.text), "password": .text(password)]
    }

    static func removeSecondFactor(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let email = try address(reader)
        let emailHash = installation.vault.lookupHash(nil, "operator", email)
        let (id, workspaces) = try await installation.main.read { connection -> (OperatorID, [WorkspaceID]) in
            guard let known = try TeamStore.find(emailHash: emailHash, on: connection) else {
                throw nobody(email)
            }
            return (known.id, try TeamStore.workspaces(of: known.id, on: connection))
        }
        guard let workspace = workspaces.first else { throw Problem.notFound(detail: "\(email) belongs to no workspace.") }
        try await installation.write(workspace, actor: .command) { write in
            try SecondFactor.turnOff(for: id, in: write)
            try TeamStore.endSessions(of: id, on: write.connection)
        }
        return ["id": .text(id.text), "secondFactor": false]
    }

    /// The mail address of somebody who should be here. What is none belongs to nobody.
    private static func address(_ reader: JSONReader) throws -> String {
        let text = reader.text("email", maximumLength: 1_000)
        try reader.finish()
        guard let email = Normalised.email(text) else { throw nobody(text) }
        return email
    }

    private static func nobody(_ email: String) -> Problem {
        Problem.notFound(detail: "Nobody here has the mail address \(OneLine.folded(email)). See who is there: kith team list.")
    }

    private static func hashed(_ password: String, _ installation: Installation) async throws -> String {
        guard let hash = await installation.passwords.hash(password) else {
            throw Problem.unavailable(detail: "There is not enough memory to hash a password.", retryAfterSeconds: 5)
        }
        return hash
    }
}
