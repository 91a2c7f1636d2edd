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
            answer: .object([.required("id", .text), .required("invitationUrl", .nullable(.url))]), status: 201,
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
            let invited = try Team.invite(email: input.email, role: input.role, in: write) { "\(installation.baseURL)/invitations/\($0)" }
            return Answer(
                ["id": .text(invited.id.text), "invitationUrl": .text("\(installation.baseURL)/invitations/\(invited.token)")], status: 201,
                secrets: ["invitationUrl"])
        }
        api.write(
            .patch, "/team/{id}", id: "changeTeamRole", "Give a person another role", tag: "Team", access: .right(.teamWrite),
            body: .object([.required("role", .enumeration(Role.allCases.map(\.rawValue)))]),
            answer: .object([.required("id", .text), .required("role", .text)]),
            decode: { body, context in
                (
                    id: try context.id(OperatorKind.self),
                    role: body.custom("role", standIn: Role.viewer) { value -> JSONReader.Reading<Role> in
                        if case .text(let text) = value, let role = Role(rawValue: text) { return .accepted(role) }
                        return .refused("Must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
                    }
                )
            }
        ) { input, write in
            try Team.setRole(input.role, of: input.id, in: write)
            installation.callers.forgetAll()
            return Answer(["id": .text(input.id.text), "role": .text(input.role.rawValue)])
        }
        api.write(
            .delete, "/team/{id}", id: "removeFromTeam", "Take a person out of the team; their keys stop and their sessions end", tag: "Team",
            access: .right(.teamWrite), body: nil, answer: .object([.required("id", .text), .required("removed", .boolean)]), failures: [409],
            decode: { _, context in try context.id(OperatorKind.self) }
        ) { id, write in
            try Team.remove(id, in: write)
            installation.callers.forgetAll()
            return Answer(["id": .text(id.text), "removed": true])
        }
        api.write(
            .delete, "/team/{id}/sessions", id: "signOutOfTeam", "End a person's sessions here", tag: "Team", access: .right(.teamWrite), body: nil,
            answer: .object([.required("id", .text), .required("signedOut", .boolean)]), decode: { _, context in try context.id(OperatorKind.self) }
        ) { id, write in
            try Team.signOut(id, in: write)
            return Answer(["id": .text(id.text), "signedOut": true])
        }
    }
}
