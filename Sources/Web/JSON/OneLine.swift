/// Text that stands on one line: names, subjects, whatever goes into a header.
public enum OneLine {
    /// Whether a text has neither line breaks nor other control characters.
    public static func isOne(_ text: String) -> Bool { !text.unicodeScalars.contains(where: isBreak) }

    /// The text with every run of line breaks and control characters as one space, trimmed.
    public static func folded(_ text: String) -> String {
        guard !isOne(text) else { return text }
        return text.unicodeScalars.split(whereSeparator: isBreak).map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
    }

    private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
