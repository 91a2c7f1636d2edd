import Foundation

/// Writes one Swift file that holds other files as literals, one blob a kind.
/// Arguments: the output, then for each kind `--kind NAME`, and for each file its name and its path.
@main
struct Embed {
    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        // Without an output there is nothing to make: test targets only name their files.
        guard let output = arguments.popFirst() else { return }
        var kinds: [Blob] = []
        while let argument = arguments.popFirst(), let value = arguments.popFirst() {
            if argument == "--kind" {
                kinds.append(Blob(kind: value))
            } else if !kinds.isEmpty {
                try kinds[kinds.count - 1].add(name: argument, content: Data(contentsOf: URL(fileURLWithPath: value)))
            }
        }
        try Data(source(kinds).utf8).write(to: URL(fileURLWithPath: output))
    }

    private static func source(_ kinds: [Blob]) -> String {
        var source = "import Web\n\n/// The files that were put into the binary at build time.\nenum Embedded {\n"
        source += "    enum Kind: String, CaseIterable, Sendable {\n        case \(kinds.map(\.kind).joined(separator: ", "))\n    }\n\n"
        source += "    static func files(_ kind: Kind) -> [EmbeddedFile] {\n        switch kind {\n"
        for kind in kinds {
            source += "        case .\(kind.kind): EmbeddedFile.unpack(index: \"\(kind.index)\", blob: \"\(kind.literal)\")\n"
        }
        return source + "        }\n    }\n}\n"
    }
}

/// The files of one kind behind each other.
private struct Blob {
    let kind: String
    /// One line a file, as `EmbeddedFile.unpack` reads it, with escapes for a Swift literal.
    private(set) var index = ""
    /// The contents with escapes for a Swift literal.
    private(set) var literal = ""
    private var length = 0

    init(kind: String) { self.kind = kind }

    mutating func add(name: String, content: Data) {
        if let text = String(validating: content, as: UTF8.self), !content.contains(0) {
            append(name: name, text: text, encoding: "t")
        } else {
            append(name: name, text: content.base64EncodedString(), encoding: "b")
        }
    }

    private mutating func append(name: String, text: String, encoding: String) {
        let count = text.utf8.count
        index += "\(name)\\t\(length)\\t\(count)\\t\(encoding)\\n"
        length += count
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": literal += "\\\\"
            case "\"": literal += "\\\""
            case "\n": literal += "\\n"
            case "\r": literal += "\\r"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
                literal += "\\u{\(String(scalar.value, radix: 16))}"
            default: literal.unicodeScalars.append(scalar)
            }
        }
    }
}
