import HTTPTypes
import Persistence
import Web

/// Letters of members to friends, and complaints about them, for programs.
enum FriendInvitationRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/members/{id}/invitations", id: "inviteFriends", "Write to friends of a member, on the member's behalf: to all or to none", tag: "Friends",
            access: .right(.membersWrite),
            body: .object([
                .required(
                    "emails",
                    .described(
                        .array(.string(maximumLength: Normalised.emailLengthMax), maximumCount: FriendInvitation.atOnceMax),
                        description: "At most \(FriendInvitation.atOnceMax). They are kept nowhere: only sealed in the letters, until these have gone out.")),
                .optional("words", .described(.string(maximumLength: FriendInvitation.wordsLengthMax), description: "In the member's own words, without addresses of web pages.")),
                .required("confirmed", .described(.boolean, description: "True: the member said that they know these people and may write to them.")),
                .optional("programId", .text),
            ]), answer: .object([.required("sent", .integer()), .required("counts", .reference("InvitationCounts"))]), status: 201, failures: [409],
            decode: { body, context in
                if !body.has("emails") { body.note("emails", "Is required.") }
                return (
                    member: try MemberReference.of(context),
                    input: FriendInvitationInput(
                        programID: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
                        emails: body.textList("emails", maximumCount: FriendInvitation.atOnceMax, maximumLength: Normalised.emailLengthMax),
                        words: body.optionalText("words", maximumLength: FriendInvitation.wordsLengthMax, allowsEmpty: true) ?? "",
                        isConfirmed: body.boolean("confirmed"))
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            let addresses = FriendInvitation.Addresses(installation, of: write.workspace.id)
            let sent = try FriendInvitation.send(input.input, by: member, addresses: addresses, in: write)
            return Answer(["sent": .integer(sent.count), "counts": sent.counts.json(of: member.id)], status: 201)
        }
        api.read(
            "/members/{id}/invitations", id: "getInvitationCounts", "What a member's letters to friends brought, by the link in them", tag: "Friends",
            access: .right(.membersRead), answer: .reference("InvitationCounts")
        ) { _, context, caller in
            let reference = try MemberReference.of(context)
            let (world, vault) = (installation.world, installation.vault)
            let found = try await installation.main.read { connection -> (MemberID, InvitationCounts)? in
                guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: vault, on: connection),
                    let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection)
                else { return nil }
                return (member.id, try InvitationStore.counts(of: member.id, at: workspace.now(world), on: connection))
            }
            guard let found else { throw Refusal.unknown("member") }
            return ListAnswer.one(found.1.json(of: found.0))
        }
        api.write(
            .delete, "/members/{id}/invitations/pause", id: "resumeInvitations", "Let a member write to friends again after complaints", tag: "Friends",
            access: .right(.membersWrite), body: nil, answer: .object([.required("memberId", .text)]),
            decode: { _, context in try MemberReference.of(context) }
        ) { reference, write in
            let member = try Member.ofPath(reference, in: write)
            try Complaint.forgive(member.id, in: write)
            return Answer(["memberId": .text(member.id.text)])
        }
        api.read(
            "/complaints", id: "listComplaints", "What friends said about letters and links they did not want", tag: "Friends", access: .right(.membersRead),
            parameters: APIParameter.page + [APIParameter("memberId", .text)], answer: .page(.reference("Complaint"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, ComplaintKind.self)
            let member = try Query.id("memberId", MemberKind.self, in: request)
            let found = try await installation.main.read { connection in
                try ComplaintStore.page(in: caller.workspaceID, member: member, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(found, page, cursor: \.id.text, json: \.json)
        }
    }
}
