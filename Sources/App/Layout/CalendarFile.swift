import Chronology

/// Something dated as a file for calendars (RFC 5545).
struct CalendarFile {
    static let lineBytesMax = 75

    /// What calendars know it by: the same when it is fetched again.
    var id: String
    var title: String
    var company: String
    var place: String?
    var startsAt: Instant
    var endsAt: Instant
    var address: String
    var isCanceled: Bool
    var writtenAt: Instant

    var text: String {
        var lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kith//Calendar//EN", "METHOD:PUBLISH", "BEGIN:VEVENT", "UID:\(id)@kith",
            "DTSTAMP:\(Self.time(writtenAt))", "DTSTART:\(Self.time(startsAt))", "DTEND:\(Self.time(endsAt))", "SUMMARY:\(Self.escaped(title))",
        ]
        if let place { lines.append("LOCATION:\(Self.escaped(place))") }
        lines += [
            "DESCRIPTION:\(Self.escaped(company))", "URL:\(address)", "STATUS:\(isCanceled ? "CANCELLED" : "CONFIRMED")", "END:VEVENT", "END:VCALENDAR",
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
