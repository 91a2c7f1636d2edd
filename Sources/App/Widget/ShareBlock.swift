import HTTPTypes
import Hummingbird
import Persistence
import Web

/// A member's offer as a piece of a letter: after an order, or in a newsletter.
struct ShareBlock: Sendable {
    enum Place: String, Sendable, CaseIterable { case thanks, newsletter }

    var facts: WidgetFacts
    var place: Place
    var theme: Theme
    var url: String
    var code: String
    var language: PageLanguage

    private var heading: String {
        guard let program = facts.program else { return language("widget.heading.none", ["company": facts.workspace.name]) }
        return FriendOffer(facts.offer, program: program, language: language).both(facts.workspace.name, language)
    }

    private var lead: String { language("shareBlock.lead.\(place.rawValue)") }

    /// What letters without markup say.
    var text: String { "\(heading)\n\(lead)\n\(url)\n\(language("shareBlock.orSay", ["code": code]))" }

    /// Tables and attributes alone, for a mail reader may drop every style sheet.
    func html(_ site: Site) throws -> String {
        let message = "\(language("portalShare.message", ["workspace": facts.workspace.name, "url": url])) \(language("portalShare.disclosure"))"
        return try site.render(
            "share-block",
            [
                "heading": .text(heading), "lead": .text(lead), "url": .text(url),
                "sendURL": .text("mailto:?subject=\(LocalPath.encoded(facts.workspace.name))&body=\(LocalPath.encoded(message))"), "label": .text(language("shareBlock.label")),
                "orSay": .text(language("shareBlock.orSay", ["code": code])), "accent": .text(theme.colour("--accent", isDark: false)?.hex ?? "#0b6b57"),
                "onAccent": .text(theme.colour("--on-accent", isDark: false)?.hex ?? "#ffffff"), "dir": .text(language.messages.isRightToLeft ? "rtl" : "ltr"),
            ], in: language)
    }
}

enum ShareBlockRoutes {
    static func add(to api: inout API, site: Site) {
        let installation = api.installation
        api.read(
            "/members/{id}/share-block", id: "getShareBlock", "A member's offer as HTML and text, for a thank-you mail or a newsletter of the company's", tag: "Embedding",
            access: .right(.membersRead),
            parameters: [APIParameter("for", .enumeration(ShareBlock.Place.allCases.map(\.rawValue)))],
            answer: .object([
                .required("memberId", .text), .required("url", .text), .required("code", .text), .required("html", .text), .required("text", .text),
            ]), failures: [409]
        ) { request, context, caller in
            let reference = try MemberReference.of(context)
            let place = try Query.word("for", ShareBlock.Place.self, in: request) ?? .thanks
            let found = try await installation.main.read { [vault = installation.vault, world = installation.world] connection -> (WidgetFacts, Theme)? in
                guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: vault, on: connection),
                    let facts = try WidgetFacts.find(EmbedToken(of: member, at: world.now()), vault: vault, world: world, on: connection)
                else { return nil }
                return (facts, try ThemeStore.find(facts.workspace, on: connection))
            }
            guard let (facts, theme) = found else { throw Refusal.unknown("member") }
            guard let link = facts.link else {
                throw Problem.conflict(code: "no_link", detail: "The member has no link to share. Make one with POST /links, or POST /tokens/embed with widget.")
            }
            let locale = facts.member.locale ?? site.catalogue.locale(acceptLanguage: request.headers[.acceptLanguage], audience: .friends)
            let messages = site.catalogue.messages(for: locale, audience: .friends)
            let block = ShareBlock(
                facts: facts, place: place, theme: theme,
                url: link.sharedURL(baseURL: installation.publicURL(of: caller.workspaceID), isShared: facts.isShared), code: facts.code ?? link.code.uppercased(),
                language: PageLanguage(messages: messages, zone: .utc))
            return ListAnswer.one([
                "memberId": .text(facts.member.id.text), "url": .text(block.url), "code": .text(block.code), "html": .text(try block.html(site)),
                "text": .text(block.text),
            ])
        }
    }
}
