import Chronology
import Persistence
import Web

/// Where and on what something happened, as a company's metadata say it: `metadata.channel` and `metadata.device`. Folded, so that Mail and
/// mail are one.
struct Dimensions: Sendable, Hashable {
    var channel = ""
    var device = ""
    /// The company's own name for what was seen or handed on.
    var content = ""
    var language = ""

    static let lengthMax = 40
    /// Stands for all further words when a day has too many.
    static let others = "other"

    init() {}

    init(_ metadata: JSONValue) {
        channel = Self.folded(metadata["channel"]?.string)
        device = Self.folded(metadata["device"]?.string)
        content = Self.folded(metadata["content"]?.string)
        language = Self.folded(metadata["language"]?.string)
    }

    init(_ metadata: [JSONMember]) { self.init(.object(metadata)) }

    var isEmpty: Bool { channel.isEmpty && device.isEmpty && content.isEmpty && language.isEmpty }

    /// Small letters, digits, `-`, `_`, `.` and spaces between them; anything else is left out, so that no address or name of a person fits.
    static func folded(_ text: String?) -> String {
        guard let text else { return "" }
        let kept = text.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_. ".unicodeScalars.contains($0) }
        var folded = String(String.UnicodeScalarView(kept.prefix(lengthMax)))
        while folded.first == " " { folded.removeFirst() }
        while folded.last == " " { folded.removeLast() }
        return folded
    }
}

extension Workspace {
    var zone: Zone { Zone(timeZone) ?? .utc }
}

/// Clicks, visits and showings, counted by day: there is no row for each.
struct Traffic: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable { case click, visit, impression }

    var programID: ProgramID
    var day: String
    var kind: Kind
    var dimensions: Dimensions
    var country: String

    /// Rows of a workspace's day; further words for channels and devices count as "other".
    static let rowsPerDayMax: Int64 = 2_000
    static let impressionsAtOnceMax: Int64 = 1_000_000
    /// How far back a visit or showing may lie: what is older is a mistake.
    static let daysBackMax: Int64 = 400

    static func count(_ counts: [Traffic: Int64], in write: Write) throws {
        for (traffic, count) in counts.sorted(by: { $0.key.order < $1.key.order }) where count > 0 {
            try TrafficStore.add(count, traffic, in: write.workspace.id, on: write.connection)
        }
    }

    /// The day of an event that was told of, as the workspace's days go.
    static func day(of instant: Instant?, in write: Write) throws -> String {
        let at = instant ?? write.now
        guard at.millisecondsClamped(since: write.now) <= Sale.clockSkewMs, write.now.millisecondsClamped(since: at) <= daysBackMax * 86_400_000 else {
            throw Refusal.field("occurredAt", "Must be at most \(daysBackMax) days ago, and not in the future.", code: "visit_time")
        }
        return write.workspace.zone.day(of: at).iso8601
    }

    private var order: String { "\(day) \(programID.text) \(kind.rawValue) \(dimensions.channel) \(dimensions.device) \(country)" }
}

enum TrafficStore {
    static func add(_ count: Int64, _ traffic: Traffic, in workspace: WorkspaceID, on connection: any Connection) throws {
        if try update(count, traffic, workspace, connection) { return }
        let rows: Int64 = try connection.value("SELECT count(*) FROM traffic_day WHERE workspace_id = \(workspace) AND day = \(traffic.day)") ?? 0
        var traffic = traffic
        if rows >= Traffic.rowsPerDayMax {
            traffic.dimensions.channel = Dimensions.others
            traffic.dimensions.device = Dimensions.others
            traffic.country = ""
        }
        try connection.execute(
            """
            INSERT INTO traffic_day (workspace_id, program_id, day, kind, channel, device, country, count)
            VALUES (\(workspace), \(traffic.programID), \(traffic.day), \(traffic.kind.rawValue), \(traffic.dimensions.channel),
                    \(traffic.dimensions.device), \(traffic.country), \(count))
            ON CONFLICT (workspace_id, day, program_id, kind, channel, device, country) DO UPDATE SET count = traffic_day.count + excluded.count
            """)
    }

    private static func update(_ count: Int64, _ traffic: Traffic, _ workspace: WorkspaceID, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE traffic_day SET count = count + \(count) WHERE workspace_id = \(workspace) AND day = \(traffic.day) AND program_id = \(traffic.programID)
                AND kind = \(traffic.kind.rawValue) AND channel = \(traffic.dimensions.channel) AND device = \(traffic.dimensions.device)
                AND country = \(traffic.country)
            """) == 1
    }
}

enum DimensionStore {
    /// Keeps where and on what a sale or lead came.
    static func keep(_ dimensions: Dimensions, of event: String, in workspace: WorkspaceID, on connection: any Connection) throws {
        guard !dimensions.isEmpty else { return }
        try connection.executeLater(
            """
            INSERT INTO event_dimension (event_id, workspace_id, channel, device, content, language)
            VALUES (\(event), \(workspace), \(dimensions.channel), \(dimensions.device), \(dimensions.content), \(dimensions.language)) ON CONFLICT (event_id) DO NOTHING
            """)
    }
}
