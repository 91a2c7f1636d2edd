/// The forms a language has for counts.
public enum PluralCategory: String, Sendable, CaseIterable {
    case zero, one, two, few, many, other
}

/// Which form a whole number takes. Source: Unicode CLDR 45, cardinal rules of `common/supplemental/plurals.xml`, reduced to whole numbers.
public enum PluralRules {
    /// The languages the rules know; any other takes the English rule.
    public static let languages = [
        "en", "es", "pt", "fr", "de", "it", "nl", "pl", "cs", "ro", "hu", "el", "tr", "ru", "uk", "ar", "he", "fa", "hi", "id", "vi", "th", "ja",
        "ko", "zh",
    ]

    /// The form for a count.
    public static func category(of count: Int64, language: String) -> PluralCategory {
        let n = count.magnitude
        let ones = n % 10
        let hundreds = n % 100
        switch language {
        case "ja", "ko", "zh", "th", "vi", "id": return .other
        case "fr", "pt": return n < 2 ? .one : isWholeMillions(n) ? .many : .other
        case "es", "it": return n == 1 ? .one : isWholeMillions(n) ? .many : .other
        case "fa", "hi": return n < 2 ? .one : .other
        case "he": return n == 1 ? .one : n == 2 ? .two : .other
        case "cs": return n == 1 ? .one : (2...4).contains(n) ? .few : .other
        case "pl":
            if n == 1 { return .one }
            return (2...4).contains(ones) && !(12...14).contains(hundreds) ? .few : .many
        case "ru", "uk":
            if ones == 1, hundreds != 11 { return .one }
            return (2...4).contains(ones) && !(12...14).contains(hundreds) ? .few : .many
        case "ro":
            if n == 1 { return .one }
            return n == 0 || (1...19).contains(hundreds) ? .few : .other
        case "ar":
            switch n {
            case 0: return .zero
            case 1: return .one
            case 2: return .two
            default: return (3...10).contains(hundreds) ? .few : (11...99).contains(hundreds) ? .many : .other
            }
        default: return n == 1 ? .one : .other
        }
    }

    /// Every form that whole numbers take in a language.
    public static func categories(language: String) -> Set<PluralCategory> {
        Set((Array(0...120) + [1_000_000]).map { category(of: $0, language: language) })
    }

    private static func isWholeMillions(_ n: UInt64) -> Bool { n != 0 && n % 1_000_000 == 0 }
}
