import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// The theme for programs, and its sheet and logo for browsers.
enum ThemeRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read("/theme", id: "getTheme", "How the portal, letters and public pages look, and whether all of it can be read", tag: "Theme", access: .right(.workspaceRead), answer: shape) {
            _, _, caller in
            let found = try await installation.main.read { connection -> (Workspace, Theme)? in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return nil }
                return (workspace, try ThemeStore.find(workspace, on: connection))
            }
            guard let (workspace, theme) = found else { throw Refusal.unknown("workspace") }
            return ListAnswer.one(theme.json(logoURL: workspace.logoURL.map { installation.publicURL(of: workspace.id) + $0 }))
        }
        api.write(
            .put, "/theme", id: "changeTheme", "Change how the portal, letters and public pages look; what can't be read is refused with what would help",
            tag: "Theme", access: .right(.workspaceWrite), body: input, answer: shape, decode: { body, _ in read(body) }
        ) { change, write in
            let theme = try Theme.change(change, in: write)
            let workspace = try WorkspaceStore.find(write.workspace.id, on: write.connection) ?? write.workspace
            return Answer(theme.json(logoURL: workspace.logoURL.map { installation.publicURL(of: workspace.id) + $0 }))
        }
        api.write(
            .put, "/theme/logo", id: "setLogo", "Set the logo: the bytes of a PNG, JPEG or WebP in base64, or null for none", tag: "Theme",
            access: .right(.workspaceWrite),
            body: .object([.required("base64", .nullable(.string(maximumLength: ThemeLogo.bytesMax / 3 * 4 + 4)))]), answer: .object([.required("logoUrl", .nullable(.text))]),
            maximumBytes: API.bodyMaxBytes,
            decode: { body, _ in readLogo(body) }
        ) { logo, write in
            try Theme.setLogo(logo, in: write)
            let workspace = try WorkspaceStore.find(write.workspace.id, on: write.connection) ?? write.workspace
            return Answer(["logoUrl": workspace.logoURL.map { .text(installation.publicURL(of: workspace.id) + $0) } ?? .null])
        }
    }

    private static let input = APISchema.object([
        .optional("accent", .described(.string(maximumLength: ThemeColour.lengthMax), description: "A colour; its hue and chroma are taken.", example: "#0a7d4f")),
        .optional("hue", .integer(0...359)), .optional("radius", .integer(0...Int64(Theme.radiusMaxPx))),
        .optional("typeface", .enumeration(Theme.Typeface.allCases.map(\.rawValue))), .optional("scheme", .enumeration(Theme.Scheme.allCases.map(\.rawValue))),
        .optional(
            "tokens",
            .described(
                .object(ThemeToken.names.map { .optional($0.text, .string(maximumLength: 140)) }),
                description: "Own values: colours as #rrggbb, rgb(), oklch() or light-dark(a, b), lengths in px or rem. All of them: others are as they are by themselves.")),
    ])

    private static let shape = APISchema.object([
        .required("accent", .text), .required("hue", .integer(0...359)), .required("radius", .integer(0...Int64(Theme.radiusMaxPx))), .required("typeface", .text),
        .required("scheme", .text), .required("tokens", .map(.text)), .required("logoUrl", .nullable(.text)),
        .required(
            "contrast",
            .array(
                .object([
                    .required("pair", .text), .required("scheme", .enumeration(["light", "dark"])), .required("front", .text), .required("back", .text),
                    .required("ratio", .text), .required("needs", .text), .required("passes", .boolean),
                ]))),
    ])

    static func readLogo(_ body: JSONReader) -> ThemeLogo? {
        if body.isNull("base64") { return nil }
        return body.custom("base64", standIn: nil) { value -> JSONReader.Reading<ThemeLogo?> in
            guard case .text(let text) = value, let bytes = Data(base64Encoded: text).map({ [UInt8]($0) }) else { return .refused("Must be base64.") }
            switch ThemeLogo.read(bytes) {
            case .success(let logo): return .accepted(logo)
            case .failure(.tooLarge): return .refused("Must be of at most \(ThemeLogo.bytesMax / 1024) kB.")
            case .failure(.tooManyPixels): return .refused("Must be at most \(ThemeLogo.pixelsMax) pixels wide and high.")
            case .failure(.noPicture): return .refused("Must be a PNG, JPEG or WebP.")
            }
        }
    }

    static func read(_ body: JSONReader) -> ThemeChange {
        let accent = body.optionalCustom("accent") { value -> JSONReader.Reading<ThemeColour> in
            if case .text(let text) = value, let colour = ThemeColour(css: text) { return .accepted(colour) }
            return .refused("Must be a colour such as #0a7d4f.")
        }
        let tokens = body.optionalObject("tokens") { fields -> [ThemeToken] in
            var found: [String: ThemeToken] = [:]
            for name in ThemeToken.names {
                let token = fields.optionalCustom(name.text) { value -> JSONReader.Reading<ThemeToken> in
                    guard case .text(let text) = value, case .success(let token) = ThemeToken.read(name.text, text) else {
                        return .refused(name.lengthsPx.map { "Must be a length from \($0.lowerBound)px to \($0.upperBound)px." } ?? "Must be a colour such as #0a7d4f or light-dark(#111111, #eeeeee).")
                    }
                    return .accepted(token)
                }
                if let token { found[name.text] = token }
            }
            return ThemeLines.ordered(found)
        }
        return ThemeChange(
            accent: accent, hue: body.optionalInteger("hue", in: 0...359).map { Int($0) },
            radiusPx: body.optionalInteger("radius", in: 0...Int64(Theme.radiusMaxPx)).map { Int($0) }, typeface: body.optionalOneOf("typeface"),
            scheme: body.optionalOneOf("scheme"), tokens: tokens)
    }
}

