import HTTPTypes
import Persistence
import Web

/// Invitations to partners by name, and the quality of sources, for programs.
enum PartnerRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/partner-invitations", id: "invitePartner", "Invite somebody by name to a program's join page", tag: "Joining", access: .right(.membersWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: 200)), .required("email", .string(maximumLength: Normalised.emailLengthMax)),
                .required(
                    "source",
                    .described(.string(maximumLength: SourceQuality.wordLengthMax), description: "A word for where you found them: letters, digits, hyphens; quality is told by it.")),
            ]), answer: .reference("PartnerInvitation"), status: 201, failures: [409],
            decode: { body, _ in
                PartnerInvitation.Input(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    name: body.name("name", maximumLength: 200),
                    email: body.custom("email", standIn: "") { value in
                        if case .text(let text) = value, let email = Normalised.email(text) { return .accepted(email) }
                        return .refused("Must be a mail address.")
                    },
                    source: body.custom("source", standIn: "") { value in
                        if case .text(let text) = value, let word = SourceQuality.word(text) { return .accepted(word) }
                        return .refused("Must be 1 to \(SourceQuality.wordLengthMax) letters, digits, hyphens or underscores, and neither member nor direct.")
                    })
            }
        ) { input, write in
            let made = try PartnerInvitation.make(input, url: PartnerInvitation.url(installation, of: write.workspace.id), in: write)
            return Answer(try made.json(vault: write.vault, at: write.now, on: write.connection), status: 201, person: made.personID)
        }
        api.read(
            "/partner-invitations", id: "listPartnerInvitations", "Whom the team invited by name, and what came of it", tag: "Joining", access: .right(.membersRead),
            parameters: APIParameter.page, answer: .page(.reference("PartnerInvitation"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, PartnerInvitationKind.self)
            let (vault, world) = (installation.vault, installation.world)
            let found = try await installation.main.read { connection -> [(PartnerInvitationID, JSONValue)] in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return [] }
                return try PartnerInvitationStore.page(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection).map {
                    ($0.id, try $0.json(vault: vault, at: workspace.now(world), on: connection))
                }
            }
            return ListAnswer.response(found, page, cursor: \.0.text, json: \.1)
        }
        api.write(
            .post, "/partner-invitations/{id}/letters", id: "sendPartnerInvitationAgain", "Send an invitation again, with a new link", tag: "Joining",
            access: .right(.membersWrite), body: nil, answer: .reference("PartnerInvitation"), failures: [409, 422],
            decode: { _, context in try context.id(PartnerInvitationKind.self) }
        ) { id, write in
            let sent = try PartnerInvitation.send(id, again: PartnerInvitation.url(installation, of: write.workspace.id), in: write)
            return Answer(try sent.json(vault: write.vault, at: write.now, on: write.connection), person: sent.personID)
        }
        api.write(
            .delete, "/partner-invitations/{id}", id: "withdrawPartnerInvitation", "Withdraw an invitation and forget who was meant", tag: "Joining",
            access: .right(.membersWrite), body: nil, answer: .reference("PartnerInvitation"), failures: [409],
            decode: { _, context in try context.id(PartnerInvitationKind.self) }
        ) { id, write in
            Answer(try PartnerInvitation.withdraw(id, in: write).json(vault: write.vault, at: write.now, on: write.connection))
        }
        api.read(
            "/programs/{id}/sources", id: "listSources", "What the places bring that applicants come from", tag: "Joining", access: .right(.membersRead),
            answer: .array(.reference("SourceQuality"))
        ) { _, context, caller in
            let id: ProgramID = try context.id()
            let world = installation.world
            let found = try await installation.main.read { connection -> [SourceQuality]? in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return nil }
                let now = workspace.now(world)
                guard let program = try ProgramStore.find(id, in: workspace.id, at: now, on: connection) else { return nil }
                return try SourceQualityStore.of(program, in: workspace.id, at: now, on: connection)
            }
            guard let found else { throw Refusal.unknownProgram() }
            return ListAnswer.one(.array(found.map(\.json)))
        }
    }
}
