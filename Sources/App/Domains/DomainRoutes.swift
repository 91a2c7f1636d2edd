import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// A company's own hosts and the sites that may frame its portal, for programs; and what a TLS proxy asks before it gets a certificate.
enum DomainRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let changed: @Sendable () -> Void = { installation.hosts.forget() }
        api.write(
            .post, "/domains", id: "addDomain", "Ask for a host of the company's own; the answer says what to enter in its DNS", tag: "Domains",
            access: .right(.workspaceWrite), body: .object([.required("host", .described(.string(maximumLength: 253), description: "A host name.", example: "partners.shop.example"))]),
            answer: shape, status: 201, decode: { body, _ in body.custom("host", standIn: nil, readHost) }
        ) { host, write in
            guard let host else { throw Refusal.field("host", hostAllowed) }
            return Answer(try CompanyDomain.add(host, ownHost: installation.ownHost, in: write).json(installation), status: 201)
        }
        api.read("/domains", id: "listDomains", "The company's hosts, with what their last check found", tag: "Domains", access: .right(.workspaceRead), answer: .object([.required("data", .array(shape))])) {
            _, _, caller in
            let domains = try await installation.main.read { connection in try DomainStore.list(in: caller.workspaceID, on: connection) }
            return ListAnswer.one(["data": .array(domains.map { $0.json(installation) })])
        }
        api.write(
            .post, "/domains/{host}/check", id: "checkDomain", "Look now whether the proof is there", tag: "Domains", access: .right(.workspaceWrite), body: nil,
            answer: shape, failures: [404, 422], preparationChanges: true, afterwards: changed, decode: { _, context in try host(context) },
            prepare: { host, _, caller in try await installation.checkDomain(host, in: caller.workspaceID, actor: caller.actor) }
        ) { domain, _ in Answer(domain.json(installation)) }
        api.write(
            .put, "/domains/{host}/main", id: "setMainDomain", "Have letters and links name this host", tag: "Domains", access: .right(.workspaceWrite), body: nil,
            answer: shape, failures: [409], afterwards: changed, decode: { _, context in try host(context) }
        ) { host, write in Answer(try CompanyDomain.makeMain(host, in: write).json(installation)) }
        api.write(
            .delete, "/domains/{host}", id: "removeDomain", "Give a host up", tag: "Domains", access: .right(.workspaceWrite), body: nil,
            answer: .object([.required("host", .text), .required("removed", .boolean)]), afterwards: changed, decode: { _, context in try host(context) }
        ) { host, write in
            try CompanyDomain.remove(host, in: write)
            return Answer(["host": .text(host), "removed": true])
        }
        addEmbedding(to: &api)

        api.table.note(.get, askPath)
        api.router.on(RouterPath(askPath), method: .get) { request, _ in
            let asked = request.uri.queryParameters["domain"].flatMap { HostName(authority: String($0)) }
            guard let asked, installation.hosts.isVerified(asked) || asked.text == installation.ownHost else { throw Problem.notFound(detail: "No company of this server has proved this host.") }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: asked.text + "\n")))
        }
    }

    private static func addEmbedding(to api: inout API) {
        let installation = api.installation
        let answer = APISchema.object([.required("origins", .array(.text))])
        api.read("/embedding", id: "getEmbedding", "Sites whose pages may show the portal in a frame", tag: "Embedding", access: .right(.workspaceRead), answer: answer) {
            _, _, caller in
            let origins = try await installation.main.read { connection in try EmbeddingStore.origins(of: caller.workspaceID, on: connection) }
            return ListAnswer.one(["origins": .array(origins.map { .text($0) })])
        }
        api.write(
            .put, "/embedding", id: "setEmbedding", "Say which sites' pages may show the portal in a frame; none by default", tag: "Embedding",
            access: .right(.workspaceWrite),
            body: .object([.required("origins", .array(.string(maximumLength: 300), maximumCount: EmbedOrigin.countMax))]), answer: answer,
            afterwards: { installation.hosts.forget() },
            decode: { body, _ in
                // To forget the list is no way to empty it.
                if !body.has("origins") { body.note("origins", "Is required.") }
                let texts = body.textList("origins", maximumCount: EmbedOrigin.countMax, maximumLength: 300)
                return texts.compactMap { text -> String? in
                    guard let origin = EmbedOrigin.read(text) else {
                        body.note("origins", EmbedOrigin.allowed)
                        return nil
                    }
                    return origin
                }
            }
        ) { origins, write in
            try EmbedOrigin.set(origins, in: write)
            return Answer(["origins": .array(origins.map { .text($0) })])
        }
    }

    /// What TLS proxies ask.
    static let askPath = "/domains/ask"
    static let hostAllowed = "Must be a host name such as partners.shop.example, not an address."

    private static func readHost(_ value: JSONValue) -> JSONReader.Reading<HostName?> {
        guard case .text(let text) = value, let host = HostName(typed: text) else { return .refused(hostAllowed) }
        return .accepted(host)
    }

    private static func host(_ context: KithContext) throws -> String {
        guard let host = context.parameters.get("host").flatMap({ HostName(typed: $0.removingPercentEncoding ?? $0) }) else { throw Refusal.unknown("domain") }
        return host.text
    }

    private static let shape = APISchema.object([
        .required("host", .text), .required("state", .enumeration(CompanyDomain.State.allCases.map(\.rawValue))), .required("isMain", .boolean), .required("url", .text),
        .required("records", .array(.object([.required("type", .text), .required("name", .text), .required("value", .text), .required("purpose", .text)]))),
        .required("file", .object([.required("url", .text), .required("content", .text)])),
        .required(
            "found",
            .object([
                .required("proof", .enumeration(["none", "record", "file"])), .required("texts", .array(.text)), .required("names", .array(.text)),
                .required("addresses", .array(.text)), .required("record", .text), .required("file", .text),
            ])),
        .required("checkedAt", .nullable(.dateTime)), .required("verifiedAt", .nullable(.dateTime)), .required("failingSince", .nullable(.dateTime)),
        .required("nextCheckAt", .dateTime), .required("createdAt", .dateTime),
    ])
}

extension CompanyDomain {
    func json(_ installation: Installation) -> JSONValue {
        [
            "host": .text(host), "state": .text(state.rawValue), "isMain": .boolean(isMain), "url": .text(installation.address(ofHost: host)),
            "records": [
                ["type": "TXT", "name": .text(recordName), "value": .text(proof), "purpose": "proves that the host is yours"],
                ["type": "CNAME", "name": .text(host), "value": .text(installation.ownHost), "purpose": "leads people to this server; an A record where a CNAME can't be"],
            ],
            "file": ["url": .text("https://\(host)\(Self.filePath)"), "content": .text(proof)], "found": finding.json,
            "checkedAt": checkedAt.map { .text($0.rfc3339) } ?? .null, "verifiedAt": verifiedAt.map { .text($0.rfc3339) } ?? .null,
            "failingSince": failingSince.map { .text($0.rfc3339) } ?? .null, "nextCheckAt": .text(nextCheckAt.rfc3339), "createdAt": .text(createdAt.rfc3339),
        ]
    }
}
