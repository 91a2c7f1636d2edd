import HTTPTypes
import Persistence
import Web

/// Members' own trackers, set for them.
enum PostbackRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let addresses = WebhookURL(installation.settings)
        let shape = APISchema.object([
            .required("memberId", .text), .required("url", .nullable(.text)), .required("enabled", .boolean), .required("disabledReason", .nullable(.text)),
        ])
        api.read(
            "/members/{id}/postback", id: "getPostback", "The tracker that is told what a member earns", tag: "Webhooks", access: .right(.membersRead),
            answer: shape
        ) { _, context, caller in
            let reference = try MemberReference.of(context)
            return ListAnswer.one(
                try await installation.main.read { connection in
                    guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: installation.vault, on: connection) else {
                        throw Refusal.unknown("member")
                    }
                    return try json(member.id, in: caller.workspaceID, vault: installation.vault, on: connection)
                })
        }
        api.write(
            .put, "/members/{id}/postback", id: "setPostback", "Have a member's tracker told what they earn; a program of theirs must allow it",
            tag: "Webhooks", access: .right(.membersWrite),
            body: .object([
                .required(
                    "url",
                    .described(
                        .string(maximumLength: WebhookEndpoint.urlBytesMax),
                        description: "With the macros \(Postback.Macro.allCases.map(\.rawValue).joined(separator: " ")).",
                        example: "https://tracker.example/p?click={click_id}&amount={commission_amount}"))
            ]), answer: shape, failures: [409],
            decode: { body, context in
                (
                    member: try MemberReference.of(context),
                    url: body.custom("url", standIn: "") { value -> JSONReader.Reading<String> in
                        guard case .text(let text) = value else { return .refused(WebhookURL.Fault.malformed.sentence) }
                        return Postback.fault(text, addresses).map { .refused($0.sentence) } ?? .accepted(text)
                    }
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            try Postback.set(input.url, of: member, in: write)
            return Answer(try json(member.id, in: write.workspace.id, vault: write.vault, on: write.connection), person: member.personID)
        }
        api.write(
            .delete, "/members/{id}/postback", id: "removePostback", "Tell a member's tracker nothing any more", tag: "Webhooks",
            access: .right(.membersWrite), body: nil, answer: shape, decode: { _, context in try MemberReference.of(context) }
        ) { reference, write in
            let member = try Member.ofPath(reference, in: write)
            try Postback.remove(of: member.id, in: write)
            return Answer(try json(member.id, in: write.workspace.id, vault: write.vault, on: write.connection))
        }
    }

    private static func json(_ member: MemberID, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> JSONValue {
        let endpoint = try WebhookEndpointStore.find(member: member, in: workspace, on: connection)
        let url = try endpoint?.urlSealed.flatMap { try Postback.url($0, of: member, in: workspace, vault: vault, on: connection) }
        return [
            "memberId": .text(member.text), "url": url.map { .text($0) } ?? .null, "enabled": .boolean(endpoint?.state == .enabled),
            "disabledReason": endpoint?.disabledReason.map { .text($0.rawValue) } ?? .null,
        ]
    }
}
