import Chronology
import Foundation

/// A letter as mail servers pass it on: headers in ASCII, both bodies in base 64, so that any text of any language arrives as it was.
struct MailMessage: Sendable {
    /// A header or an address holds a line break or another control character: somebody tries to add headers, or a name is broken.
    struct ControlCharacter: Error, Equatable {
        var header: String
    }

    var id: MailID
    var senderName: String
    var senderAddress: String
    var to: String
    var subject: String
    var text: String
    var html: String
    var date: Instant
    /// Where one POST stops such letters (RFC 8058).
    var stopURL: String?

    /// The whole message. The same letter sent twice has the same Message-ID, so mailboxes show it once.
    func bytes() throws(ControlCharacter) -> [UInt8] {
        let boundary = "=_\(id.text)"
        var lines = [
            "Date: \(Self.rfc5322(date))",
            "From: \(try MailHeader.words("From", senderName)) <\(try MailHeader.address("From", senderAddress))>",
            "To: <\(try MailHeader.address("To", to))>",
            "Subject: \(try MailHeader.words("Subject", subject))",
            "Message-ID: <\(id.text)@\(senderAddress.split(separator: "@").last ?? "localhost")>",
            "MIME-Version: 1.0",
            // Nobody's holiday notice answers.
            "Auto-Submitted: auto-generated",
        ]
        if let stopURL {
            lines.append("List-Unsubscribe: <\(try MailHeader.address("List-Unsubscribe", stopURL))>")
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        }
        lines += ["Content-Type: multipart/alternative; boundary=\"\(boundary)\"", ""]
        for (type, body) in [("text/plain", text), ("text/html", html)] {
            lines += [
                "--\(boundary)", "Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: base64", "",
                Data(body.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]),
            ]
        }
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Sun, 22 Nov 2026 02:00:00 +0000
    private static func rfc5322(_ instant: Instant) -> String {
        let day = Zone.utc.day(of: instant)
        let second = (instant.millisecondsSince1970 / 1000) % 86_400
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(days[day.weekday - 1]), \(day.day) \(months[day.month - 1]) \(day.year) "
            + "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) +0000"
    }
}

/// Values of mail headers.
enum MailHeader {
    /// Bytes of text in one encoded word: 60 characters of base 64, with what stands around them below the 75 that are allowed.
    private static let wordBytesMax = 45

    /// Any text as encoded words (RFC 2047), folded. Short plain text stays readable.
    static func words(_ header: String, _ text: String) throws(MailMessage.ControlCharacter) -> String {
        guard isPlain(text) else { throw MailMessage.ControlCharacter(header: header) }
        if text.utf8.count <= 60, text.utf8.allSatisfy({ isWordByte($0) }) { return text }
        var words: [String] = []
        var word: [UInt8] = []
        func close() {
            words.append("=?UTF-8?B?\(Data(word).base64EncodedString())?=")
            word = []
        }
        // A word ends between characters, never within one.
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if word.count + bytes.count > wordBytesMax { close() }
            word += bytes
        }
        close()
        return words.joined(separator: "\r\n ")
    }

    /// An address or URL that stands between angle brackets.
    static func address(_ header: String, _ text: String) throws(MailMessage.ControlCharacter) -> String {
        guard isPlain(text), !text.unicodeScalars.contains(where: { $0 == " " || $0 == "<" || $0 == ">" }) else {
            throw MailMessage.ControlCharacter(header: header)
        }
        return text
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.properties.generalCategory == .control || $0 == "\u{2028}" || $0 == "\u{2029}" }
    }

    /// Letters, digits, spaces and marks that mean nothing in a header.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "'"), UInt8(ascii: "!"):
            true
        default: false
        }
    }
}
