import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What a company sets can be read in both themes, loads nothing and escapes nowhere.
@Suite struct ThemeTests {
    @Test func everyAccentCanBeRead() {
        for hue in stride(from: 0, to: 360, by: 3) {
            for vivid in [0, 60, Theme.standardVivid, Theme.vividMax] {
                let failing = ThemeContrast.of(Theme(hue: hue, vivid: vivid)).filter { !$0.passes }
                #expect(failing.isEmpty, "hue \(hue), \(vivid): \(failing.map { "\($0.pair.name) \($0.isDark) \($0.ratioText)" })")
            }
        }
    }

    @Test func colours() {
        #expect(ThemeColour(css: "#000")?.contrast(with: ThemeColour(red: 1, green: 1, blue: 1)) == 21)
        #expect(ThemeColour(css: "#767676").map { Int($0.contrast(with: ThemeColour(red: 1, green: 1, blue: 1)) * 100) } == 454, "WCAG's own example")
        #expect(ThemeColour(css: "oklch(62.8% 0.2577 29.23)")?.hex == "#ff0000")
        for hex in ["#0a7d4f", "#ffffff", "#123456"] {
            let parts = ThemeColour(css: hex)?.oklch
            #expect(parts.map { ThemeColour(lightness: $0.lightness, chroma: $0.chroma, hue: $0.hue).hex } == hex)
        }
    }

    @Test(arguments: [
        "url(https://evil.test)", "red", "#12345", "#12g", "var(--x)", "expression(1)", "#fff; background: url(x)", "#fff}", "rgb(1 2)", "rgb(1 2 300)", "oklch(50% 9 1)",
        "light-dark(#fff)", "light-dark(#fff, url(x))", "light-dark(#fff, #000, #111)", "", "/**/", "#ｆｆｆ", "\\23 fff", "calc(1px)", "@import 'x'", "rgb(1e9 0 0)",
    ])
    func whatIsNoColourIsRefused(_ text: String) { #expect((try? ThemeToken.read("--kith-accent", text).get()) == nil) }

    @Test func tokensAreWrittenAnew() throws {
        let token = try ThemeToken.read("--kith-page", "LIGHT-DARK( rgb(255, 255, 255) , oklch(20% 0 0) )").get()
        #expect(token.css == "light-dark(#ffffff, #161616)")
        #expect(try ThemeToken.read("--kith-radius", "0.5rem").get().css == "8px")
        #expect(try ThemeToken.read("--kith-radius", "0").get().css == "0px")
        for bad in ["-1px", "30px", "8", "8em", "1e3px", "8px;"] { #expect((try? ThemeToken.read("--kith-radius", bad).get()) == nil, "\(bad)") }
        #expect(ThemeToken.read("--n-0", "#fff") == .failure(.unknownName))
    }

    @Test func theSheetHoldsOnlyWhatWasRead() throws {
        var theme = Theme(hue: 12)
        theme.tokens = [try ThemeToken.read("--kith-accent", "#0a7d4f").get()]
        theme.scheme = .dark
        let css = theme.css(fontURL: "/assets/inter.woff2")
        #expect(css.contains("--hue: 12;") && css.contains("--vivid: .125;") && css.contains("--accent: #0a7d4f;") && css.contains("color-scheme: dark;"))
        #expect(!css.contains("url("))
        theme.typeface = .inter
        #expect(theme.css(fontURL: "/assets/inter.woff2").contains("url(\"/assets/inter.woff2\")"))
    }

    /// Saving what can't be read is refused; what is offered instead passes.
    @Test(arguments: Engine.allCases) func aThemeThatCannotBeReadIsRefusedWithHelp(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let refused = try await app.api(.put, "/theme", ["tokens": ["--kith-accent-text": "#ffd400"]])
            #expect(refused.status == 422 && refused.code == "contrast_too_low")
            let message = refused.json["errors"].list.first["message"].text
            #expect(message.contains("light theme") && message.contains("links on the page") && message.contains("--kith-accent-text #"), "\(message)")
            let offered = try #require(message.range(of: "--kith-accent-text #").map { String(message[$0.upperBound...].prefix(6)) })
            #expect(try await app.api(.put, "/theme", ["tokens": ["--kith-accent-text": .text("light-dark(#\(offered), #ffd400)")]]).status == 200)
            let saved = try await app.get("/theme")
            #expect(saved["tokens"]["--kith-accent-text"].text == "light-dark(#\(offered), #ffd400)" && saved["contrast"].list.allSatisfy { $0["passes"] == true })
            for bad: JSONValue in [["tokens": ["--n-0": "#fff"]], ["radius": 99], ["accent": "red"], ["typeface": "comic"], ["tokens": ["--kith-accent": "url(x)"]]] {
                #expect(try await app.api(.put, "/theme", bad).status == 422)
            }
            // Twin and live workspace look alike, and the sheet has an address that changes.
            #expect(try await app.get("/theme", as: app.liveKey)["tokens"] == saved["tokens"])
            let twinID = app.twinID
            let found = try await app.installation.main.read { connection in try WorkspaceStore.find(twinID, on: connection) }
            let workspace = try #require(found)
            let sheet = try await app.call(.get, workspace.themeURL)
            #expect(sheet.status == 200 && sheet.text.contains("--accent-text: light-dark(#\(offered), #ffd400);") && sheet.headers[.cacheControl]?.contains("immutable") == true)
            #expect(try await app.call(.get, workspace.themeURL.replacing(".\(workspace.themeRevision).", with: ".99.")).headers[.cacheControl] == "no-store")
        }
    }

    @Test(arguments: Engine.allCases) func theEditorRefusesKeepsAndSaves(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let editor = try await TeamPerson.make("editor", .owner, in: app).enter(app)
            let path = ThemePages.path
            let fields = ["accent": "#0a7d4f", "radius": "12", "typeface": "serif", "scheme": "auto", "tokens": "--kith-on-accent: #0a7d50"]
            let refused = try await editor.submit(path, from: path, fields)
            #expect(refused.status == 422 && refused.text.contains("Words on the main button has") && refused.text.contains("would pass"))
            let look = try await editor.submit(path, from: path, fields.merging(["tokens": "", "step": "preview"]) { $1 })
            #expect(look.status == 200 && look.text.contains("not saved yet") && look.text.contains("accent=%230a7d4f"))
            #expect(look.headers[.contentSecurityPolicy]?.contains("frame-src 'self'") == true)
            let saved = try await editor.submit(path, from: path, fields.merging(["tokens": "--kith-radius: 4px"]) { $1 })
            #expect(saved.status == 303)
            let theme = try await app.get("/theme")
            #expect(theme["radius"].integer == 12 && theme["typeface"].text == "serif" && theme["tokens"]["--kith-radius"].text == "4px")
            let wrong = try await editor.submit(path, from: path, fields.merging(["tokens": "--kith-accent: url(x)\nbody: x", "accent": "blue", "radius": "99"]) { $1 })
            #expect(wrong.status == 422 && wrong.text.contains("no name of the list"))
            let preview = try await editor.get(path + "/preview?accent=%23123456&only=dark")
            #expect(preview.status == 200 && preview.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'self'") == true)
            let css = try await editor.get(path + "/preview.css?tokens=--kith-page:%20url(x)%0a--kith-ink:%20%23000000&only=dark")
            #expect(css.text.contains("--ink: #000000;") && css.text.contains("color-scheme: dark;") && !css.text.contains("url("))
        }
    }

