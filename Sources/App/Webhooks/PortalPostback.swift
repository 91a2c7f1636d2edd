import Hummingbird
import Persistence
import Web

/// A member's own tracker in their profile, where a program of theirs allows it.
struct PortalPostback: PageModel {
    var url: String
    var error: String?
    var isDisabled: Bool
    var language: PageLanguage

    var page: PageObject {
        [
            "text": .text(language("portalProfile.postbackText", ["macros": Self.macros])), "url": .text(url), "error": PageValue(error),
            "gone": PageValue(isDisabled ? language("portalProfile.postbackGone") : nil),
        ]
    }

    private static let macros = Postback.Macro.allCases.map(\.rawValue).joined(separator: " ")

    /// Nil where no program allows it.
    static func load(_ visit: PortalVisit, typed: FormFields?, error: String?, on connection: any Connection) throws -> PortalPostback? {
        let (member, workspace) = (visit.member.id, visit.workspaceID)
        let endpoint = try WebhookEndpointStore.find(member: member, in: workspace, on: connection)
        guard try endpoint != nil || Postback.isAllowed(to: member, in: workspace, at: visit.now, on: connection) else { return nil }
        let known = try endpoint?.urlSealed.flatMap { try Postback.url($0, of: member, in: workspace, vault: visit.installation.vault, on: connection) }
        return PortalPostback(url: typed?["url"] ?? known ?? "", error: error, isDisabled: endpoint?.state == .disabled, language: visit.language)
    }

    static func save(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let url = (fields["url"] ?? "").trimmingPrefix { $0 == " " }.description
        let member = visit.member
        if url.isEmpty {
            try await visit.write { write in try Postback.remove(of: member.id, in: write) }
        } else if let fault = Postback.fault(url, WebhookURL(visit.installation.settings)) {
            let sentence = visit.language("webhooks.fault.\(fault.rawValue)", ["macros": macros])
            return try await PortalProfile.show(visit, errors: ["postback": sentence], typed: fields)
        } else {
            try await visit.write { write in try Postback.set(url, of: member, in: write) }
        }
        return visit.seeOther("/portal/profile?saved=postback#postback")
    }
}
