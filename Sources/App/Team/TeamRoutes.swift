import Chronology
import HTTPTypes
import Persistence
import Web

enum TeamRoutes {
    /// An invitation works this long.
    static let invitationMs: Int64 = 7 * 86_400_000

    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/team", id: "listTeam", "Who works here", tag: "Team", access: .right(.workspaceRead),
            answer: .page(.object([.required("id", .text), .required("email", .nullable(.text)), .required("name", .nullable(.text)), .required("role", .text)]))
        ) { _, _, caller in
            let rows = try await installation.main.read { connection -> [(String, JSONValue)] in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return [] }
                return try TeamStore.team(of: workspace.teamID, on: connection).map { person in
                    let identity = try TeamStore.identity(of: person.id, vault: installation.vault, on: connection)
                    return (
                        person.id.text,
                        [
                            "id": .text(person.id.text), "email": identity.email.map { .text($0) } ?? .null,
                            "name": identity.name.map { .text($0) } ?? .null, "role": .text(person.role.rawValue),
                        ]
                    )
                }
            }
            return ListAnswer.response(rows, PageRequest(limit: PageRequest.maximumLimit), cursor: \.0, json: \.1)
        }
        api.write(
            .post, "/team", id: "inviteToTeam", "Invite a person to the team", tag: "Team", access: .right(.teamWrite),
            body: .object([.required("email", .email), .required("role", .enumeration(Role.allCases.map(\.rawValue)))]),
            answer: .object([.required("id", .text), .required("invitationUrl", .url)]), status: 201,
            decode: { body, _ in
                (
                    email: body.custom("email", standIn: "", Normalised.readEmail),
                    role: body.custom("role", standIn: Role.viewer) { value -> JSONReader.Reading<Role> in
                        if case .text(let text) = value, let role = Role(rawValue: text) { return .accepted(role) }
                        return .refused("Must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
                    }
                )
            }
        ) { input, write in
            try write.mayGive(Role.rights[input.role] ?? [])
            let (operator_, _) = try Operator.findOrCreate(
                email: input.email, name: nil, passwordHash: nil, vault: write.vault, world: write.world, on: write.connection)
            guard try TeamStore.role(of: operator_.id, in: write.workspace.teamID, on: write.connection) == nil else {
                throw Problem.conflict(code: "already_in_team", detail: "This person is in the team already.")
            }
            let token = Base64URL.encode(write.world.random.bytes(32))
            try TeamStore.insertInvitation(
                write.world.newID(), workspace: write.workspace.teamID, operator_: operator_.id, role: input.role, tokenHash: APIKey.hash(token),
                at: write.world.now(), until: try write.world.now().adding(milliseconds: invitationMs), on: write.connection)
            try write.audit("team.invite", subject: operator_.id.text, JSONText(["role": .text(input.role.rawValue)]))
            let url = "\(installation.baseURL)/invitations/\(token)"
            try Mail.queue(.teamInvitation(url: url), to: .operator_(operator_.id), in: write)
            return Answer(
                ["id": .text(operator_.id.text), "invitationUrl": .text(url)], status: 201,
                secrets: ["invitationUrl"])
        }
    }
}
