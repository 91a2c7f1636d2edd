import Chronology
import Persistence
import Web

enum ComplaintKind: Identified { static let prefix = "cpl_" }
typealias ComplaintID = Identifier<ComplaintKind>

/// Somebody did not want to be recommended something. Of them nothing is kept but, of a letter, the keyed hash of its address.
struct Complaint: Sendable {
    enum Reason: String, Sendable, CaseIterable { case unknownSender, unwanted, other }
    /// A letter's own address proves that the letter was got; the friend's page is open to anybody.
    enum Way: String, Sendable { case letter, page }

    /// Complaints by letters that stop a member's letters, counted from the last time somebody of the team let them write.
    static let untilPause = 3
    /// Complaints by the friend's page that are kept of one member within a day; more say nothing new.
    static let pageDayMax = 20
    /// From one address.
    static let limit = RateLimit(requests: 5, periodSeconds: 3600)

    var id: ComplaintID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var memberID: MemberID
    var way: Way
    var reason: Reason
    var createdAt: Instant
    var lookedAt: Instant?

    /// By the address in a letter: no more letters go there, for good. Complaining twice is complaining once.
    static func make(_ link: UnwantedLink, reason: Reason, in write: Write) throws {
        guard let letter = try InvitationStore.find(link.invitation, on: write.connection), letter.workspaceID == write.workspace.id else { return }
        try InvitationStore.setUnwanted(link.addressHash, at: write.now, in: write.workspace.id, on: write.connection)
        let complaint = Complaint(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: letter.programID, memberID: letter.memberID, way: .letter, reason: reason,
            createdAt: write.now)
        guard try ComplaintStore.insert(complaint, addressHash: link.addressHash, on: write.connection) else { return }
        let since = try InvitationStore.liftedAt(letter.memberID, on: write.connection)
        let count = try ComplaintStore.count(of: letter.memberID, way: .letter, after: since, on: write.connection)
        var isPaused = try InvitationStore.isPaused(letter.memberID, on: write.connection)
        if !isPaused, count >= Int64(untilPause) {
            try InvitationStore.pause(letter.memberID, at: write.now, on: write.connection)
            try write.audit("invitation.pause", subject: letter.memberID.text, JSONText(["complaints": .integer(count)]))
            isPaused = true
        }
        try complaint.tell(isPaused: isPaused, in: write)
    }

    /// By the friend's page. Anybody can say so, so it stops nothing; the team looks.
    static func make(about link: Link, reason: Reason, in write: Write) throws {
        guard let member = link.memberID else { return }
        let day = try write.now.adding(milliseconds: -FriendInvitation.dayMs)
        guard try ComplaintStore.count(of: member, way: .page, after: day, on: write.connection) < Int64(pageDayMax) else { return }
        let complaint = Complaint(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: link.programID, memberID: member, way: .page, reason: reason,
            createdAt: write.now)
        _ = try ComplaintStore.insert(complaint, addressHash: nil, on: write.connection)
        try complaint.tell(isPaused: try InvitationStore.isPaused(member, on: write.connection), in: write)
    }

    /// One click in the mailbox: no more letters, and nothing said about the member.
    static func unsubscribe(_ link: UnwantedLink, in write: Write) throws {
        guard let letter = try InvitationStore.find(link.invitation, on: write.connection), letter.workspaceID == write.workspace.id else { return }
        try InvitationStore.setUnwanted(link.addressHash, at: write.now, in: write.workspace.id, on: write.connection)
    }

    /// Somebody of the team has seen what was said about a member.
    static func lookAt(_ member: MemberID, in write: Write) throws {
        guard try MemberStore.find(member, in: write.workspace.id, on: write.connection) != nil else { throw Refusal.unknown("member") }
        guard try ComplaintStore.setLookedAt(member, by: write.actor.text, at: write.now, in: write.workspace.id, on: write.connection) > 0 else { return }
        try write.audit("complaint.look", subject: member.text)
    }

