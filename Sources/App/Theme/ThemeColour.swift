import Foundation

/// A colour as screens draw it: sRGB, each part from 0 to 1.
struct ThemeColour: Sendable, Hashable {
    let red: Double
    let green: Double
    let blue: Double

    init(red: Double, green: Double, blue: Double) {
        func cut(_ part: Double) -> Double { min(1, max(0, part)) }
        (self.red, self.green, self.blue) = (cut(red), cut(green), cut(blue))
    }

    /// Lightness from 0 to 1, chroma, hue in degrees. What sRGB can't show is cut off, as browsers do.
    init(lightness: Double, chroma: Double, hue: Double) {
        let (a, b) = (chroma * cos(hue * .pi / 180), chroma * sin(hue * .pi / 180))
        func cubed(_ value: Double) -> Double { value * value * value }
        let long = cubed(lightness + 0.3963377774 * a + 0.2158037573 * b)
        let medium = cubed(lightness - 0.1055613458 * a - 0.0638541728 * b)
        let short = cubed(lightness - 0.0894841775 * a - 1.2914855480 * b)
        self.init(
            red: Self.encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
            green: Self.encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
            blue: Self.encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short))
    }

    /// Reads `#rgb`, `#rrggbb`, `rgb(r g b)` with numbers from 0 to 255, and `oklch(l% c h)`. Nil for anything else.
    init?(css text: String) {
        let text = text.trimmingCharacters(in: .whitespaces).lowercased()
        guard text.utf8.count <= Self.lengthMax else { return nil }
        if text.hasPrefix("#") {
            let digits = text.dropFirst().compactMap { $0.isASCII ? $0.hexDigitValue : nil }
            guard digits.count == text.count - 1, digits.count == 3 || digits.count == 6 else { return nil }
            let parts = digits.count == 3 ? digits.map { $0 * 17 } : stride(from: 0, to: 6, by: 2).map { digits[$0] * 16 + digits[$0 + 1] }
            self.init(red: Double(parts[0]) / 255, green: Double(parts[1]) / 255, blue: Double(parts[2]) / 255)
            return
        }
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return nil }
        let words = text[text.index(after: open)...].dropLast().split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        guard words.count == 3 else { return nil }
        switch text[..<open] {
        case "rgb":
            let parts = words.compactMap { Self.number($0, in: 0...255) }
            guard parts.count == 3 else { return nil }
            self.init(red: parts[0] / 255, green: parts[1] / 255, blue: parts[2] / 255)
        case "oklch":
            let lightness = words[0].hasSuffix("%") ? Self.number(String(words[0].dropLast()), in: 0...100).map { $0 / 100 } : Self.number(words[0], in: 0...1)
            guard let lightness, let chroma = Self.number(words[1], in: 0...0.5), let hue = Self.number(words[2], in: 0...360) else { return nil }
            self.init(lightness: lightness, chroma: chroma, hue: hue)
        default: return nil
        }
    }

    static let lengthMax = 60

    /// `#rrggbb`.
    var hex: String {
        "#" + [red, green, blue].map { part in
            let byte = Int((part * 255).rounded())
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// Lightness, chroma and hue.
    var oklch: (lightness: Double, chroma: Double, hue: Double) {
        let (r, g, b) = (Self.linear(red), Self.linear(green), Self.linear(blue))
        let long = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
        let medium = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
        let short = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
        let lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
        let first = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
        let second = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
        let degrees = atan2(second, first) * 180 / .pi
        return (lightness, hypot(first, second), degrees < 0 ? degrees + 360 : degrees)
    }

    /// WCAG 2.2: from 1 (the same) to 21 (black and white).
    func contrast(with other: ThemeColour) -> Double {
        let (one, two) = (luminance, other.luminance)
        return (max(one, two) + 0.05) / (min(one, two) + 0.05)
    }

    /// The colour of the same hue, as near as can be, that fits. Nil when none does.
    func nearest(where fits: (ThemeColour) -> Bool) -> ThemeColour? {
        let own = oklch
        for step in 0...Self.steps {
            let away = Double(step) / Double(Self.steps)
            for lightness in [own.lightness - away, own.lightness + away] where (0...1).contains(lightness) {
                // The hex that people are told has to pass, not only what it was rounded from.
                guard let shown = ThemeColour(css: ThemeColour(lightness: lightness, chroma: own.chroma, hue: own.hue).hex) else { continue }
                if fits(shown) { return shown }
            }
        }
        return nil
    }

    private static let steps = 400

    private var luminance: Double { 0.2126 * Self.linear(red) + 0.7152 * Self.linear(green) + 0.0722 * Self.linear(blue) }

    private static func linear(_ part: Double) -> Double { part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4) }

    private static func encoded(_ part: Double) -> Double { part <= 0.0031308 ? 12.92 * part : 1.055 * pow(part, 1 / 2.4) - 0.055 }

    /// Digits and one point, nothing else.
    static func number(_ text: String, in range: ClosedRange<Double>) -> Double? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }), let value = Double(text), range.contains(value)
        else { return nil }
        return value
    }
}
