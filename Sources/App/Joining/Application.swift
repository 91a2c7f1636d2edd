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
    /// The word of the address that brought them, or of their invitation.
    var source: String?
    var partnerInvitationID: PartnerInvitationID?
}

/// What was written into the join page.
struct ApplicationInput: Sendable {
    var name: String
    var email: String
    var answers: [String]
    var enrollerID: MemberID?
    var termsVersion: Int64?
    var locale: String?
    var source: String?
    /// Of the letter that invited them, when it is good.
    var invitationToken: String?
    /// What tells applications from one place: see `ApplicationTrait`.
    var browserHash: [UInt8]?
    var addressHash: [UInt8]?
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
        let invitation = try PartnerInvitationStore.find(token: input.invitationToken, of: program.id, at: write.now, on: write.connection)
        let application = Application(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, personID: person, enrollerID: input.enrollerID,
            state: .unconfirmed, termsVersion: input.termsVersion, locale: input.locale, createdAt: write.now, source: invitation?.source ?? input.source,
            partnerInvitationID: invitation?.id)
        let answers = zip(page.questions, input.answers).map { question, answer -> JSONValue in ["question": .text(question.label), "answer": .text(answer)] }
        let until = try write.world.now().adding(milliseconds: confirmMs)
        try ApplicationStore.insert(application, answers: .array(answers), tokenHash: token.hash, until: until, in: write)
        try noteTraits(input, of: application, in: write)
        try Mail.queue(
            .joinConfirmation(program: program.name, url: url(token)), to: .person(person), locale: input.locale, in: write)
    }

    private static func noteTraits(_ input: ApplicationInput, of application: Application, in write: Write) throws {
        func note(_ trait: ApplicationTrait, _ hash: [UInt8]) throws {
            try ApplicationTraitStore.insert(trait, hash, of: application.id, at: write.now, in: write.workspace.id, on: write.connection)
        }
        try note(.mailbox, write.vault.lookupHash(write.workspace.id, PersonLookup.mailbox.rawValue, Normalised.mailbox(input.email)))
        for number in Set(input.answers.compactMap(ApplicationTrait.phone)) { try note(.phone, write.vault.lookupHash(write.workspace.id, "phone", number)) }
        if let hash = input.browserHash { try note(.browser, write.vault.lookupHash(write.workspace.id, "browser", Base64URL.encode(hash))) }
        if let hash = input.addressHash { try note(.address, hash) }
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
        if let invitation = application.partnerInvitationID { try PartnerInvitation.accept(invitation, in: write) }
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

    /// What a person should look at before they decide; of those decided, nothing any more.
    func hints(email: String?, vault: Vault, on connection: any Connection) throws -> [ApplicationHint] {
        guard state == .waiting else { return [] }
        return try ApplicationHint.of(self, email: email, in: workspaceID, vault: vault, on: connection)
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
            "createdAt": .text(createdAt.rfc3339), "source": source.map { .text($0) } ?? .null,
            "partnerInvitationId": partnerInvitationID.map { .text($0.text) } ?? .null,
            "hints": .array(try hints(email: fields[.email], vault: vault, on: connection).map(\.json)),
        ]
    }
}
