/// English with accents, a third longer and in brackets: shows texts that are not in the catalogue, cut off or glued together.
public enum PseudoLocale {
    public static let identifier = "en-XA"

    private static let accented: [Character: Character] = [
        "a": "á", "b": "ƀ", "c": "ç", "d": "ð", "e": "é", "f": "ƒ", "g": "ğ", "h": "ĥ", "i": "í", "j": "ĵ", "k": "ķ", "l": "ļ", "m": "ɱ",
        "n": "ñ", "o": "ó", "p": "þ", "q": "ǫ", "r": "ŕ", "s": "š", "t": "ţ", "u": "ú", "v": "ṽ", "w": "ŵ", "x": "ẋ", "y": "ý", "z": "ž",
        "A": "Á", "B": "Ɓ", "C": "Ç", "D": "Ð", "E": "É", "F": "Ƒ", "G": "Ğ", "H": "Ĥ", "I": "Í", "J": "Ĵ", "K": "Ķ", "L": "Ļ", "M": "Ṁ",
        "N": "Ñ", "O": "Ó", "P": "Þ", "Q": "Ǫ", "R": "Ŕ", "S": "Š", "T": "Ţ", "U": "Ú", "V": "Ṽ", "W": "Ŵ", "X": "Ẋ", "Y": "Ý", "Z": "Ž",
    ]

    static func message(_ message: Message) -> Message {
        switch message {
        case .text(let text): .text(disguise(text))
        case .plural(let forms): .plural(forms.mapValues(disguise))
        }
    }

    /// The text in disguise; its places and tags are kept.
    static func disguise(_ text: String) -> String {
        var result = ""
        var letters = 0
        for piece in Message.pieces(of: text) {
            switch piece {
            case .literal(let literal):
                letters += literal.count
                var isInTag = false
                for character in literal {
                    if character == "<" { isInTag = true }
                    result.append(isInTag ? character : accented[character] ?? character)
                    if character == ">" { isInTag = false }
                }
            case .place(let name): result += "{\(name)}"
            }
        }
        let filling = String("~ ~ one two three four five six seven eight nine ten ~ ".prefix(max(1, (letters * 3 + 9) / 10)))
        let missing = max(1, (letters * 3 + 9) / 10) - filling.count
        return "⟦\(result) \(filling)\(String(repeating: "~", count: max(0, missing)))⟧"
    }
}
