extension JSONValue {
    /// The document as text with line breaks and two spaces of indentation a level, for people.
    public var indented: String {
        var text: [UInt8] = []
        var depth = 0
        var isInText = false
        var isEscaped = false
        func newLine() { text.append(0x0A); text += Array(repeating: 0x20, count: depth * 2) }
        let source = bytes
        for (position, byte) in source.enumerated() {
            if isInText {
                text.append(byte)
                if isEscaped { isEscaped = false } else if byte == UInt8(ascii: "\\") { isEscaped = true } else if byte == UInt8(ascii: "\"") { isInText = false }
                continue
            }
            let next = position + 1 < source.count ? source[position + 1] : 0
            let last = position > 0 ? source[position - 1] : 0
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                text.append(byte)
                if next == UInt8(ascii: "}") || next == UInt8(ascii: "]") { continue }
                depth += 1
                newLine()
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if last != UInt8(ascii: "{") && last != UInt8(ascii: "[") {
                    depth -= 1
                    newLine()
                }
                text.append(byte)
            case UInt8(ascii: ","):
                text.append(byte)
                newLine()
            case UInt8(ascii: ":"):
                text.append(byte)
                text.append(0x20)
            default:
                if byte == UInt8(ascii: "\"") { isInText = true }
                text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
