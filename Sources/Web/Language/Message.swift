/// A text of the catalogue: fixed, or with one form for each plural category. `{name}` marks a place for a value.
public enum Message: Sendable, Equatable {
    case text(String)
    case plural([PluralCategory: String])

    /// The names of all places, sorted, each once.
    var placeholders: [String] {
        switch self {
        case .text(let text): Array(Set(Message.pieces(of: text).compactMap(\.placeholder))).sorted()
        case .plural(let forms): Array(Set(forms.values.flatMap { Message.pieces(of: $0).compactMap(\.placeholder) })).sorted()
        }
    }

    enum Piece: Equatable {
        case literal(Substring)
        case place(String)

        var placeholder: String? { if case .place(let name) = self { name } else { nil } }
    }

    /// The text cut at its places. A brace that encloses no name is a literal.
    static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var literalStart = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index] == "{", let end = text[index...].firstIndex(of: "}") else {
                index = text.index(after: index)
                continue
            }
            let name = text[text.index(after: index)..<end]
            guard !name.isEmpty, name.utf8.allSatisfy({ ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }) else {
                index = text.index(after: index)
                continue
            }
            if literalStart < index { pieces.append(.literal(text[literalStart..<index])) }
            pieces.append(.place(String(name)))
            index = text.index(after: end)
            literalStart = index
        }
        if literalStart < text.endIndex { pieces.append(.literal(text[literalStart...])) }
        return pieces
    }

    /// The text with values in its places; a place without a value stays visible.
    static func fill(_ text: String, _ values: [String: String]) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var result = ""
        for piece in pieces(of: text) {
            switch piece {
            case .literal(let literal): result += literal
            case .place(let name): result += values[name] ?? "{\(name)}"
            }
        }
        return result
    }
}