    /// Pictures are told by their bytes; drawings that can hold scripts are not taken.
    @Test(arguments: Engine.allCases) func logos(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let png = try QRCode("logo").png(moduleSize: 2)
            func send(_ bytes: [UInt8]) async throws -> Reply { try await app.api(.put, "/theme/logo", ["base64": .text(Data(bytes).base64EncodedString())]) }
            let url = try await send(png).success("logo")["logoUrl"].text
            let path = String(url.dropFirst(app.installation.baseURL.count))
            let shown = try await app.call(.get, path)
            #expect(shown.status == 200 && shown.body == png && shown.headers[.contentType] == "image/png" && shown.headers[.xContentTypeOptions] == "nosniff")
            for bad in [Array("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".utf8), [], Array(png.prefix(20)), [0xFF, 0xD8, 0xFF, 0xE0], Array("GIF89a".utf8) + png] {
                #expect(try await send(bad).status == 422)
            }
            var wide = png
            wide.replaceSubrange(16..<20, with: [0, 0, 0x7F, 0xFF])
            #expect(try await send(wide).status == 422)
            #expect(try await app.api(.put, "/theme/logo", ["base64": .null]).json["logoUrl"] == .null)
            #expect(try await app.call(.get, path).status == 404)
        }
    }

    @Test func multipartForms() {
        let good = "--B\r\nContent-Disposition: form-data; name=\"csrfToken\"\r\n\r\nabc\r\n--B\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n\r\nx\r\n--B--\r\n"
        let form = MultipartFile(contentType: "multipart/form-data; boundary=B", body: Array(good.utf8))
        #expect(form?.fields == ["csrfToken": "abc"] && form?.file == Array("PNG\r\n\r\nx".utf8))
        for bad in ["", "--B", "--B\r\n", "--B\r\n\r\n--", "--C--", String(repeating: "--B\r\n\r\n\r\n", count: 20) + "--B--"] {
            #expect(MultipartFile(contentType: "multipart/form-data; boundary=B", body: Array(bad.utf8)) == nil, "\(bad.prefix(20))")
        }
        #expect(MultipartFile(contentType: "application/json", body: Array(good.utf8)) == nil)
        #expect(MultipartFile(contentType: "multipart/form-data; boundary=", body: Array(good.utf8)) == nil)
    }
}
