import Chronology

/// A party as a file for calendars (RFC 5545).
struct PartyCalendar {
    /// How long it lasts as far as calendars are told.
    static let durationMs: Int64 = 10_800_000
    static let lineBytesMax = 75

    var party: Party
    var company: String
    var address: String

    var text: String {
        let end = Instant(millisecondsSince1970: party.startsAt.millisecondsSince1970 + Self.durationMs)
        var lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kith//Parties//EN", "METHOD:PUBLISH", "BEGIN:VEVENT", "UID:\(party.id.text)@kith",
            "DTSTAMP:\(Self.time(party.createdAt))", "DTSTART:\(Self.time(party.startsAt))", "DTEND:\(Self.time(end))",
            "SUMMARY:\(Self.escaped(party.title.isEmpty ? company : party.title))",
        ]
        if let place = party.place { lines.append("LOCATION:\(Self.escaped(place))") }
        lines += [
            "DESCRIPTION:\(Self.escaped(company))", "URL:\(address)", "STATUS:\(party.canceledAt == nil ? "CONFIRMED" : "CANCELLED")", "END:VEVENT",
            "END:VCALENDAR",
        ]
        return lines.map { Self.folded($0) + "\r\n" }.joined()
    }

    /// 20270605T170000Z.
    static func time(_ instant: Instant) -> String {
        String(instant.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\", ";", ",": escaped += "\\" + String(character)
            case _ where character.isNewline: escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// Lines of 75 bytes at most, never cut within a character.
    static func folded(_ line: String) -> String {
        var (folded, count) = ("", 0)
        for scalar in line.unicodeScalars {
            let bytes = String(scalar).utf8.count
            if count + bytes > lineBytesMax {
                folded += "\r\n "
                count = 1
            }
            folded.unicodeScalars.append(scalar)
            count += bytes
        }
        return folded
    }
}
