import Chronology
import Crypto
import Foundation
import Persistence
import Web

/// Lets a page of the company's show a member what is theirs, for a few minutes. Signed, not stored: the workspace's key holder asks for it
/// on their server, the page's script shows it to `GET /embed/member`. It reads; it changes nothing.
struct EmbedToken: Sendable, Equatable {
    static let lifeMs: Int64 = 15 * 60_000
    static let beginning = "kith_et_"
    static let lengthMax = 300

    var workspaceID: WorkspaceID
    var memberID: MemberID
    var expiresAt: Instant
    var use = Use.reading

    enum Use: String, Sendable {
        /// A page's script reads with it.
        case reading
        /// Can be changed into a session in the portal, once.
        case portal
        /// Shows the widget, and lets its member choose among rewards there.
        case widget
    }

    /// As it travels.
    func text(_ secrets: Secrets) -> String {
        let content = Array("\(workspaceID.text) \(memberID.text) \(expiresAt.millisecondsSince1970)\(use == .reading ? "" : " \(use.rawValue)")".utf8)
        return "\(Self.beginning)\(Base64URL.encode(content)).\(Base64URL.encode(Self.signature(of: content, secrets)))"
    }

    /// The token of a text; nil when it is none of ours, or too old.
    init?(text: String, _ secrets: Secrets, at now: Instant) {
        guard text.utf8.count <= Self.lengthMax, text.hasPrefix(Self.beginning) else { return nil }
        let parts = text.dropFirst(Self.beginning.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let content = Base64URL.decode(String(parts[0])), let signature = Base64URL.decode(String(parts[1])),
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: content, using: secrets.key(Self.purpose))
        else { return nil }
        let words = String(decoding: content, as: UTF8.self).split(separator: " ")
        guard words.count == 3 || words.count == 4, let workspace = WorkspaceID(String(words[0])), let member = MemberID(String(words[1])),
            let ends = Int64(words[2]), let use = words.count == 3 ? .reading : Use(rawValue: String(words[3]))
        else { return nil }
        workspaceID = workspace
        memberID = member
        expiresAt = Instant(millisecondsSince1970: ends)
        self.use = use
        guard now < expiresAt else { return nil }
    }

    init(workspaceID: WorkspaceID, memberID: MemberID, expiresAt: Instant) {
        self.workspaceID = workspaceID
        self.memberID = memberID
        self.expiresAt = expiresAt
    }

    init(of member: Member, for use: Use = .reading, at now: Instant) throws {
        self.use = use
        workspaceID = member.workspaceID
        memberID = member.id
        expiresAt = try now.adding(milliseconds: Self.lifeMs)
    }

    private static let purpose = "embed-token"

    private static func signature(of content: [UInt8], _ secrets: Secrets) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: content, using: secrets.key(purpose)))
    }
}

/// Whom a token is asked for.
struct EmbedWish: Sendable {
    var member: MemberReference?
    var email: String?
    var wantsPortal: Bool
    var wantsWidget: Bool

    /// The member: by id, by the company's own id, or, where neither was given, by the mail address that the company vouches for. An id that is
    /// not known is no reason to look at the address: whoever may set their own address would be shown as somebody else.
    func find(in write: Write) throws -> Member {
        if let member {
            guard let found = try MemberStore.find(member, in: write.workspace.id, vault: write.vault, on: write.connection) else { throw Refusal.unknown("member") }
            return found
        }
        if let email {
            let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
            let ids = try MemberPageStore.members(emailHash: hash, in: write.workspace.id, on: write.connection)
            if ids.count == 1, let found = try MemberStore.find(ids, on: write.connection)[ids[0]] { return found }
        }
        throw Refusal.unknown("member")
    }
}
