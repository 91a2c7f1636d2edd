import Mustache

/// Escaping for HTML texts and quoted attributes.
///
/// It works on Unicode scalars: a quote followed by a combining mark is one `Character`, which swift-mustache's own escaping
/// leaves as it is, although every browser ends the attribute there.
public enum HTMLEscaping {
    /// The text with `& < > " ' \`` replaced by references.
    public static func escape(_ text: String) -> String {
        var needed = 0
        for byte in text.utf8 where reference(for: byte) != nil { needed += 1 }
        if needed == 0 { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + needed * 5)
        for byte in text.utf8 {
            if let reference = reference(for: byte) {
                reference.withUTF8Buffer { bytes.append(contentsOf: $0) }
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func reference(for byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        case UInt8(ascii: "`"): "&#96;"
        default: nil
        }
    }
}

/// The content type that every HTML template and partial is loaded with.
struct SafeHTMLContentType: MustacheContentType {
    static let name = "SAFE_HTML"

    /// Registers the type once; the registry of swift-mustache is global.
    static let registered: Void = MustacheContentTypes.register(SafeHTMLContentType(), named: name)

    func escapeText(_ text: String) -> String { HTMLEscaping.escape(text) }
}
