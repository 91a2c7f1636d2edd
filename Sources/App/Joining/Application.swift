import Chronology
import Persistence
import Web

enum ApplicationKind: Identified { static let prefix = "app_" }
typealias ApplicationID = Identifier<ApplicationKind>

/// Somebody's wish to take part in a program. It counts once they showed that the mail address is theirs.
struct Application: Sendable {
    enum State: String, Sendable, CaseIterable { case unconfirmed, waiting, approved, declined }

    /// The letter's link is good for so long; what was never confirmed is forgotten after it.
    static let confirmMs: Int64 = 3 * 86_400_000
    static let reasonLengthMax = 500

    var id: ApplicationID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var personID: PersonID
    var enrollerID: MemberID?
    var state: State
    var termsVersion: Int64?
    var locale: String?
    var memberID: MemberID?
    var reason: String?
    var decidedBy: String?
    var decidedAt: Instant?
    var createdAt: Instant
}

/// What was written into the join page.
struct ApplicationInput: Sendable {
    var name: String
    var email: String
    var answers: [String]
    var enrollerID: MemberID?
    var termsVersion: Int64?
    var locale: String?
}

extension Application {
    /// Takes a wish in and writes to the address. Who takes part already is sent a way to sign in instead: the page says the same to both.
    static func make(
        _ input: ApplicationInput, on page: JoinPage, program: Program, url: @Sendable (SessionToken) -> String, signInURL: MagicLink.Addresses, in write: Write
    ) throws {
        if let member = try member(email: input.email, in: write), try MemberStore.isEnrolled(member.id, in: program.id, on: write.connection) {
            guard member.mayEnterPortal, let token = try MagicLink.make(for: member.id, in: write) else { return }
            try Mail.queue(.memberSignIn(url: signInURL(token)), to: .person(member.personID), locale: member.locale, in: write)
            return
        }
        let person = try PersonStore.insert(in: write)
        try PersonStore.set(.name, input.name, of: person, in: write)
        try PersonStore.set(.email, input.email, of: person, in: write)
        let token = SessionToken()
        let application = Application(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, personID: person, enrollerID: input.enrollerID,
            state: .unconfirmed, termsVersion: input.termsVersion, locale: input.locale, createdAt: write.now)
        let answers = zip(page.questions, input.answers).map { question, answer -> JSONValue in ["question": .text(question.label), "answer": .text(answer)] }
        let until = try write.world.now().adding(milliseconds: confirmMs)
        try ApplicationStore.insert(application, answers: .array(answers), tokenHash: token.hash, until: until, in: write)
        try Mail.queue(
            .joinConfirmation(program: program.name, url: url(token)), to: .person(person), locale: input.locale, in: write)
    }

    /// The address is theirs. Where nobody has to decide they are in at once; otherwise the team is told.
    static func confirm(
        _ tokenHash: [UInt8], decideURL: String, signInURL: MagicLink.Addresses, in write: Write
    ) throws -> Application? {
        guard var application = try ApplicationStore.find(tokenHash: tokenHash, at: write.world.now(), in: write.workspace.id, on: write.connection),
            application.state == .unconfirmed,
            let program = try ProgramStore.find(application.programID, in: write.workspace.id, at: write.now, on: write.connection),
            let page = try JoinStore.page(of: program.id, on: write.connection)
        else { return nil }
        application.state = .waiting
        try ApplicationStore.update(application, on: write.connection)
        try ApplicationStore.dropToken(of: application.id, on: write.connection)
        try write.audit("application.confirm", subject: application.id.text, JSONText(["programId": .text(program.id.text)]))
        if page.approval == .automatic { return try approve(application.id, signInURL: signInURL, in: write) }
        try Mail.queue(.applicationReceived(program: program.name), to: .person(application.personID), locale: application.locale, in: write)
        for person in try TeamStore.team(of: write.workspace.teamID, on: write.connection) where person.role.may(.membersWrite) {
            try Mail.queue(
                .applicationWaiting(program: program.name, url: decideURL), to: .operator_(person.id),
                occasion: "applications:\(program.id.text):\(Zone.utc.day(of: write.world.now()).iso8601):\(person.id.text)", in: write)
        }
        return application
    }

