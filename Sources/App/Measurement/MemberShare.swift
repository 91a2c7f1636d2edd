import Chronology
import Persistence
import Web

/// A member handed something on: where, and what.
struct MemberShare: Sendable {
    /// Already folded.
    var channel: String
    var contentID: String?

    static let contentLengthMax = 100
    /// Different shares of a member on a day that are kept apart; the rest counts without its content.
    static let apartPerDayMax: Int64 = 50

    /// Counts a share and, when the programs' rules say so, makes its member a sharer.
    func record(by member: Member, in write: Write) throws -> JSONValue {
        let day = write.workspace.zone.day(of: write.now).iso8601
        let apart = try ShareStore.apart(member.id, on: day, on: write.connection)
        try ShareStore.add(
            member.id, workspace: write.workspace.id, day: day, channel: channel, content: apart < Self.apartPerDayMax ? contentID ?? "" : "", on: write.connection)
        if try StageRules.of(member.id, in: write).contains(.share) { try Member.advance(member.id, to: .sharer, cause: "share", in: write) }
        // How they first shared is known of them from now on.
        if apart == 0 { try InsightTodoStore.add(.member, [member.id.text], in: write.workspace.id, on: write.connection) }
        let stage = try MemberStore.find(member.id, in: write.workspace.id, on: write.connection)?.stage ?? member.stage
        return [
            "memberId": .text(member.id.text), "channel": .text(channel), "contentId": contentID.map { .text($0) } ?? .null, "day": .text(day),
            "stage": .text(stage.rawValue),
        ]
    }
}

/// What makes a member a sharer, as a program's `stages` setting says.
struct StageRules: Sendable, Equatable {
    enum Cause: String, Sendable, CaseIterable { case share, click }

    var sharer: [Cause] = Cause.allCases

    var json: JSONValue { ["sharer": .array(sharer.map { .text($0.rawValue) })] }

    static func read(_ part: JSONReader, over base: StageRules) -> StageRules {
        var rules = base
        if part.has("sharer") {
            let words = part.textList("sharer", maximumCount: Cause.allCases.count, maximumLength: 20)
            let causes = words.compactMap(Cause.init(rawValue:))
            if causes.count == words.count, Set(causes).count == causes.count {
                rules.sharer = Cause.allCases.filter(causes.contains)
            } else {
                part.note("sharer", "Must list each of \(Cause.allCases.map(\.rawValue).joined(separator: ", ")) at most once.")
            }
        }
        return rules
    }

    /// What makes a sharer of a member in any program they are in; the usual where they are in none.
    static func of(_ member: MemberID, in write: Write) throws -> Set<Cause> {
        let programs = try ShareStore.programs(of: member, on: write.connection)
        guard !programs.isEmpty else { return Set(StageRules().sharer) }
        return Set(
            try programs.flatMap { try ProgramStore.find($0, in: write.workspace.id, at: write.now, on: write.connection)?.settings.stages.sharer ?? [] })
    }
}

enum ShareStore {
    static func apart(_ member: MemberID, on day: String, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM share_day WHERE member_id = \(member) AND day = \(day)") ?? 0
    }

    static func add(
        _ member: MemberID, workspace: WorkspaceID, day: String, channel: String, content: String, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO share_day (workspace_id, member_id, day, channel, content_id, count) VALUES (\(workspace), \(member), \(day), \(channel), \(content), 1)
            ON CONFLICT (member_id, day, channel, content_id) DO UPDATE SET count = share_day.count + 1
            """)
    }

    static func programs(of member: MemberID, on connection: any Connection) throws -> [ProgramID] {
        try connection.rows("SELECT program_id FROM enrollment WHERE member_id = \(member) ORDER BY program_id LIMIT 50").map { try $0.get(at: 0) }
    }
}
