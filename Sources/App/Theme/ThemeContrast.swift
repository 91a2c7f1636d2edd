/// Whether what stands on a page can be read, in both themes: WCAG 2.2, AA.
struct ThemeContrast: Sendable, Hashable {
    struct Pair: Sendable, Hashable {
        /// Of the catalogue: `theme.pair.NAME`.
        var name: String
        /// The same for programs.
        var words: String
        var front: String
        var back: String
        /// Of the ratio, in hundredths.
        var minimum: Int
    }

    static let text = 450
    static let mark = 300

    static let pairs: [Pair] = [
        Pair(name: "inkPage", words: "text on the page", front: "--ink", back: "--n-0", minimum: text),
        Pair(name: "inkSurface", words: "text on raised surfaces", front: "--ink", back: "--n-2", minimum: text),
        Pair(name: "inkHover", words: "text under the pointer", front: "--ink", back: "--n-3", minimum: text),
        Pair(name: "softPage", words: "soft text on the page", front: "--ink-2", back: "--n-0", minimum: text),
        Pair(name: "softSunk", words: "soft text on sunk parts", front: "--ink-2", back: "--n-1", minimum: text),
        Pair(name: "softHover", words: "soft text under the pointer", front: "--ink-2", back: "--n-3", minimum: text),
        Pair(name: "button", words: "words on the main button", front: "--on-accent", back: "--accent", minimum: text),
        Pair(name: "buttonHover", words: "words on the main button under the pointer", front: "--on-accent", back: "--accent-hi", minimum: text),
        Pair(name: "link", words: "links on the page", front: "--accent-text", back: "--n-0", minimum: text),
        Pair(name: "chosen", words: "accent text on accent ground", front: "--accent-text", back: "--accent-soft", minimum: text),
        Pair(name: "edge", words: "edges of fields on the page", front: "--edge", back: "--n-0", minimum: mark),
        Pair(name: "focus", words: "the focus ring on the page", front: "--focus", back: "--n-0", minimum: mark),
    ]

    var pair: Pair
    var isDark: Bool
    var front: ThemeColour
    var back: ThemeColour
    /// In hundredths, cut off: 4.499 is no 4.5.
    var ratio: Int

    var passes: Bool { ratio >= pair.minimum }

    /// Both themes, as far as they are shown.
    static func of(_ theme: Theme) -> [ThemeContrast] {
        let schemes = theme.scheme == .auto ? [false, true] : [theme.scheme == .dark]
        return pairs.flatMap { pair in
            schemes.compactMap { isDark in
                guard let front = theme.colour(pair.front, isDark: isDark), let back = theme.colour(pair.back, isDark: isDark) else { return nil }
                return ThemeContrast(pair: pair, isDark: isDark, front: front, back: back, ratio: Int(front.contrast(with: back) * 100))
            }
        }
    }

    /// What to change, and the nearest colour that would pass. Changed is what the company set itself, rather the words than their ground.
    func help(_ theme: Theme) -> Help? {
        let own = [pair.front, pair.back].filter { role in theme.tokens.contains { $0.role == role } }
        for role in own + [pair.front] {
            let colour = role == pair.front ? front : back
            if let name = Self.name(role), let better = colour.nearest(where: { fits($0, as: role, in: theme) }) { return Help(token: name, colour: better) }
        }
        return nil
    }

    /// Whether a colour passes in all pairs that it stands in, not in this one alone.
    private func fits(_ colour: ThemeColour, as role: String, in theme: Theme) -> Bool {
        Self.pairs.allSatisfy { other in
            guard other.front == role || other.back == role, let partner = theme.colour(other.front == role ? other.back : other.front, isDark: isDark) else { return true }
            return Int(colour.contrast(with: partner) * 100) >= other.minimum
        }
    }

    struct Help: Sendable, Hashable {
        var token: String
        var colour: ThemeColour
    }

    /// `4.32:1`.
    var ratioText: String { Self.text(ratio) }

    static func text(_ hundredths: Int) -> String { "\(hundredths / 100).\(String(100 + hundredths % 100).dropFirst()):1" }

    private static func name(_ role: String) -> String? { ThemeToken.names.first { $0.role == role }?.text }
}