extension Theme {
    func json(logoURL: String?) -> JSONValue {
        [
            "accent": .text(accent.hex), "hue": .integer(Int64(hue)), "radius": .integer(Int64(radiusPx)), "typeface": .text(typeface.rawValue),
            "scheme": .text(scheme.rawValue), "tokens": .object(tokens.map { JSONMember($0.name, .text($0.css)) }), "logoUrl": logoURL.map { .text($0) } ?? .null,
            "contrast": .array(
                ThemeContrast.of(self).map {
                    [
                        "pair": .text($0.pair.name), "scheme": .text($0.isDark ? "dark" : "light"), "front": .text($0.front.hex), "back": .text($0.back.hex),
                        "ratio": .text($0.ratioText), "needs": .text(ThemeContrast.text($0.pair.minimum)), "passes": .boolean($0.passes),
                    ]
                }),
        ]
    }
}

/// `/brand/…`: the sheet of a hue, the sheet of a whole theme, a logo.
struct BrandFiles: Sendable {
    let installation: Installation
    let site: Site

    func respond(_ name: String) async throws -> Response {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, parts[1] == "css", let hue = Int(parts[0]), (0..<360).contains(hue) { return Self.sheet(":root { --hue: \(hue); }\n", isFixed: true) }
        guard parts.count == 3, let id = WorkspaceID(parts[0]), let revision = Int(parts[1]) else { throw Problem.notFound() }
        let found = try await installation.main.read { connection -> (Workspace, Theme)? in
            guard let workspace = try WorkspaceStore.find(id, on: connection) else { return nil }
            return (workspace, try ThemeStore.find(workspace, on: connection))
        }
        guard let (workspace, theme) = found else { throw Problem.notFound() }
        // Another revision may be there in a moment, or was: its address must not be taken for this one's.
        let isFixed = workspace.themeRevision == revision
        if parts[2] == "css" { return Self.sheet(theme.css(fontURL: site.assets.url(for: "inter.woff2")), isFixed: isFixed) }
        guard let logo = try await installation.main.read({ connection in try ThemeStore.logo(of: id, on: connection) }), logo.kind.rawValue == parts[2] else {
            throw Problem.notFound()
        }
        return Response(
            status: .ok,
            // Letters show it from elsewhere.
            headers: [
                .contentType: logo.kind.mediaType, .cacheControl: Self.caching(isFixed), .crossOriginResourcePolicy: "cross-origin",
                .contentSecurityPolicy: "default-src 'none'",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: logo.bytes)))
    }

    static func sheet(_ text: String, isFixed: Bool) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/css; charset=utf-8", .cacheControl: caching(isFixed)],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func caching(_ isFixed: Bool) -> String { isFixed ? "public, max-age=31536000, immutable" : "no-store" }
}
