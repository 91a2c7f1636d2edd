import Chronology
import Persistence
import Web

enum PartnerInvitationKind: Identified { static let prefix = "pin_" }
typealias PartnerInvitationID = Identifier<PartnerInvitationKind>

/// Somebody whom the team asks by name to join a program. The letter's link opens the join page with what is known of them filled in, and
/// their application says where they come from.
struct PartnerInvitation: Sendable {
    enum State: String, Sendable, CaseIterable { case invited, accepted, withdrawn }

    static let lifeMs: Int64 = 14 * 86_400_000
    /// After its end what names the person is kept this long, so that it can be sent again; then it goes.
    static let restMs: Int64 = 30 * 86_400_000
    static let sendsMax = 3
    /// Of a workspace within a day.
    static let dayMax = 200
    static let parameter = "invitation"

    var id: PartnerInvitationID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var personID: PersonID
    var source: String
    var state: State
    var expiresAt: Instant
    var sends: Int64
    var sentAt: Instant
    var createdBy: String
    var createdAt: Instant

    struct Input: Sendable {
        var programID: ProgramID
        var name: String
        var email: String
        var source: String
    }

    /// The address of a join page with an invitation's token.
    typealias URL = @Sendable (JoinPage, SessionToken) -> String

    static func url(_ installation: Installation, of workspace: WorkspaceID) -> URL {
        let base = installation.publicURL(of: workspace)
        return { page, token in "\(base)/join/\(page.slug)?\(parameter)=\(token.text)" }
    }

    static func make(_ input: Input, url: URL, in write: Write) throws -> PartnerInvitation {
        let (program, page) = try place(input.programID, in: write)
        let day = try write.now.adding(milliseconds: -86_400_000)
        guard try PartnerInvitationStore.count(in: write.workspace.id, after: day, on: write.connection) < Int64(dayMax) else {
            throw Problem.conflict(code: "too_many_invitations", detail: "At most \(dayMax) partners can be invited within a day. Go on tomorrow.")
        }
        let person = try PersonStore.insert(in: write)
        try PersonStore.set(.name, input.name, of: person, in: write)
        try PersonStore.set(.email, input.email, of: person, in: write)
        let token = SessionToken()
        let invitation = PartnerInvitation(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, personID: person, source: input.source, state: .invited,
            expiresAt: try write.now.adding(milliseconds: lifeMs), sends: 1, sentAt: write.now, createdBy: write.actor.text, createdAt: write.now)
        try PartnerInvitationStore.insert(invitation, tokenHash: token.hash, on: write.connection)
        try Mail.queue(.partnerInvitation(program: program.name, name: input.name, url: url(page, token)), to: .person(person), in: write)
        try write.audit("partner.invite", subject: invitation.id.text, JSONText(["programId": .text(program.id.text), "source": .text(input.source)]))
        return invitation
    }

    /// Another letter, with a link of its own; the one before leads nowhere any more.
    static func send(_ id: PartnerInvitationID, again url: URL, in write: Write) throws -> PartnerInvitation {
        guard var invitation = try PartnerInvitationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("invitation") }
        guard invitation.state == .invited else { throw invitation.ended }
        guard invitation.sends < Int64(sendsMax) else {
            throw Problem.conflict(code: "sent_often_enough", detail: "This invitation was sent \(sendsMax) times. Whoever wants to come has read it by now.")
        }
        let (program, page) = try place(invitation.programID, in: write)
        let fields = try PersonStore.fields(of: [invitation.personID], [.name], vault: write.vault, on: write.connection)[invitation.personID]
        guard let name = fields?[.name] else { throw invitation.ended }
        let token = SessionToken()
        invitation.sends += 1
        invitation.sentAt = write.now
        invitation.expiresAt = try write.now.adding(milliseconds: lifeMs)
        try PartnerInvitationStore.update(invitation, tokenHash: token.hash, on: write.connection)
        try Mail.queue(.partnerInvitation(program: program.name, name: name, url: url(page, token)), to: .person(invitation.personID), in: write)
        try write.audit("partner.invite_again", subject: id.text)
        return invitation
    }

    /// The link leads nowhere any more, and who was meant is forgotten.
    static func withdraw(_ id: PartnerInvitationID, in write: Write) throws -> PartnerInvitation {
        guard let invitation = try PartnerInvitationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("invitation") }
        if invitation.state == .withdrawn { return invitation }
        guard invitation.state == .invited else { throw invitation.ended }
        try write.audit("partner.withdraw", subject: id.text)
        return try invitation.end(.withdrawn, in: write)
    }

    /// The person has come: their application knows them from here on.
    static func accept(_ id: PartnerInvitationID, in write: Write) throws {
        guard let invitation = try PartnerInvitationStore.find(id, in: write.workspace.id, on: write.connection), invitation.state == .invited else { return }
        _ = try invitation.end(.accepted, in: write)
    }

    /// Forgets people who let it rest.
    static func forgetDue(in write: Write) throws {
        let before = try write.now.adding(milliseconds: -restMs)
        for invitation in try PartnerInvitationStore.due(in: write.workspace.id, before: before, limit: 100, on: write.connection) {
            _ = try invitation.end(.withdrawn, in: write)
        }
    }

    private func end(_ state: State, in write: Write) throws -> PartnerInvitation {
        var ended = self
        ended.state = state
        try PartnerInvitationStore.update(ended, tokenHash: nil, on: write.connection)
        // The key is noted and destroyed as due work.
        _ = try ErasureStore.forgetNobody(personID, at: write.world.now(), on: write.connection)
        return ended
    }

    private static func place(_ programID: ProgramID, in write: Write) throws -> (Program, JoinPage) {
        guard let program = try ProgramStore.find(programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard let page = try JoinStore.page(of: programID, on: write.connection), page.isOpen else {
            throw Refusal.field("programId", "Must be a program whose join page is open: that is where the letter leads.", code: "join_page_closed")
        }
        return (program, page)
    }

    private var ended: Problem {
        Problem.conflict(code: "invitation_ended", detail: "This invitation is \(state.rawValue). Invite the person anew.")
    }

    func isExpired(at now: Instant) -> Bool { state == .invited && expiresAt <= now }

    func json(vault: Vault, at now: Instant, on connection: any Connection) throws -> JSONValue {
        let fields = try PersonStore.fields(of: [personID], [.name, .email], vault: vault, on: connection)[personID] ?? [:]
        return [
            "id": .text(id.text), "programId": .text(programID.text), "name": fields[.name].map { .text($0) } ?? .null,
            "email": fields[.email].map { .text($0) } ?? .null, "source": .text(source), "state": .text(state.rawValue), "isExpired": .boolean(isExpired(at: now)),
            "expiresAt": .text(expiresAt.rfc3339), "sends": .integer(sends), "sentAt": .text(sentAt.rfc3339), "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("name", .nullable(.text)), .required("email", .nullable(.text)),
        .required("source", .text), .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("isExpired", .boolean),
        .required("expiresAt", .dateTime), .required("sends", .integer()), .required("sentAt", .dateTime), .required("createdAt", .dateTime),
    ])
}

