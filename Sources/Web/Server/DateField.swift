internal import SwiftGlibc
internal import Synchronization

/// The `Date` of answers (RFC 9110, 6.6.1), made once a second for all connections.
final class DateField: Sendable {
    static let shared = DateField()

    private let made = Mutex<(second: Int, text: String)>((Int.min, ""))

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, of now.
    var text: String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        return text(second: now.tv_sec)
    }

    /// The text of a second since 1970.
    func text(second: Int) -> String {
        made.withLock { made in
            if made.second != second { made = (second, Self.make(second)) }
            return made.text
        }
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func make(_ second: Int) -> String {
        var parts = tm()
        var time = time_t(second)
        guard gmtime_r(&time, &parts) != nil else { return "" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(weekdays[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(Int(parts.tm_year) + 1900) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}
