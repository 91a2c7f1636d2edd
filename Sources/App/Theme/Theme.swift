import Foundation
import Web

/// How a company's portal, letters and public pages look. The team's own pages take the accent alone.
struct Theme: Sendable, Hashable {
    enum Typeface: String, Sendable, CaseIterable { case system, inter, serif, rounded }
    enum Scheme: String, Sendable, CaseIterable { case auto, light, dark }

    static let radiusMaxPx = 20
    static let vividMax = 160
    static let standardVivid = 125

    /// The accent's hue in degrees.
    var hue = 222
    /// The accent's chroma in thousandths; 0 is grey.
    var vivid = standardVivid
    var radiusPx = 8
    var typeface = Typeface.system
    var scheme = Scheme.auto
    /// In the order of `ThemeToken.names`.
    var tokens: [ThemeToken] = []

    /// The hue and chroma of a colour that somebody chose. Greys have no hue worth keeping.
    mutating func setAccent(_ colour: ThemeColour) {
        let parts = colour.oklch
        vivid = min(Self.vividMax, Int((parts.chroma * 1_000).rounded()))
        if vivid > 5 { hue = Int(parts.hue.rounded()) % 360 } else { vivid = 0 }
    }

    /// What a role of the sheets is in this theme. Nil for what is no colour of them.
    func colour(_ role: String, isDark: Bool) -> ThemeColour? {
        if case .colour(let light, let dark)? = tokens.first(where: { $0.role == role })?.value { return isDark ? dark : light }
        return ThemeSheet.standard.colour(role, hue: hue, vivid: vivid, isDark: isDark)
    }

    /// The sheet that is sent after `tokens.css`. `fontURL`: where the installed type family lies.
    func css(fontURL: String, only: Scheme? = nil) -> String {
        var lines = ["--hue: \(hue);", "--vivid: .\(String(1_000 + vivid).dropFirst());"]
        lines += [("--r-1", radiusPx * 500), ("--r", radiusPx * 1_000), ("--r-2", radiusPx * 1_500)].map {
            "\($0.0): \(ThemeToken(name: $0.0, value: .length(milliPx: $0.1)).css);"
        }
        switch typeface {
        case .system: break
        case .inter: lines.append("--font-system: \"Inter\", system-ui, sans-serif;")
        case .serif: lines.append("--font-system: \"Iowan Old Style\", \"Palatino Linotype\", Palatino, \"Noto Serif\", Georgia, serif;")
        case .rounded: lines.append("--font-system: ui-rounded, \"SF Pro Rounded\", \"Hiragino Maru Gothic ProN\", Quicksand, Nunito, system-ui, sans-serif;")
        }
        lines += tokens.map { "\($0.role): \($0.css);" }
        switch only ?? scheme {
        case .auto: break
        case .light: lines.append("color-scheme: light;")
        case .dark: lines.append("color-scheme: dark;")
        }
        let face =
            typeface == .inter
            ? "@font-face { font-family: \"Inter\"; src: url(\"\(fontURL)\") format(\"woff2\"); font-weight: 100 900; font-display: swap; }\n" : ""
        return face + ":root {\n  " + lines.joined(separator: "\n  ") + "\n}\n"
    }
}

/// The roles of `tokens.css`, read from the sheet itself, so that the check speaks of what is drawn.
struct ThemeSheet: Sendable {
    static let standard = ThemeSheet(css: Embedded.files(.styles).first { $0.name.hasSuffix("tokens.css") }?.text ?? "")

    private let values: [String: (light: String, dark: String)]

    init(css: String) {
        var values: [String: (light: String, dark: String)] = [:]
        for line in css.split(separator: "\n") {
            let line = line.drop { $0 == " " }
            guard line.hasPrefix("--"), let colon = line.firstIndex(of: ":"), let end = line.firstIndex(of: ";"),
                let pair = ThemeToken.lightAndDark(String(line[line.index(after: colon)..<end]))
            else { continue }
            values[String(line[..<colon])] = (light: pair.0, dark: pair.1)
        }
        self.values = values
    }

    func colour(_ role: String, hue: Int, vivid: Int, isDark: Bool) -> ThemeColour? {
        guard let pair = values[role] else { return nil }
        var text = isDark ? pair.dark : pair.light
        // `calc(var(--vivid) * .9)` and its kin.
        while let start = text.range(of: "calc(var(--vivid) * "), let end = text[start.upperBound...].firstIndex(of: ")") {
            guard let factor = Double(text[start.upperBound..<end].hasPrefix(".") ? "0" + text[start.upperBound..<end] : text[start.upperBound..<end]) else { return nil }
            text.replaceSubrange(start.lowerBound...end, with: Self.decimal(Double(vivid) * factor))
        }
        text = text.replacing("var(--vivid)", with: Self.decimal(Double(vivid))).replacing("var(--hue)", with: String(hue))
        return ThemeColour(css: text)
    }

    /// Thousandths as a decimal, in six places.
    private static func decimal(_ thousandths: Double) -> String {
        let millionths = Int((thousandths * 1_000).rounded())
        return "0." + String(1_000_000 + millionths).dropFirst()
    }
}
