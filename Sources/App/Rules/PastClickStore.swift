import Chronology
import Persistence

/// Clicks of the past, in the click file: it knows no programs by index, so it is read backwards from its end.
enum PastClickStore {
    /// Rows of the file that are looked through at most.
    static let rowsMax: Int64 = 2_000_000
    private static let pageSize: Int64 = 5_000

    /// The newest counted clicks of members' links of a program in a period, at most `limit`, in their order. `expected` of them exist:
    /// when all are found, nobody looks further.
    static func newest(
        of program: Program, from: Instant, until: Instant, expected: Int64, limit: Int, on connection: any Connection
    ) throws -> [PastClick] {
        let wanted = min(Int64(limit), expected)
        var found: [PastClick] = []
        var end: Int64 = try connection.value("SELECT sequence FROM click_head WHERE id = 1") ?? 0
        let last = max(0, end - rowsMax)
        while end > last, Int64(found.count) < wanted {
            let start = max(last, end - pageSize)
            try connection.forEachRow(
                """
                SELECT id, member_id, country, at FROM click WHERE sequence > \(start) AND sequence <= \(end) AND program_id = \(program.id)
                    AND at >= \(from) AND at < \(until) AND discard IS NULL AND member_id IS NOT NULL ORDER BY sequence DESC
                """
            ) { row in
                guard Int64(found.count) < wanted else { return }
                found.append(PastClick(id: try row.get(at: 0), memberID: try row.get(at: 1), country: try row.get(at: 2), at: try row.get(at: 3)))
            }
            end = start
        }
        return found.reversed()
    }
}
