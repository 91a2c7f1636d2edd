import Hummingbird
import Web

/// What stands around a page's content.
struct PageFrame: PageModel {
    enum Kind: String, Sendable {
        /// Operators who are signed in.
        case page
        /// Operators who are not: sign-in and problems.
        case bare
        /// People who do not run the program.
        case `public`
        /// Members who are signed in.
        case portal
    }

    struct Notice: Sendable {
        var kind: String
        var icon: String
        var text: String
        /// Takes back what the notice tells of.
        var undo: Undo?

        struct Undo: Sendable {
            var action: String
            var fields: [(String, String)]
            var label: String
        }
    }

    var kind: Kind
    var title: String
    var fields: PageObject

    var page: PageObject {
        var all = fields
        all["title"] = .text(title)
        return all
    }

    /// A frame without a person. Search engines may list a page that `isListed`; never one whose address is known to one person alone.
    /// `company`: whose page it is, with its name or logo above it and in its colours; `canonical`: the address that it has.
    static func plain(
        _ kind: Kind, title: String, isListed: Bool = false, company: Workspace? = nil, canonical: String? = nil, site: Site, language: PageLanguage,
        nonce: String
    ) -> PageFrame {
        var fields = common(site, language, nonce, brandURL: company?.themeURL)
        fields["listed"] = .flag(isListed)
        fields["company"] = company?.sign ?? .nothing
        fields["script"] = .nothing
        fields["canonical"] = PageValue(canonical)
        fields["social"] = .nothing
        return PageFrame(kind: kind, title: title, fields: fields)
    }

    /// The frame of a person's page.
    static func page(
        title: String, current: String?, isNarrow: Bool = false, notice: Notice? = nil, visit: PageVisit
    ) -> PageFrame {
        let language = visit.language
        let session = visit.session
        var fields = common(visit.site, language, visit.context.scriptNonce, brandURL: session.workspace.accentURL)
        let role = language("role.\(session.role.rawValue)")
        fields["csrfToken"] = .text(session.csrf(visit.installation).text())
        fields["workspace"] = [
            "name": .text(session.workspace.name), "about": nil, "url": "/", "test": .flag(session.workspace.isTest),
        ]
        fields["find"] = ["action": "/search", "value": .text(current == "/search" ? visit.query["q"] ?? "" : "")]
        fields["navigation"] = Navigation.model(current: current, session: session, language: language)
        fields["person"] = [
            "name": .text(session.name ?? role), "initials": .text(Initials.of(session.name ?? role)), "role": .text(role),
        ]
        let twin = session.switches.first { $0.teamID == session.workspace.teamID }
        fields["twin"] = PageValue(
            twin.map { twin in
                let here: PageObject = ["label": .text(language(session.workspace.isTest ? "frame.isTest" : "frame.isLive")), "current": .flag(true)]
                let there: PageObject = ["label": .text(language(twin.isTest ? "frame.isTest" : "frame.isLive")), "current": .flag(false)]
                return PageObject([
                    "workspaceId": .text(twin.id.text), "next": .text(current ?? "/"), "label": .text(language("frame.which")),
                    "choices": PageValue(session.workspace.isTest ? [there, here] : [here, there]),
                ])
            })
        fields["switches"] = PageValue(
            session.switches.filter { $0.id != twin?.id }.map { target in
                PageObject([
                    "workspaceId": .text(target.id.text),
                    "label": .text(
                        target.teamID == session.workspace.teamID
                            ? language(target.isTest ? "frame.toTest" : "frame.toLive") : language("frame.toOther", ["name": target.name])),
                ])
            })
        fields["narrow"] = .flag(isNarrow)
        fields["notice"] = PageValue(
            notice.map { notice in
                PageObject([
                    "kind": .text(notice.kind), "icon": .text(notice.icon), "text": .text(notice.text),
                    "undo": PageValue(
                        notice.undo.map { undo in
                            PageObject([
                                "action": .text(undo.action), "label": .text(undo.label),
                                "fields": PageValue(undo.fields.map { PageObject(["name": .text($0.0), "value": .text($0.1)]) }),
                            ])
                        }),
                ])
            })
        return PageFrame(kind: .page, title: title, fields: fields)
    }

    static func common(_ site: Site, _ language: PageLanguage, _ nonce: String, brandURL: String?) -> PageObject {
        func url(_ name: String) -> PageValue { .text(site.assets.url(for: name)) }
        let isRightToLeft = language.messages.isRightToLeft
        return [
            "lang": .text(language.messages.locale), "dir": .text(isRightToLeft ? "rtl" : "ltr"), "theme": nil, "nonce": .text(nonce),
            "assets": [
                "icon": url("icon.svg"), "font": url("inter.woff2"), "bootstrap": url(isRightToLeft ? "bootstrap.rtl.min.css" : "bootstrap.min.css"),
                "tokens": url("tokens.css"), "brand": PageValue(brandURL), "operator": url("operator.css"), "portal": url("portal.css"),
                "theme": url("theme.js"), "page": url("page.js"),
            ],
        ]
    }
}

/// The first letters of a name, for the round sign beside it.
enum Initials {
    static func of(_ name: String) -> String {
        let words = name.split(whereSeparator: { $0.isWhitespace || $0 == "@" || $0 == "." || $0 == "-" }).filter { $0.first?.isLetter ?? false }
        guard let first = words.first?.first else { return String(name.prefix(1)).uppercased() }
        guard words.count > 1, let last = words.last?.first else { return String(first).uppercased() }
        return String([first, last]).uppercased()
    }
}
