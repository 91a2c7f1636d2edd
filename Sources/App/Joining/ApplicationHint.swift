import Chronology
import Foundation
import Persistence
import Web

/// Something about an application that a person should look at before they decide. It decides nothing by itself.
struct ApplicationHint: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        /// A member has this mailbox (dots and what follows a plus sign aside).
        case memberMailbox
        case applicantMailbox, applicantPhone, applicantBrowser
        /// Many asked from this network address on one day.
        case manyFromAddress
        case disposableMail
    }

    /// From so many on, people behind one network address are many.
    static let manyFrom = 3
    /// Others that are named.
    static let othersMax = 5

    var kind: Kind
    /// The members, or the other applications.
    var memberIDs: [MemberID] = []
    var applicationIDs: [ApplicationID] = []
    /// How many there are, or the mail's domain.
    var count: Int64 = 0
    var domain: String?

    var json: JSONValue {
        [
            "kind": .text(kind.rawValue), "memberIds": .array(memberIDs.map { .text($0.text) }), "applicationIds": .array(applicationIDs.map { .text($0.text) }),
            "count": .integer(count), "domain": domain.map { .text($0) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("kind", .enumeration(Kind.allCases.map(\.rawValue))), .required("memberIds", .array(.text)), .required("applicationIds", .array(.text)),
        .required("count", .integer()), .required("domain", .nullable(.text)),
    ])

    /// What is known by now; an application whose person is erased has none.
    static func of(_ application: Application, email: String?, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> [ApplicationHint] {
        guard let email else { return [] }
        var hints: [ApplicationHint] = []
        let mailbox = vault.lookupHash(workspace, PersonLookup.mailbox.rawValue, Normalised.mailbox(email))
        let members = try ApplicationTraitStore.members(mailbox: mailbox, in: workspace, limit: othersMax, on: connection)
        if !members.isEmpty { hints.append(ApplicationHint(kind: .memberMailbox, memberIDs: members, count: Int64(members.count))) }
        for (trait, kind) in [(ApplicationTrait.mailbox, Kind.applicantMailbox), (.phone, .applicantPhone), (.browser, .applicantBrowser), (.address, .manyFromAddress)] {
            let (others, count) = try ApplicationTraitStore.others(with: trait, of: application.id, in: workspace, limit: othersMax, on: connection)
            guard count > 0, trait != .address || count + 1 >= Int64(manyFrom) else { continue }
            hints.append(ApplicationHint(kind: kind, applicationIDs: others, count: trait == .address ? count + 1 : count))
        }
        if let domain = DisposableMail.domain(of: email) { hints.append(ApplicationHint(kind: .disposableMail, count: 1, domain: domain)) }
        return hints
    }
}

enum ApplicationTrait: String, Sendable, CaseIterable {
    case mailbox, phone, browser, address

    private static let phoneDigits = 7...15

    /// A telephone number as digits; nil when a text is none. `+43 (0)660 123 45 67` is `436601234567`.
    static func phone(_ text: String) -> String? {
        let kept = text.replacing("(0)", with: "").filter { !" -/().".contains($0) }
        var digits = kept
        if digits.hasPrefix("+") { digits.removeFirst() } else if digits.hasPrefix("00") { digits.removeFirst(2) }
        guard phoneDigits.contains(digits.utf8.count), digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return digits
    }
}

enum ApplicationTraitStore {
    static func insert(_ trait: ApplicationTrait, _ hash: [UInt8], of application: ApplicationID, at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO application_trait (application_id, workspace_id, kind, hash, created_at)
            VALUES (\(application), \(workspace), \(trait.rawValue), \(hash), \(now)) ON CONFLICT DO NOTHING
            """)
    }

    /// The newest other applications that share a trait, and how many there are. What was never confirmed counts by its network address alone:
    /// anybody can type anybody's mailbox.
    static func others(
        with trait: ApplicationTrait, of application: ApplicationID, in workspace: WorkspaceID, limit: Int, on connection: any Connection
    ) throws -> (ids: [ApplicationID], count: Int64) {
        let confirmed: SQL = trait == .address ? "" : "AND EXISTS (SELECT 1 FROM application a WHERE a.id = o.application_id AND a.state <> 'unconfirmed')"
        let from: SQL = """
            FROM application_trait t JOIN application_trait o ON o.workspace_id = t.workspace_id AND o.kind = t.kind AND o.hash = t.hash
            WHERE t.application_id = \(application) AND t.kind = \(trait.rawValue) AND t.workspace_id = \(workspace) AND o.application_id <> \(application) \(sql: confirmed)
            """
        let ids = try connection.rows("SELECT DISTINCT o.application_id \(sql: from) ORDER BY o.application_id DESC LIMIT \(limit)").map {
            try $0.get(at: 0, as: ApplicationID.self)
        }
        guard !ids.isEmpty else { return ([], 0) }
        return (ids, try connection.value("SELECT count(DISTINCT o.application_id) \(sql: from)") ?? 0)
    }

    static func members(mailbox hash: [UInt8], in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT m.id FROM person_lookup l JOIN member m ON m.person_id = l.person_id
            WHERE l.workspace_id = \(workspace) AND l.kind = \(PersonLookup.mailbox.rawValue) AND l.hash = \(hash) AND m.status <> 'erased'
            ORDER BY m.id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM application_trait WHERE application_id IN (SELECT id FROM application WHERE person_id = \(person))")
    }
}

/// Providers whose mailboxes are for minutes.
enum DisposableMail {
    /// The well-known few; there are thousands. Each says of itself that its addresses are to be thrown away, and stands in the public list
    /// github.com/disposable-email-domains/disposable-email-domains (CC0) as of 2026-08-21.
    static let domains: Set<String> = [
        "10minutemail.com", "discard.email", "dispostable.com", "emailondeck.com", "fakeinbox.com", "getnada.com", "grr.la",
        "guerrillamail.com", "guerrillamail.de", "mailcatch.com", "maildrop.cc", "mailinator.com", "mailnesia.com", "mintemail.com",
        "moakt.com", "mohmal.com", "sharklasers.com", "spam4.me", "temp-mail.org", "tempail.com", "tempr.email", "throwawaymail.com",
        "trash-mail.com", "trashmail.com", "wegwerfmail.de", "yopmail.com",
    ]

    /// The provider of an address, below which it may have a name of its own (`x@team.mailinator.com`).
    static func domain(of email: String) -> String? {
        guard let host = email.split(separator: "@").last?.lowercased() else { return nil }
        let parts = host.split(separator: ".")
        guard parts.count >= 2 else { return nil }
        return (0...(parts.count - 2)).map { parts[$0...].joined(separator: ".") }.first { domains.contains($0) }
    }
}
