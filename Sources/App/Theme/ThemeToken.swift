/// One of the values that a company may set itself, by name: nothing else of a page's style can be reached.
struct ThemeToken: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case colour(light: ThemeColour, dark: ThemeColour)
        /// In thousandths of a CSS pixel.
        case length(milliPx: Int)
    }

    struct Name: Sendable {
        /// As companies write it.
        var text: String
        /// What it stands for in the sheets.
        var role: String
        /// Nil for colours; else what lengths may be, in pixels.
        var lengthsPx: ClosedRange<Int>?
    }

    static let names: [Name] = [
        Name(text: "--kith-page", role: "--n-0"), Name(text: "--kith-sunk", role: "--n-1"), Name(text: "--kith-surface", role: "--n-2"),
        Name(text: "--kith-hover", role: "--n-3"), Name(text: "--kith-line", role: "--line"), Name(text: "--kith-edge", role: "--edge"),
        Name(text: "--kith-ink", role: "--ink"), Name(text: "--kith-ink-soft", role: "--ink-2"), Name(text: "--kith-accent", role: "--accent"),
        Name(text: "--kith-accent-hover", role: "--accent-hi"), Name(text: "--kith-on-accent", role: "--on-accent"),
        Name(text: "--kith-accent-text", role: "--accent-text"), Name(text: "--kith-accent-soft", role: "--accent-soft"),
        Name(text: "--kith-focus", role: "--focus"), Name(text: "--kith-radius-small", role: "--r-1", lengthsPx: 0...24),
        Name(text: "--kith-radius", role: "--r", lengthsPx: 0...24), Name(text: "--kith-radius-large", role: "--r-2", lengthsPx: 0...32),
        Name(text: "--kith-text-size", role: "--t-4", lengthsPx: 14...22),
    ]

    var name: String
    var value: Value

    enum Fault: Error, Equatable { case unknownName, noColour, noLength(ClosedRange<Int>) }

    static func read(_ name: String, _ text: String) -> Result<ThemeToken, Fault> {
        guard let known = names.first(where: { $0.text == name }) else { return .failure(.unknownName) }
        if let lengths = known.lengthsPx {
            guard let length = milliPx(text), lengths.contains(length / 1_000), length <= lengths.upperBound * 1_000 else { return .failure(.noLength(lengths)) }
            return .success(ThemeToken(name: name, value: .length(milliPx: length)))
        }
        if let both = ThemeColour(css: text) { return .success(ThemeToken(name: name, value: .colour(light: both, dark: both))) }
        guard let (light, dark) = lightAndDark(text), let light = ThemeColour(css: light), let dark = ThemeColour(css: dark) else { return .failure(.noColour) }
        return .success(ThemeToken(name: name, value: .colour(light: light, dark: dark)))
    }

    /// As it is stored, shown and sent: made of the numbers that were read, never of the text that was written.
    var css: String {
        switch value {
        case .colour(let light, let dark): light == dark ? light.hex : "light-dark(\(light.hex), \(dark.hex))"
        case .length(let milliPx):
            milliPx % 1_000 == 0 ? "\(milliPx / 1_000)px" : "\(milliPx / 1_000).\(String(1_000 + milliPx % 1_000).dropFirst())px"
        }
    }

    var role: String { Self.names.first { $0.text == name }?.role ?? name }

    /// The two values of `light-dark(a, b)`.
    static func lightAndDark(_ text: String) -> (String, String)? {
        let text = text.trimmingWhitespace
        guard text.utf8.count <= 2 * ThemeColour.lengthMax + 20, text.lowercased().hasPrefix("light-dark("), text.hasSuffix(")") else { return nil }
        let inner = text.dropFirst("light-dark(".count).dropLast()
        var depth = 0
        for index in inner.indices {
            switch inner[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0: return (String(inner[..<index]).trimmingWhitespace, String(inner[inner.index(after: index)...]).trimmingWhitespace)
            default: break
            }
        }
        return nil
    }

    private static func milliPx(_ text: String) -> Int? {
        let text = text.trimmingWhitespace.lowercased()
        for (unit, factor) in [("rem", 16_000.0), ("px", 1_000.0)] where text.hasSuffix(unit) {
            return ThemeColour.number(String(text.dropLast(unit.count)), in: 0...100).map { Int(($0 * factor).rounded()) }
        }
        return text == "0" ? 0 : nil
    }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        var rest = Substring(self)
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return String(rest)
    }
}