    /// Enrols the person, with the terms they agreed to. Whom a person of the team lets in is written to, with a way in.
    static func approve(_ id: ApplicationID, signInURL: MagicLink.Addresses, in write: Write) throws -> Application {
        guard var application = try ApplicationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("application") }
        if application.state == .approved { return application }
        guard application.state == .waiting else { throw application.notWaiting }
        let fields = try PersonStore.fields(of: [application.personID], [.email, .name], vault: write.vault, on: write.connection)[application.personID]
        guard let email = fields?[.email] else {
            throw Problem.conflict(code: "person_erased", detail: "The person behind this application was erased.")
        }
        let isDecided = write.actor != .system("join")
        let member: Member
        if let known = try Self.member(email: email, in: write) {
            member = known
            try MemberStore.enroll(known.id, in: application.programID, group: nil, at: write.now, on: write.connection)
            // One human, one person: erasing the member would not reach a second copy of their name and mail.
            try ApplicationStore.forget(application, in: write)
        } else {
            var input = Enrolment(programID: application.programID)
            input.email = email
            input.name = fields?[.name]
            input.enroller = application.enrollerID.map { .id($0) }
            input.locale = application.locale
            input.personID = application.personID
            // The letter of the approval greets them.
            input.isQuiet = isDecided
            member = try Member.enroll(input, in: write)
        }
        if let version = application.termsVersion {
            try TermsStore.accept(version, of: application.programID, by: member.id, at: application.createdAt, on: write.connection)
        }
        if isDecided, let program = try ProgramStore.find(application.programID, in: write.workspace.id, at: write.now, on: write.connection) {
            let token = try MagicLink.make(for: member.id, lifeMs: MagicLink.welcomeLifeMs, in: write)
            try Mail.queue(
                .applicationApproved(program: program.name, url: signInURL(token)), to: .person(member.personID),
                locale: member.locale ?? application.locale, in: write)
        }
        application.state = .approved
        application.memberID = member.id
        application.decidedBy = write.actor.text
        application.decidedAt = write.now
        try ApplicationStore.update(application, on: write.connection)
        try write.audit("application.approve", subject: id.text, JSONText(["memberId": .text(member.id.text)]))
        return application
    }

    /// Tells the person why, where the join page is set to.
    static func decline(_ id: ApplicationID, reason: String, in write: Write) throws -> Application {
        guard var application = try ApplicationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("application") }
        if application.state == .declined { return application }
        guard application.state == .waiting else { throw application.notWaiting }
        application.state = .declined
        application.reason = reason
        application.decidedBy = write.actor.text
        application.decidedAt = write.now
        try ApplicationStore.update(application, on: write.connection)
        if let program = try ProgramStore.find(application.programID, in: write.workspace.id, at: write.now, on: write.connection),
            try JoinStore.page(of: program.id, on: write.connection)?.tellsDeclined ?? true
        {
            try Mail.queue(
                .applicationDeclined(program: program.name, reason: reason), to: .person(application.personID), locale: application.locale, in: write)
        }
        try write.audit("application.decline", subject: id.text)
        return application
    }

    private static func member(email: String, in write: Write) throws -> Member? {
        let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
        let ids = try MemberPageStore.members(emailHash: hash, in: write.workspace.id, on: write.connection)
        return try MemberStore.find(ids, on: write.connection).values.filter { $0.status != .erased }.min { $0.id < $1.id }
    }

    private var notWaiting: Problem {
        Problem.conflict(code: "application_not_waiting", detail: "This application is \(state.rawValue); only a waiting one can be decided.")
    }

    /// Who it is and what they wrote, as long as the person is there.
    func json(vault: Vault, on connection: any Connection) throws -> JSONValue {
        let fields = try PersonStore.fields(of: [personID], [.name, .email], vault: vault, on: connection)[personID] ?? [:]
        let answers = try ApplicationStore.answers(of: self, vault: vault, on: connection)
        return [
            "id": .text(id.text), "name": fields[.name].map { .text($0) } ?? .null, "email": fields[.email].map { .text($0) } ?? .null,
            "answers": .array(answers.map { ["question": .text($0.question), "answer": .text($0.answer)] }), "programId": .text(programID.text), "state": .text(state.rawValue),
            "enrollerId": enrollerID.map { .text($0.text) } ?? .null, "memberId": memberID.map { .text($0.text) } ?? .null,
            "termsVersion": termsVersion.map { .integer($0) } ?? .null, "reason": reason.map { .text($0) } ?? .null,
            "decidedBy": decidedBy.map { .text($0) } ?? .null, "decidedAt": decidedAt.map { .text($0.rfc3339) } ?? .null,
            "createdAt": .text(createdAt.rfc3339),
        ]
    }
}

