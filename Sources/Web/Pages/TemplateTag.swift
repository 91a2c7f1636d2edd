/// A tag of a template, for checks that compare templates with page models.
public struct TemplateTag: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case variable
        /// `{{{name}}}` or `{{&name}}`
        case unescaped
        case section
        case invertedSection
        case partial
        /// `{{<name}}`: a partial whose blocks are filled
        case parent
        /// `{{$name}}`
        case block
    }

    public let kind: Kind
    /// The name as written, for instance `.title` or `program.name`.
    public let name: String
    /// The sections around it, outermost first, without inverted ones.
    public let scope: [String]
    /// Counted from 1.
    public let line: Int
}

/// Why a template can't be used, with its line counted from 1.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    public let template: String
    public let line: Int
    public let reason: String

    public var description: String { "\(template).mustache:\(line): \(reason)" }
}

extension TemplateTag {
    /// Every tag of a template, in order.
    /// - Throws: for unclosed tags and sections, and for what our templates don't use: other delimiters, pragmas, dynamic partials, transforms,
    ///   and unescaped tags whose name isn't `content` and doesn't end in `HTML`.
    static func all(in text: String, template: String) throws(TemplateError) -> [TemplateTag] {
        var tags: [TemplateTag] = []
        var open: [(name: String, entersScope: Bool)] = []
        var rest = Substring(text)
        var line = 1
        while let start = firstRange(of: "{{", in: rest) {
            line += newlines(in: rest[..<start.lowerBound])
            rest = rest[start.upperBound...]
            let isTriple = rest.utf8.first == UInt8(ascii: "{")
            guard let end = firstRange(of: isTriple ? "}}}" : "}}", in: rest) else {
                throw TemplateError(template: template, line: line, reason: "a tag is not closed")
            }
            var content = rest[..<end.lowerBound]
            let tagLine = line
            line += newlines(in: content)
            rest = rest[end.upperBound...]
            var sigil = " "
            if let first = content.unicodeScalars.first, "{#^/>&<$!=%".unicodeScalars.contains(first) {
                sigil = String(first)
                content = content.dropFirst()
            }
            let name = trimmed(content)
            func failure(_ reason: String) -> TemplateError { TemplateError(template: template, line: tagLine, reason: reason) }
            func add(_ kind: Kind) {
                tags.append(TemplateTag(kind: kind, name: name, scope: open.filter(\.entersScope).map(\.name), line: tagLine))
            }
            if sigil != "!", name.isEmpty || !name.unicodeScalars.allSatisfy({ isNameScalar($0) }) {
                throw failure("the tag \(name) is not a plain name")
            }
            switch sigil {
            case " ": add(.variable)
            case "{", "&":
                guard PageObject.holdsMarkup(name) else { throw failure("only content and names ending in HTML may be unescaped, not \(name)") }
                add(.unescaped)
            case "#": add(.section); open.append((name, true))
            case "^": add(.invertedSection); open.append((name, false))
            case "<": add(.parent); open.append((name, false))
            case "$": add(.block); open.append((name, false))
            case ">": add(.partial)
            case "!": break
            case "/":
                guard let last = open.popLast(), last.name == name else { throw failure("\(name) is closed but not open") }
            default: throw failure("\(sigil) tags are not used here")
            }
        }
        if let last = open.last { throw TemplateError(template: template, line: line, reason: "\(last.name) is not closed") }
        return tags
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": true
        default: false
        }
    }

    private static func firstRange(of needle: StaticString, in text: Substring) -> Range<Substring.Index>? {
        let count = needle.utf8CodeUnitCount
        return needle.withUTF8Buffer { needle in
            let bytes = text.utf8
            var index = bytes.startIndex
            while index < bytes.endIndex {
                if bytes[index] == needle[0], bytes[index...].starts(with: needle) {
                    return index..<bytes.index(index, offsetBy: count)
                }
                index = bytes.index(after: index)
            }
            return nil
        }
    }

    private static func newlines(in text: Substring) -> Int { text.utf8.count { $0 == 0x0A } }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        let start = text.drop(while: isSpace)
        return String(String(start.reversed()).drop(while: isSpace).reversed())
    }
}
