import Foundation
import HTTPTypes
import Persistence
import Web

/// What of a theme is to change; nil stays as it is.
struct ThemeChange: Sendable {
    var accent: ThemeColour?
    var hue: Int?
    var radiusPx: Int?
    var typeface: Theme.Typeface?
    var scheme: Theme.Scheme?
    /// All of them: what is left out is as the sheet has it.
    var tokens: [ThemeToken]?
    var vivid: Int?

    func applied(to theme: Theme) -> Theme {
        var theme = theme
        if let accent { theme.setAccent(accent) }
        theme.hue = hue ?? theme.hue
        theme.vivid = vivid ?? theme.vivid
        theme.radiusPx = radiusPx ?? theme.radiusPx
        theme.typeface = typeface ?? theme.typeface
        theme.scheme = scheme ?? theme.scheme
        theme.tokens = tokens ?? theme.tokens
        return theme
    }
}

extension Theme {
    /// Changes the theme of a workspace and its twin. One that can't be read is refused, with what would help.
    static func change(_ change: ThemeChange, in write: Write) throws -> Theme {
        let before = try ThemeStore.find(write.workspace, on: write.connection)
        let theme = change.applied(to: before)
        try theme.mustBeReadable()
        guard try theme != before || !ThemeStore.exists(write.workspace, on: write.connection) else { return theme }
        try ThemeStore.put(theme, of: write.workspace, at: write.now, on: write.connection)
        try write.audit("theme.change", subject: write.workspace.id.text, JSONText(["accent": .text(theme.accent.hex)]))
        return theme
    }

    static func setLogo(_ logo: ThemeLogo?, in write: Write) throws {
        if try !ThemeStore.exists(write.workspace, on: write.connection) {
            try ThemeStore.put(try ThemeStore.find(write.workspace, on: write.connection), of: write.workspace, at: write.now, on: write.connection)
        }
        try ThemeStore.putLogo(logo, of: write.workspace, at: write.now, on: write.connection)
        try write.audit(logo == nil ? "theme.logo_remove" : "theme.logo", subject: write.workspace.id.text)
    }

    /// The accent as people choose it: in the light theme.
    var accent: ThemeColour { ThemeSheet.standard.colour("--accent", hue: hue, vivid: vivid, isDark: false) ?? ThemeColour(red: 0, green: 0, blue: 0) }

    func mustBeReadable() throws {
        let failing = ThemeContrast.of(self).filter { !$0.passes }
        guard failing.isEmpty else {
            throw Problem(
                status: .unprocessableContent, code: "contrast_too_low", detail: "Some of what this theme shows can't be read (WCAG 2.2 AA).",
                errors: failing.map { FieldError(field: "tokens", message: $0.sentence(self)) })
        }
    }
}

extension ThemeContrast {
    /// For programs: what fails, by how much, and what would pass.
    func sentence(_ theme: Theme) -> String {
        let found = "In the \(isDark ? "dark" : "light") theme \(pair.words) has \(ratioText) and needs \(Self.text(pair.minimum))."
        guard let help = help(theme) else { return found }
        return "\(found) \(help.token) \(help.colour.hex) would pass."
    }
}

extension Workspace {
    /// The sheet of the whole theme, for people who don't run the program.
    var themeURL: String { themeRevision == 0 ? accentURL : "/brand/\(teamID.text).\(themeRevision).css" }

    /// The sheet that gives the team's own pages the accent.
    var accentURL: String { "/brand/\(hue).css" }

    var logoURL: String? { logoKind.map { "/brand/\(teamID.text).\(themeRevision).\($0)" } }

    /// Name and logo, for the head of a page.
    var sign: PageValue { ["name": logoURL == nil ? .text(name) : nil, "logo": PageValue(logoURL.map { PageObject(["url": .text($0), "name": .text(name)]) })] }
}

/// Own values as people write them: a line each, `--kith-accent: #0a7d4f`.
enum ThemeLines {
    static let lengthMax = 4_000

    struct Fault: Sendable {
        var line: String
        var fault: ThemeToken.Fault
    }

    static func read(_ text: String) -> (tokens: [ThemeToken], faults: [Fault]) {
        var found: [String: ThemeToken] = [:]
        var faults: [Fault] = []
        for line in text.split(whereSeparator: \.isNewline).prefix(100) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty { continue }
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let value = (parts.count > 1 ? parts[1] : "").trimmingCharacters(in: CharacterSet(charactersIn: "; "))
            switch ThemeToken.read(parts[0], value) {
            case .success(let token): found[token.name] = token
            case .failure(let fault): faults.append(Fault(line: String(line.prefix(100)), fault: fault))
            }
        }
        return (ordered(found), faults)
    }

    static func ordered(_ tokens: [String: ThemeToken]) -> [ThemeToken] { ThemeToken.names.compactMap { tokens[$0.text] } }

    static func text(_ tokens: [ThemeToken]) -> String { tokens.map { "\($0.name): \($0.css)" }.joined(separator: "\n") }
}