enum ApplicationStore {
    /// What applications say of a person who is erased: their own answers, and why the team declined.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE application SET answers_sealed = NULL, reason = NULL, locale = NULL, token_hash = NULL, token_expires_at = NULL
            WHERE person_id = \(person)
            """)
    }

    private static let columns =
        "id, workspace_id, program_id, person_id, enroller_id, state, terms_version, locale, member_id, reason, decided_by, decided_at, created_at"

    static func insert(
        _ application: Application, answers: JSONValue, tokenHash: [UInt8], until: Instant, in write: Write
    ) throws {
        let sealed = try PersonStore.key(of: application.personID, vault: write.vault, on: write.connection).map {
            try Vault.seal(answers.bytes, under: $0, for: application.id.text)
        }
        try write.connection.execute(
            """
            INSERT INTO application (\(raw: columns), answers_sealed, token_hash, token_expires_at)
            VALUES (\(application.id), \(application.workspaceID), \(application.programID), \(application.personID), \(application.enrollerID),
                    \(application.state.rawValue), \(application.termsVersion), \(application.locale), \(application.memberID), \(application.reason),
                    \(application.decidedBy), \(application.decidedAt), \(application.createdAt), \(sealed), \(tokenHash), \(until))
            """)
    }

    static func update(_ application: Application, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE application SET state = \(application.state.rawValue), member_id = \(application.memberID), reason = \(application.reason),
                decided_by = \(application.decidedBy), decided_at = \(application.decidedAt) WHERE id = \(application.id)
            """)
    }

    /// Takes away what the applicant wrote about themselves.
    static func forget(_ application: Application, in write: Write) throws {
        try PersonStore.set(.email, nil, of: application.personID, in: write)
        try PersonStore.set(.name, nil, of: application.personID, in: write)
        try write.connection.execute("UPDATE application SET answers_sealed = NULL WHERE id = \(application.id)")
    }

    static func dropToken(of id: ApplicationID, on connection: any Connection) throws {
        try connection.execute("UPDATE application SET token_hash = NULL, token_expires_at = NULL WHERE id = \(id)")
    }

    static func find(_ id: ApplicationID, in workspace: WorkspaceID, on connection: any Connection) throws -> Application? {
        try connection.row("SELECT \(raw: columns) FROM application WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(tokenHash: [UInt8], at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> Application? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM application
            WHERE token_hash = \(tokenHash) AND token_expires_at > \(now) AND workspace_id = \(workspace)
            """
        ).map(read)
    }

    /// The workspace and program of a letter's link; nil when it is no good.
    static func place(tokenHash: [UInt8], at now: Instant, on connection: any Connection) throws -> (workspace: WorkspaceID, program: ProgramID)? {
        try connection.row("SELECT workspace_id, program_id FROM application WHERE token_hash = \(tokenHash) AND token_expires_at > \(now)").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func list(
        in workspace: WorkspaceID, state: Application.State?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Application] {
        var sql: SQL = "SELECT \(raw: columns) FROM application WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    /// Question and answer, as they were written; empty when the person was erased.
    static func answers(of application: Application, vault: Vault, on connection: any Connection) throws -> [(question: String, answer: String)] {
        guard let sealed: [UInt8] = try connection.row("SELECT answers_sealed FROM application WHERE id = \(application.id)")?.get(at: 0),
            let key = try PersonStore.key(of: application.personID, vault: vault, on: connection)
        else { return [] }
        let text = String(decoding: try Vault.open(sealed, under: key, for: application.id.text), as: UTF8.self)
        return JSONText(text: text).value.elements.map { ($0["question"]?.string ?? "", $0["answer"]?.string ?? "") }
    }

    private static func read(_ row: Row) throws -> Application {
        Application(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), personID: try row.get(at: 3),
            enrollerID: try row.get(at: 4), state: Application.State(rawValue: try row.get(at: 5)) ?? .waiting, termsVersion: try row.get(at: 6),
            locale: try row.get(at: 7), memberID: try row.get(at: 8), reason: try row.get(at: 9), decidedBy: try row.get(at: 10),
            decidedAt: try row.get(at: 11), createdAt: try row.get(at: 12))
    }
}
