import Foundation
import Web

/// Text in the one form in which equal things are equal bytes. Databases compare bytes, Swift compares canonically:
/// so mails, codes and the company's ids are brought to this form before they are stored, hashed or looked up.
enum Normalised {
    static let emailLengthMax = 254
    static let codeLengthMax = 64
    static let externalIDLengthMax = 255

    /// A mail address: NFKC, lower case, one @, no spaces or control characters. Nil when it is none.
    static func email(_ text: String) -> String? {
        let folded = text.trimmingCharacters(in: .whitespacesAndNewlines).precomposedStringWithCompatibilityMapping.lowercased()
        let parts = folded.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 64, folded.utf8.count <= emailLengthMax,
            parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains(".."),
            !folded.unicodeScalars.contains(where: { forbiddenInEmail.contains($0) })
        else { return nil }
        return folded
    }

    private static let forbiddenInEmail = CharacterSet.whitespacesAndNewlines.union(.controlCharacters).union(
        CharacterSet(charactersIn: "<>()[]\\,;:\""))

    /// The mailbox behind a mail address, for telling whether two addresses are one person: without the part after `+`,
    /// and without dots at providers that ignore them.
    static func mailbox(_ email: String) -> String {
        let parts = email.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return email }
        var name = parts[0].prefix { $0 != "+" }.filter { _ in true }
        var host = String(parts[1])
        if host == "googlemail.com" { host = "gmail.com" }
        if host == "gmail.com" { name = name.filter { $0 != "." } }
        return "\(name)@\(host)"
    }

    /// A code as people say and type it: NFKC, lower case; letters and digits of any script, `-` and `_`. Nil when it is none.
    static func code(_ text: String) -> String? {
        // Nearly all codes are plain, and a redirect folds one for every visit.
        if (1...codeLengthMax).contains(text.utf8.count), text.utf8.allSatisfy(isPlain) { return text.lowercased() }
        let folded = text.trimmingCharacters(in: .whitespaces).precomposedStringWithCompatibilityMapping.lowercased()
            .precomposedStringWithCompatibilityMapping
        guard (1...codeLengthMax).contains(folded.unicodeScalars.count),
            folded.unicodeScalars.allSatisfy({ $0 == "-" || $0 == "_" || letters.contains($0) })
        else { return nil }
        return folded
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static let letters = CharacterSet.letters.union(.decimalDigits).union(.nonBaseCharacters)

    /// An id of the company's own: NFC, no control characters, as it is otherwise.
    static func externalID(_ text: String) -> String? {
        let composed = text.precomposedStringWithCanonicalMapping
        guard (1...externalIDLengthMax).contains(composed.unicodeScalars.count),
            !composed.unicodeScalars.contains(where: { CharacterSet.controlCharacters.contains($0) }),
            !composed.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        else { return nil }
        return composed
    }
}

extension String {
    /// Whether this can be a name: something, on one line, of at most 200 characters.
    var isName: Bool { !isEmpty && count <= 200 && OneLine.isOne(self) }
}