    /// The member may write to friends again; what was said before counts no more.
    static func forgive(_ member: MemberID, in write: Write) throws {
        guard try MemberStore.find(member, in: write.workspace.id, on: write.connection) != nil else { throw Refusal.unknown("member") }
        guard try InvitationStore.lift(member, by: write.actor.text, at: write.now, on: write.connection) else { return }
        try write.audit("invitation.resume", subject: member.text)
    }

    private func tell(isPaused: Bool, in write: Write) throws {
        try write.emit(
            .invitationComplained, subject: memberID.text,
            JSONText([
                "complaintId": .text(id.text), "memberId": .text(memberID.text), "programId": .text(programID.text), "way": .text(way.rawValue),
                "reason": .text(reason.rawValue), "isPaused": .boolean(isPaused),
            ]))
    }

    static let eventSchema = APISchema.object([
        .required("complaintId", .text), .required("memberId", .text), .required("programId", .text),
        .required("way", .described(.enumeration(["letter", "page"]), description: "A letter's own address, or the friend's page, which anybody can open.")),
        .required("reason", .enumeration(Reason.allCases.map(\.rawValue))),
        .required("isPaused", .described(.boolean, description: "The member can write to no friends until somebody of the team lets them.")),
    ])

    var json: JSONValue {
        [
            "id": .text(id.text), "memberId": .text(memberID.text), "programId": .text(programID.text), "way": .text(way.rawValue),
            "reason": .text(reason.rawValue), "createdAt": .text(createdAt.rfc3339), "lookedAt": lookedAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("memberId", .text), .required("programId", .text), .required("way", .enumeration(["letter", "page"])),
        .required("reason", .enumeration(Reason.allCases.map(\.rawValue))), .required("createdAt", .dateTime), .required("lookedAt", .nullable(.dateTime)),
    ])
}

enum ComplaintStore {
    private static let columns = "id, workspace_id, program_id, member_id, way, reason, created_at, looked_at"

    /// Answers false when this address has complained about this member before.
    static func insert(_ complaint: Complaint, addressHash: [UInt8]?, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            INSERT INTO complaint (id, workspace_id, program_id, member_id, way, address_hash, reason, created_at)
            VALUES (\(complaint.id), \(complaint.workspaceID), \(complaint.programID), \(complaint.memberID), \(complaint.way.rawValue), \(addressHash),
                    \(complaint.reason.rawValue), \(complaint.createdAt))
            ON CONFLICT DO NOTHING
            """) == 1
    }

    static func count(of member: MemberID, way: Complaint.Way, after: Instant?, on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT count(*) FROM complaint WHERE member_id = \(member) AND way = \(way.rawValue)
                AND created_at > \(after ?? Instant(millisecondsSince1970: 0))
            """) ?? 0
    }

    static func openCount(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM complaint WHERE workspace_id = \(workspace) AND looked_at IS NULL") ?? 0
    }

    /// The newest first.
    static func list(
        in workspace: WorkspaceID, member: MemberID?, before: ComplaintID?, limit: Int, on connection: any Connection
    ) throws -> [Complaint] {
        var sql: SQL = "SELECT \(raw: columns) FROM complaint WHERE workspace_id = \(workspace)"
        if let member { sql = "\(sql: sql) AND member_id = \(member)" }
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").map(read)
    }

    static func page(
        in workspace: WorkspaceID, member: MemberID?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Complaint] {
        var sql: SQL = "SELECT \(raw: columns) FROM complaint WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let member { sql = "\(sql: sql) AND member_id = \(member)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    static func setLookedAt(
        _ member: MemberID, by author: String, at now: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> Int {
        try connection.execute(
            """
            UPDATE complaint SET looked_at = \(now), looked_by = \(author)
            WHERE workspace_id = \(workspace) AND member_id = \(member) AND looked_at IS NULL
            """)
    }

    private static func read(_ row: Row) throws -> Complaint {
        Complaint(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), memberID: try row.get(at: 3),
            way: Complaint.Way(rawValue: try row.get(at: 4)) ?? .page, reason: Complaint.Reason(rawValue: try row.get(at: 5)) ?? .other,
            createdAt: try row.get(at: 6), lookedAt: try row.get(at: 7))
    }
}
