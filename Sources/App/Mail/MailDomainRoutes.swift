import HTTPTypes
import Persistence
import Web

/// Whom a company's letters come from, for programs.
enum MailDomainRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/mail-domain", id: "getMailDomain", "Whom letters come from, what to enter in the domain's DNS, and what the last check found", tag: "Mail",
            access: .right(.workspaceRead), answer: shape, failures: [404]
        ) { _, _, caller in
            let found = try await installation.main.read { connection -> MailDomain? in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return nil }
                return try MailDomainStore.find(workspace, on: connection)
            }
            guard let found else { throw Refusal.unknown("mail domain") }
            return ListAnswer.one(found.json(installation))
        }
        api.write(
            .put, "/mail-domain", id: "setMailDomain", "Say whom letters come from, and what the mail provider tells you to enter", tag: "Mail",
            access: .right(.workspaceWrite),
            body: .object([
                .required("senderAddress", .email), .optional("spfInclude", name("Of the provider's SPF record.", "spf.provider.example")),
                .optional("dkimSelector", name("Of the provider's key.", "s1")),
                .optional("dkimValue", .described(.string(maximumLength: 1_000), description: "The name that the selector leads to, or the text of its key.")),
                .optional("returnPathHost", name("Where letters come back to.", "bounce.shop.example")), .optional("returnPathTarget", name("Where that host leads.", "bounce.provider.example")),
            ]), answer: shape, failures: [409],
            decode: { body, _ in read(body) }
        ) { input, write in Answer(try MailDomain.set(input, in: write).json(installation)) }
        api.write(
            .post, "/mail-domain/check", id: "checkMailDomain", "Ask the name servers now", tag: "Mail", access: .right(.workspaceWrite), body: nil, answer: shape,
            failures: [404], preparationChanges: true, decode: { _, _ in () },
            prepare: { _, _, caller in try await installation.checkMailDomain(in: caller.workspaceID, actor: caller.actor) }
        ) { domain, _ in Answer(domain.json(installation)) }
        api.write(
            .delete, "/mail-domain", id: "removeMailDomain", "Have letters come from the server's own address again", tag: "Mail", access: .right(.workspaceWrite),
            body: nil, answer: .object([.required("removed", .boolean)]), failures: [404], decode: { _, _ in () }
        ) { _, write in
            try MailDomain.remove(in: write)
            return Answer(["removed": true])
        }
    }

    static func read(_ body: JSONReader) -> MailDomainInput {
        func word(_ name: String, _ maximum: Int = 253) -> String { body.optionalText(name, maximumLength: maximum, allowsEmpty: true) ?? "" }
        let input = MailDomainInput(
            senderAddress: body.custom("senderAddress", standIn: "", Normalised.readEmail), spfInclude: word("spfInclude"), dkimSelector: word("dkimSelector"),
            dkimValue: word("dkimValue", 1_000), returnPathHost: word("returnPathHost"), returnPathTarget: word("returnPathTarget"))
        if let fault = input.fault, !input.senderAddress.isEmpty {
            body.note(fault, fault == "returnPathTarget" ? "Must be a host name, given together with returnPathHost." : "Can't be taken: names without spaces, a value only beside its selector.")
        }
        return input
    }

    private static func name(_ description: String, _ example: String) -> APISchema {
        .described(.string(maximumLength: 253), description: description, example: .text(example))
    }

    private static let shape = APISchema.object([
        .required("senderAddress", .text), .required("domain", .text), .required("spfInclude", .text), .required("dkimSelector", .text), .required("dkimValue", .text),
        .required("returnPathHost", .text), .required("returnPathTarget", .text), .required("state", .enumeration(MailDomain.State.allCases.map(\.rawValue))),
        .required(
            "records",
            .array(
                .object([
                    .required("purpose", .enumeration(MailFinding.Kind.allCases.map(\.rawValue))), .required("type", .text), .required("name", .text), .required("value", .text),
                ]))),
        .required(
            "findings",
            .array(
                .object([
                    .required("record", .enumeration(MailFinding.Kind.allCases.map(\.rawValue))), .required("level", .enumeration(MailFinding.Level.allCases.map(\.rawValue))),
                    .required("code", .enumeration(MailFinding.Code.allCases.map(\.rawValue))), .required("found", .text),
                ]))),
        .required("checkedAt", .nullable(.dateTime)),
    ])
}