enum PartnerInvitationStore {
    private static let columns = "id, workspace_id, program_id, person_id, source, state, expires_at, sends, sent_at, created_by, created_at"

    static func insert(_ invitation: PartnerInvitation, tokenHash: [UInt8], on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO partner_invitation (\(raw: columns), token_hash)
            VALUES (\(invitation.id), \(invitation.workspaceID), \(invitation.programID), \(invitation.personID), \(invitation.source),
                    \(invitation.state.rawValue), \(invitation.expiresAt), \(invitation.sends), \(invitation.sentAt), \(invitation.createdBy),
                    \(invitation.createdAt), \(tokenHash))
            """)
    }

    static func update(_ invitation: PartnerInvitation, tokenHash: [UInt8]?, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE partner_invitation SET state = \(invitation.state.rawValue), token_hash = \(tokenHash), expires_at = \(invitation.expiresAt),
                sends = \(invitation.sends), sent_at = \(invitation.sentAt) WHERE id = \(invitation.id)
            """)
    }

    static func find(_ id: PartnerInvitationID, in workspace: WorkspaceID, on connection: any Connection) throws -> PartnerInvitation? {
        try connection.row("SELECT \(raw: columns) FROM partner_invitation WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    /// The one that a link names, while it is good.
    static func find(token: String?, of program: ProgramID, at now: Instant, on connection: any Connection) throws -> PartnerInvitation? {
        guard let hash = token.flatMap({ SessionToken(text: $0) })?.hash else { return nil }
        return try connection.row(
            "SELECT \(raw: columns) FROM partner_invitation WHERE token_hash = \(hash) AND program_id = \(program) AND expires_at > \(now)"
        ).map(read)
    }

    static func count(in workspace: WorkspaceID, after: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM partner_invitation WHERE workspace_id = \(workspace) AND created_at > \(after)") ?? 0
    }

    static func page(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [PartnerInvitation] {
        try connection.rows(
            "SELECT \(raw: columns) FROM partner_invitation WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map(read)
    }

    static func newest(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [PartnerInvitation] {
        try connection.rows(
            "SELECT \(raw: columns) FROM partner_invitation WHERE workspace_id = \(workspace) ORDER BY id DESC LIMIT \(limit)"
        ).map(read)
    }

    static func due(in workspace: WorkspaceID, before: Instant, limit: Int, on connection: any Connection) throws -> [PartnerInvitation] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM partner_invitation
            WHERE state = 'invited' AND expires_at < \(before) AND workspace_id = \(workspace) ORDER BY expires_at LIMIT \(limit)
            """
        ).map(read)
    }

    static func workspacesDue(before: Instant, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows("SELECT DISTINCT workspace_id FROM partner_invitation WHERE state = 'invited' AND expires_at < \(before) LIMIT 20").map { try $0.get(at: 0) }
    }

    private static func read(_ row: Row) throws -> PartnerInvitation {
        PartnerInvitation(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), personID: try row.get(at: 3), source: try row.get(at: 4),
            state: PartnerInvitation.State(rawValue: try row.get(at: 5)) ?? .withdrawn, expiresAt: try row.get(at: 6), sends: try row.get(at: 7),
            sentAt: try row.get(at: 8), createdBy: try row.get(at: 9), createdAt: try row.get(at: 10))
    }
}
