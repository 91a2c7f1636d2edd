import Chronology
public import Compensation
import Foundation

extension ZoneOffsets {
    /// From the system's zone data, for 1970 to 2100; nil for an unknown name. Known names are read once.
    public static func system(_ name: String) -> ZoneOffsets? {
        if name == "UTC" { return .utc }
        guard let zone = TimeZone(identifier: name) else { return nil }
        var changes: [Change] = []
        var from = Date(timeIntervalSince1970: 0)
        changes.append(Change(from: .earliest, offsetMs: Int64(zone.secondsFromGMT(for: from)) * 1_000))
        while changes.count < changesLimit, let next = zone.nextDaylightSavingTimeTransition(after: from), next > from, next.timeIntervalSince1970 < lastSecond {
            let offset = Int64(zone.secondsFromGMT(for: next)) * 1_000
            if offset != changes.last?.offsetMs {
                changes.append(Change(from: Instant(millisecondsSince1970: Int64(next.timeIntervalSince1970) * 1_000), offsetMs: offset))
            }
            from = next
        }
        return ZoneOffsets(name: name, changes: changes)
    }

    private static let changesLimit = 1_000
    /// 2100-01-01
    private static let lastSecond = 4_102_444_800.0
}
