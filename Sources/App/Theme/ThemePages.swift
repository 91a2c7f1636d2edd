import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// The theme editor: what can be set, beside it how it looks, below it whether all of it can be read.
enum ThemePages {
    static let path = "/settings/theme"
    /// Seen in a frame of the page alone.
    static let previewPath = path + "/preview"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/settings/theme", .workspaceRead, gate) { visit in try await show(visit, nil) }
        api.form(path, .workspaceWrite, gate) { visit, fields in try await take(visit, fields) }
        api.page(previewPath, .workspaceRead, gate) { visit in try preview(visit) }
        api.page(previewPath + ".css", .workspaceRead, gate) { visit in
            let theme = ThemeDraft(visit.query).theme(from: try await current(visit)).theme
            let only = Theme.Scheme(rawValue: visit.query["only"] ?? "")
            return BrandFiles.sheet(theme.css(fontURL: visit.site.assets.url(for: "inter.woff2"), only: only), isFixed: false)
        }
        api.form(path + "/logo-removal", .workspaceWrite, gate) { visit, _ in
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Theme.setLogo(nil, in: write)
            }
            return visit.seeOther(path + "?done=logoRemoved")
        }
        // A file comes in another shape than the fields of the other forms.
        api.table.note(.post, path + "/logo")
        api.router.post("/settings/theme/logo") { request, context in
            try await gate.visit(request, context) { visit in try await takeLogo(visit, request) }
        }
    }

    private static func current(_ visit: PageVisit) async throws -> Theme {
        let workspace = visit.session.workspace
        return try await visit.installation.main.read { connection in try ThemeStore.find(workspace, on: connection) }
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let draft = ThemeDraft(fields)
        let before = try await current(visit)
        let (theme, errors) = draft.theme(from: before)
        guard errors.isEmpty, fields["step"] != "preview" else { return try await show(visit, draft) }
        guard ThemeContrast.of(theme).allSatisfy(\.passes) else { return try await show(visit, draft, isRefused: true) }
        let change = ThemeChange(
            accent: nil, hue: theme.hue, radiusPx: theme.radiusPx, typeface: theme.typeface, scheme: theme.scheme, tokens: theme.tokens, vivid: theme.vivid)
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            _ = try Theme.change(change, in: write)
        }
        return visit.seeOther(path + "?done=saved")
    }

    private static func takeLogo(_ visit: PageVisit, _ request: Request) async throws -> Response {
        guard visit.session.may(.workspaceWrite) else {
            throw Problem.forbidden(code: "missing_right", detail: "This needs the right \(Right.workspaceWrite.rawValue).")
        }
        let bytes = Array(buffer: try await request.bodyBytes(maximumBytes: ThemeLogo.bytesMax + 8 * 1024))
        guard let form = MultipartFile(contentType: request.headers[.contentType], body: bytes) else {
            throw Problem.badRequest(code: "malformed_form", detail: "The form holds no file.")
        }
        try CSRFCheck(request, visit.installation).verify(request, token: visit.session.csrf(visit.installation), submitted: form.fields[CSRFToken.fieldName] ?? "")
        switch ThemeLogo.read(form.file) {
        case .failure(let fault): return try await show(visit, nil, logoFault: fault)
        case .success(let logo):
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Theme.setLogo(logo, in: write)
            }
            return visit.seeOther(path + "?done=logo")
        }
    }

    private static func show(_ visit: PageVisit, _ typed: ThemeDraft?, isRefused: Bool = false, logoFault: ThemeLogo.Fault? = nil) async throws -> Response {
        let saved = try await current(visit)
        let draft = typed ?? ThemeDraft(saved)
        let (theme, errors) = draft.theme(from: saved)
        let model = ThemeModel(
            draft: draft, theme: theme, errors: errors, isRefused: isRefused, isPreview: typed != nil && !isRefused && errors.isEmpty, logoFault: logoFault,
            workspace: visit.session.workspace, mayWrite: visit.session.may(.workspaceWrite), csrfToken: visit.csrfToken, language: visit.language)
        let isFaulty = isRefused || !errors.isEmpty || logoFault != nil
        var response = try visit.page(
            "theme-show", title: visit.language("theme.title"), current: path, notice: visit.done("theme", ["saved", "logo", "logoRemoved"]),
            status: isFaulty ? .unprocessableContent : .ok, model.page)
        // The look beside the form is a page in a page.
        response.headers[.contentSecurityPolicy] = ContentSecurityPolicy.standard.setting("frame-src", "'self'").text(nonce: visit.context.scriptNonce)
        return response
    }

    /// A page of the portal's parts in the draft's look, for the frame beside the form.
    private static func preview(_ visit: PageVisit) throws -> Response {
        var frame = PageFrame.plain(
            .public, title: visit.language("theme.preview"), company: visit.session.workspace, site: visit.site, language: visit.language,
            nonce: visit.context.scriptNonce)
        frame.setBrand(previewPath + ".css?" + (visit.request.uri.query ?? ""))
        var response = try visit.site.response(frame: frame, content: "theme-preview", ["workspace": .text(visit.session.workspace.name)], in: visit.language)
        response.headers[.contentSecurityPolicy] = ContentSecurityPolicy.standard.setting("frame-ancestors", "'self'").text(nonce: visit.context.scriptNonce)
        return response
    }
}

extension PageFrame {
    fileprivate mutating func setBrand(_ url: String) {
        guard case .object(var assets)? = fields["assets"] else { return }
        assets["brand"] = .text(url)
        fields["assets"] = .object(assets)
    }
}

/// The editor's form as it was typed.
struct ThemeDraft: Sendable {
    var accent: String
    var radius: String
    var typeface: String
    var scheme: String
    var tokens: String

    init(_ theme: Theme) {
        (accent, radius, typeface, scheme) = (theme.accent.hex, String(theme.radiusPx), theme.typeface.rawValue, theme.scheme.rawValue)
        tokens = ThemeLines.text(theme.tokens)
    }

    init(_ fields: FormFields) {
        accent = String((fields["accent"] ?? "").prefix(ThemeColour.lengthMax))
        radius = String((fields["radius"] ?? "").prefix(10))
        typeface = String((fields["typeface"] ?? "").prefix(20))
        scheme = String((fields["scheme"] ?? "").prefix(20))
        tokens = String((fields["tokens"] ?? "").prefix(ThemeLines.lengthMax))
    }

    enum Fault: Sendable { case accent, radius, lines([ThemeLines.Fault]) }

    /// The theme that is meant; what can't be read stays as it was.
    func theme(from before: Theme) -> (theme: Theme, errors: [Fault]) {
        var theme = before
        var errors: [Fault] = []
        if let colour = ThemeColour(css: accent) {
            // The same colour again must not drift by rounding.
            if colour.hex != before.accent.hex { theme.setAccent(colour) }
        } else if !accent.isEmpty {
            errors.append(.accent)
        }
        if let number = Int(radius), (0...Theme.radiusMaxPx).contains(number) { theme.radiusPx = number } else if !radius.isEmpty { errors.append(.radius) }
        theme.typeface = Theme.Typeface(rawValue: typeface) ?? before.typeface
        theme.scheme = Theme.Scheme(rawValue: scheme) ?? before.scheme
        let (read, faults) = ThemeLines.read(tokens)
        theme.tokens = read
        if !faults.isEmpty { errors.append(.lines(faults)) }
        return (theme, errors)
    }

    /// For the address of the look beside the form.
    var query: String {
        [("accent", accent), ("radius", radius), ("typeface", typeface), ("scheme", scheme), ("tokens", tokens)]
            .map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
    }
}
