import Chronology
import Foundation
import HTTPTypes
import Money
import Persistence
import Web

enum LinkRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/links", id: "listLinks", "Links", tag: "Links", access: .right(.linksRead),
            parameters: APIParameter.page + [APIParameter("programId", .text), APIParameter("memberId", Schemas.memberReference)], answer: .page(.reference("Link"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, LinkKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let member = try await Query.member("memberId", in: request, caller, installation)
            let links = try await installation.main.read { connection in
                try LinkStore.list(
                    in: caller.workspaceID, program: program, member: member, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(links, page, cursor: \.id.text) { $0.json(baseURL: installation.publicURL(of: $0.workspaceID)) }
        }
        api.read("/links/{id}", id: "getLink", "A link with its clicks", tag: "Links", access: .right(.linksRead), answer: .reference("Link")) {
            _, context, caller in
            let id: LinkID = try context.id()
            // Clicks that are on disk but not applied yet are counted here as well.
            try await installation.applyClicks()
            let link = try await installation.main.read { connection in try LinkStore.find(id, in: caller.workspaceID, on: connection) }
            guard let link else { throw Refusal.unknown("link") }
            return ListAnswer.one(link.json(baseURL: installation.publicURL(of: link.workspaceID)))
        }
        api.write(
            .post, "/links", id: "createLink", "Make a link and its code", tag: "Links", access: .right(.linksWrite), body: input,
            answer: .reference("Link"), status: 201, decode: { body, _ in read(body) }
        ) { input, write in Answer(try Link.create(input, in: write).json(baseURL: installation.publicURL(of: write.workspace.id)), status: 201) }
    }

    private static let input = APISchema.object([
        .required("programId", .text), .optional("memberId", Schemas.memberReference), .required("destination", .url),
        .optional("code", .string(maximumLength: Normalised.codeLengthMax)), .optional("host", .string(maximumLength: 253)),
        .optional("kind", .enumeration(Link.Kind.allCases.map(\.rawValue))), .optional("codeRate", .text),
        .optional("codeNeedsReferral", .boolean), .optional("expiresAt", .dateTime),
        .optional(
            "variants", .array(.object([.required("destination", .url), .optional("weight", .integer(1...1_000_000))]), maximumCount: Link.variantsMax)),
        .optional(
            "utm",
            .object(["source", "medium", "campaign", "term", "content"].map { .optional($0, .string(maximumLength: 200)) })),
    ])

    static func read(_ body: JSONReader) -> NewLink {
        NewLink(
            programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
            member: body.optionalCustom("memberId") { value in
                if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                return .refused(MemberReference.allowed)
            },
            destination: body.text("destination", maximumLength: Destination.lengthMax),
            code: body.optionalText("code", maximumLength: Normalised.codeLengthMax), host: body.optionalText("host", maximumLength: 253),
            kind: body.optionalOneOf("kind", Link.Kind.self), codeRate: body.optionalCustom("codeRate", Rate.read),
            codeNeedsReferral: body.optionalBoolean("codeNeedsReferral") ?? false, expiresAt: body.optionalCustom("expiresAt", Instant.read),
            variants: body.array("variants", count: 0...Link.variantsMax) { part in
                Link.Variant(
                    destination: part.text("destination", maximumLength: Destination.lengthMax),
                    weight: part.optionalInteger("weight", in: 1...1_000_000) ?? 1)
            },
            utm: body.optionalObject("utm") { part in
                ["source", "medium", "campaign", "term", "content"].compactMap { name in
                    part.optionalText(name, maximumLength: 200).map { ("utm_\(name)", $0) }
                }
            } ?? [])
    }
}

extension Link {
    func url(baseURL: String) -> String {
        host.isEmpty ? "\(baseURL)/r/\(pathCode)" : "https://\(host)/r/\(pathCode)"
    }

    func qrURL(baseURL: String) -> String { url(baseURL: baseURL) + "/qr.svg" }

    private var pathCode: String { code.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-_"))) ?? code }

    func json(baseURL: String) -> JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "memberId": memberID.map { .text($0.text) } ?? .null, "code": .text(code),
            "kind": .text(kind.rawValue), "url": .text(url(baseURL: baseURL)), "qrUrl": .text(qrURL(baseURL: baseURL)),
            "destination": .text(destination), "expiresAt": expiresAt.map { .text($0.rfc3339) } ?? .null, "clicks": .integer(clicks),
            "clicksLogged": .integer(clicksLogged),
            "variants": .array(variants.map { ["destination": .text($0.destination), "weight": .integer($0.weight)] }),
            "codeRate": codeRate.map { .text($0.text) } ?? .null, "codeNeedsReferral": .boolean(codeNeedsReferral),
            "createdAt": .text(createdAt.rfc3339),
        ]
    }
}
