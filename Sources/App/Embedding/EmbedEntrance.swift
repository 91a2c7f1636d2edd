import Crypto
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The portal in a frame of another site's page: a short-lived token is changed once for a session of its own.
struct EmbedEntrance: Sendable {
    static let path = "/embed"
    static let endedPath = "/embed/ended"
    /// As long as a session's token stands: what a frame's session has is never renewed.
    static let sessionMs: Int64 = PortalDoor.rotateMs

    let installation: Installation
    let site: Site

    static func add(to api: inout API, site: Site) {
        let entrance = EmbedEntrance(installation: api.installation, site: site)
        for path in [path, endedPath] { api.table.note(.get, path) }
        api.router.get("/embed") { request, context in try await entrance.enter(request, context) }
        api.router.get("/embed/ended") { request, context in try entrance.ended(request, context) }
    }

    func enter(_ request: Request, _ context: KithContext) async throws -> Response {
        let text = request.uri.queryParameters["token"].map(String.init) ?? ""
        let now = installation.world.now()
        guard let token = EmbedToken(text: text, installation.secrets, at: now), token.use == .portal, context.isOf(token.workspaceID),
            let session = try await begin(token, text)
        else { return try ended(request, context) }
        var response = Response(status: .seeOther, headers: [.location: "/portal", .cacheControl: "no-store", .referrerPolicy: "no-referrer"])
        response.mayBeFramed(by: installation.hosts.origins(of: token.workspaceID), nonce: context.scriptNonce)
        response.setPartitioned(PortalDoor.cookie, value: session.text, maximumAgeSeconds: Int(Self.sessionMs / 1000))
        return response
    }

    /// Uses the token up and begins a session; nil when it was used before, or its member may not come in.
    private func begin(_ token: EmbedToken, _ text: String) async throws -> SessionToken? {
        let door = PortalDoor(installation)
        let hash = Array(SHA256.hash(data: Array(text.utf8)))
        return try await installation.write(token.workspaceID, actor: .member(token.memberID)) { write in
            guard let member = try MemberStore.find(token.memberID, in: write.workspace.id, on: write.connection), member.mayEnterPortal,
                try EmbeddingStore.use(hash, until: token.expiresAt, at: write.world.now(), on: write.connection)
            else { return nil }
            // A frame leaves no browser to remember.
            return try door.begin(for: member.id, on: nil, lifeMs: Self.sessionMs, in: write)
        }
    }

    /// Nothing of anybody stands on it, so any site may show it.
    func ended(_ request: Request, _ context: KithContext) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc, audience: .friends)
        var response = try site.response(
            frame: .plain(.public, title: language("embedEnded.title"), site: site, language: language, nonce: context.scriptNonce), content: "embed-ended", [:],
            in: language, status: .gone)
        response.headers[.contentSecurityPolicy] = ContentSecurityPolicy.standard.setting("frame-ancestors", "*").text(nonce: context.scriptNonce)
        return response
    }
}

extension Response {
    /// Lets pages of these sites show this one in a frame; without any, nobody's.
    mutating func mayBeFramed(by origins: [String], nonce: String) {
        guard !origins.isEmpty else { return }
        headers[.contentSecurityPolicy] = ContentSecurityPolicy.standard.setting("frame-ancestors", origins.joined(separator: " ")).text(nonce: nonce)
    }
}
