import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Persistence
import Web

enum EmbedRoutes {
    /// What `GET /embed/member` shows at most.
    static let linksMax = 100

    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/tokens/embed", id: "createEmbedToken", "Make a short-lived token that shows a page one member's own things", tag: "Embedding",
            access: .right(.membersWrite), body: input,
            answer: .object([
                .required("token", .nullable(.text)), .required("expiresAt", .dateTime), .required("memberId", .text),
                .required("portalUrl", .described(.nullable(.text), description: "Opens the portal once; where portal was asked for.")),
                .required("widgetUrl", .described(.nullable(.text), description: "Shows the widget, in a frame of a site that may show it or by itself; where a widget was asked for.")),
                .required("embedUrl", .described(.nullable(.text), description: "Opens the portal once in a frame of a site that may show it; where portal was asked for.")),
            ]), status: 201, failures: [404],
            decode: { body, _ in read(body) }
        ) { wish, write in
            let member = try wish.find(in: write)
            guard member.mayEnterPortal else { throw Problem.forbidden(code: "member_closed", detail: "This member may not enter the portal.") }
            // Whoever is in the portal can say where money goes.
            if wish.wantsPortal, !write.rights.contains(.payoutsWrite) {
                throw Problem.forbidden(code: "missing_right", detail: "A portal link needs the right \(Right.payoutsWrite.rawValue), which this key does not have.")
            }
            let token = try EmbedToken(of: member, at: write.world.now())
            let link = wish.wantsPortal ? try MagicLink.make(for: member.id, lifeMs: EmbedToken.lifeMs, in: write) : nil
            let framed = wish.wantsPortal ? try EmbedToken(of: member, for: .portal, at: write.world.now()) : nil
            if wish.wantsWidget { try WidgetLink.ensure(member, in: write) }
            let shown = wish.wantsWidget ? try EmbedToken(of: member, for: .widget, at: write.world.now()) : nil
            try write.audit("embed.token", subject: member.id.text)
            return Answer(
                [
                    "token": .text(token.text(installation.secrets)), "expiresAt": .text(token.expiresAt.rfc3339), "memberId": .text(member.id.text),
                    "embedUrl": framed.map { .text("\(installation.publicURL(of: write.workspace.id))\(EmbedEntrance.path)?token=\($0.text(installation.secrets))") } ?? .null,
                    "widgetUrl": shown.map { .text("\(installation.publicURL(of: write.workspace.id))\(WidgetPages.path)?token=\($0.text(installation.secrets))") } ?? .null,
                    "portalUrl": link.map { .text(MagicLink.url($0, of: write.workspace.id, installation)) } ?? .null,
                ], status: 201, secrets: ["token", "portalUrl", "embedUrl", "widgetUrl"])
        }
        api.embedded(
            "/embed/member", id: "getEmbeddedMember", "What a page may show the member of its token: name, links, balances", tag: "Embedding",
            answer: .object([
                .required("memberId", .text), .required("name", .nullable(.text)), .required("stage", .text), .required("expiresAt", .dateTime),
                .required(
                    "links",
                    .array(.object([.required("programId", .text), .required("code", .text), .required("url", .text), .required("qrUrl", .text)]))),
                .required("balances", .array(.reference("Balance"))),
            ])
        ) { token in
            try await installation.main.read { [vault = installation.vault, baseURL = installation.publicURL(of: token.workspaceID)] connection in
                guard let member = try MemberStore.find(token.memberID, in: token.workspaceID, on: connection), member.mayEnterPortal else {
                    throw Problem.unauthorized(detail: "The member of this token is not there any more.")
                }
                let name = try PersonStore.fields(of: [member.personID], [.name], vault: vault, on: connection)[member.personID]?[.name]
                let links = try LinkStore.list(in: token.workspaceID, program: nil, member: member.id, after: nil, limit: linksMax, on: connection)
                let balances = try Journal.balances(workspace: token.workspaceID.text, member: member.id.text, on: connection)
                return [
                    "memberId": .text(member.id.text), "name": name.map { .text($0) } ?? .null, "stage": .text(member.stage.rawValue),
                    "expiresAt": .text(token.expiresAt.rfc3339),
                    "links": .array(
                        links.map {
                            [
                                "programId": .text($0.programID.text), "code": .text($0.code), "url": .text($0.url(baseURL: baseURL)),
                                "qrUrl": .text($0.qrURL(baseURL: baseURL)),
                            ]
                        }), "balances": .array(balances.map(\.json)),
                ]
            }
        }
    }

    private static let input = APISchema.object([
        .optional("memberId", Schemas.memberReference), .optional("externalId", .string(maximumLength: 255)), .optional("email", .email),
        .optional("portal", .described(.boolean, description: "Also make a link that opens the portal once; takes payouts:write as well.")),
        .optional("widget", .described(.boolean, description: "Also make an address that shows the widget; a member without a link gets one.")),
    ])

    private static func read(_ body: JSONReader) -> EmbedWish {
        let member = body.optionalCustom("memberId") { value -> JSONReader.Reading<MemberReference> in
            if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
            return .refused(MemberReference.allowed)
        }
        let external = body.optionalCustom("externalId", Normalised.readExternalID)
        let email = body.optionalCustom("email", Normalised.readEmail)
        if member != nil, external != nil { body.note("externalId", "Must not be given together with memberId.") }
        // A shop whose own account is missing sends null: that is no wish to be found by another name.
        for field in ["memberId", "externalId", "email"] where body.isNull(field) { body.note(field, "Must not be null: leave it out.") }
        if !body.has("memberId"), !body.has("externalId"), !body.has("email") { body.note("memberId", "Must be given, or else externalId or email.") }
        return EmbedWish(
            member: member ?? external.map { .external($0) }, email: email, wantsPortal: body.optionalBoolean("portal") ?? false,
            wantsWidget: body.optionalBoolean("widget") ?? false)
    }
}

extension API {
    /// A reading call of pages that show an embed token in place of a key.
    mutating func embedded(
        _ path: String, id: String, _ summary: String, tag: String, answer: APISchema,
        _ handler: @escaping @Sendable (EmbedToken) async throws -> JSONValue
    ) {
        let operation = Operation(.get, path, id: id, summary: summary, tag: tag, access: Access.embedToken, answer: answer)
        table.add(operation, to: router) { [installation, limiter] request, context in
            guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer "),
                let token = EmbedToken(text: String(header.dropFirst("bearer ".count)), installation.secrets, at: installation.world.now()),
                // The others do what they are for, and travelled in an address.
                token.use == .reading, context.isOf(token.workspaceID)
            else { throw Problem.unauthorized(detail: "Send a token of POST /tokens/embed as Authorization: Bearer kith_et_…; it may have expired.") }
            if let taken = limiter?.take(token.memberID.text), !taken.isAllowed { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
            try QueryCheck.check(request, [])
            var response = ListAnswer.one(try await handler(token))
            response.headers[.cacheControl] = "no-store"
            return response
        }
    }
}
