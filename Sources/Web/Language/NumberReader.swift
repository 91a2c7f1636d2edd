import Foundation

/// Reads numbers as the readers of a locale write them, and writes them so into fields. What is no number, or could be two, is refused:
/// a form never guesses what somebody meant.
public struct NumberReader: Sendable {
    /// The longest text that is looked at, in bytes.
    public static let lengthMax = 60

    private let digits: [Character: Character]
    private let ownDigits: [Character]
    private let point: Character
    private let group: Character?
    /// Digits of the last group, and of those before it: 3 and 2 in India.
    private let groupSizes: (last: Int, other: Int)

    /// - Parameter locale: a BCP 47 name; the pseudo-locale reads as English.
    public init(locale: String) {
        let known = Locale(identifier: locale == PseudoLocale.identifier ? "en" : locale)
        func written(_ value: Decimal, _ decimals: Int) -> [Character] {
            Array(value.formatted(.number.precision(.fractionLength(decimals)).locale(known))).filter { !Self.isMark($0) }
        }
        let own = (0...9).map { written(Decimal($0), 0).first ?? Character("\($0)") }
        ownDigits = own
        digits = Dictionary(
            (0...9).map { (Character("\($0)"), Character("\($0)")) } + own.enumerated().map { ($0.element, Character("\($0.offset)")) },
            uniquingKeysWith: { first, _ in first })
        point = written(Decimal(sign: .plus, exponent: -1, significand: 5), 1).first { !own.contains($0) } ?? "."
        let long = written(Decimal(1_234_567_890), 0)
        group = long.first { !own.contains($0) }
        let parts = long.split { !own.contains($0) }.map(\.count)
        groupSizes = parts.count > 2 ? (parts[parts.count - 1], parts[parts.count - 2]) : (3, 3)
    }

    /// A number without a sign as plain decimal text such as `1250.5`, with at most so many decimals; nil when the text is no such number,
    /// has more decimals, or would be another number to readers who part decimals with the other of point and comma.
    public func decimalText(_ text: String, fractionDigitsMax: Int) -> String? {
        guard text.utf8.count <= Self.lengthMax else { return nil }
        let characters = Array(text)
        let found = Set([local(characters), foreign(characters)].compactMap { $0 }.filter { $0.fraction.count <= fractionDigitsMax }.map(\.text))
        return found.count == 1 ? found.first : nil
    }

    /// Plain decimal text as this locale's readers write it, without groups.
    public func written(_ decimalText: String) -> String {
        String(
            decimalText.map { character in
                if character == "." { return point }
                return character.isASCII ? character.wholeNumberValue.map { ownDigits[$0] } ?? character : character
            })
    }

    private struct Parts {
        var whole: String
        var fraction: String
        /// Without zeros that say nothing, so that one number has one text.
        var text: String {
            let digits = whole.drop { $0 == "0" }
            var decimals = fraction[...]
            while decimals.last == "0" { decimals = decimals.dropLast() }
            return (digits.isEmpty ? "0" : digits) + (decimals.isEmpty ? "" : "." + decimals)
        }
    }

    /// With this locale's decimal sign and groups.
    private func local(_ text: [Character]) -> Parts? {
        let halves = text.split(separator: point, maxSplits: 2, omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), let whole = ungrouped(halves[0]) else { return nil }
        guard halves.count == 2 else { return Parts(whole: whole, fraction: "") }
        return plain(halves[1]).map { Parts(whole: whole, fraction: $0) }
    }

    /// With the one of point and comma that this locale parts decimals by not, and no groups.
    private func foreign(_ text: [Character]) -> Parts? {
        let halves = text.split(separator: point == "." ? "," : ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count == 2, let whole = plain(halves[0]), let fraction = plain(halves[1]) else { return nil }
        return Parts(whole: whole, fraction: fraction)
    }

    private func ungrouped(_ text: ArraySlice<Character>) -> String? {
        guard let group, text.contains(where: { isGroup($0, group) }) else { return plain(text) }
        let parts = text.split(omittingEmptySubsequences: false) { isGroup($0, group) }
        guard let first = parts.first, (1...groupSizes.other).contains(first.count), parts.last?.count == groupSizes.last,
            parts.dropFirst().dropLast().allSatisfy({ $0.count == groupSizes.other })
        else { return nil }
        return plain(Array(parts.joined()))
    }

    /// All kinds of spaces and of apostrophes part groups alike: nobody types the narrow one.
    private func isGroup(_ character: Character, _ group: Character) -> Bool {
        if character == group { return true }
        if group.isWhitespace { return character == " " || character == "\u{A0}" || character == "\u{202F}" }
        return group == "’" && character == "'"
    }

    private func plain(_ text: some Collection<Character>) -> String? {
        guard !text.isEmpty else { return nil }
        var result = ""
        for character in text {
            guard let digit = digits[character] else { return nil }
            result.append(digit)
        }
        return result
    }

    /// Marks of direction, which some locales write around numbers.
    private static func isMark(_ character: Character) -> Bool {
        character.unicodeScalars.allSatisfy { $0 == "\u{200E}" || $0 == "\u{200F}" || $0 == "\u{061C}" }
    }
}

extension LocaleFormatter {
    /// The other way round: what people wrote.
    public var numbers: NumberReader { NumberReader(locale: name) }
}
