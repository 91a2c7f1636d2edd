import Chronology
import Persistence
import Web

/// A link in a letter that signs a member in: short-lived, used once, stored as a hash.
enum MagicLink {
    static let lifeMs: Int64 = 30 * 60_000
    /// Of the link in the letter that lets somebody in: they did not ask for it this minute.
    static let welcomeLifeMs: Int64 = 7 * 86_400_000
    /// Links of one member that are good at a time: more letters would only fill a mailbox.
    static let goodMax: Int64 = 5
    /// Workspaces looked through for a mail address.
    static let workspacesMax = 1_000

    static let path = "/portal/enter"

    static func url(_ token: SessionToken, of workspace: WorkspaceID, _ installation: Installation) -> String {
        "\(installation.publicURL(of: workspace))\(path)?token=\(token.text)"
    }

    /// What makes the address of a link, for verbs, which know of no server.
    static func addresses(_ installation: Installation, of workspace: WorkspaceID) -> Addresses {
        { token in token.map { url($0, of: workspace, installation) } ?? "\(installation.publicURL(of: workspace))/portal/sign-in" }
    }

    /// Without a link: the page where one can be asked for.
    typealias Addresses = @Sendable (SessionToken?) -> String

    /// Makes a link of a member. Nil when they have enough good ones.
    static func make(for member: MemberID, lifeMs: Int64 = lifeMs, in write: Write) throws -> SessionToken? {
        let now = write.world.now()
        guard try MemberSessionStore.countLinks(of: member, at: now, on: write.connection) < goodMax else { return nil }
        let token = SessionToken()
        try MemberSessionStore.insertLink(token.hash, of: member, at: now, until: try now.adding(milliseconds: lifeMs), on: write.connection)
        return token
    }

    /// Writes to whoever has this mail address, in every workspace where somebody has it, or in one only. Nobody learns whether anybody does.
    static func send(to email: String, of only: WorkspaceID? = nil, _ installation: Installation) async throws {
        let vault = installation.vault
        let members = try await installation.main.read { connection -> [Member] in
            try WorkspaceStore.all(on: connection).filter { only == nil || $0.id == only }.prefix(workspacesMax).flatMap { workspace -> [Member] in
                let hash = vault.lookupHash(workspace.id, PersonLookup.email.rawValue, email)
                let ids = try MemberPageStore.members(emailHash: hash, in: workspace.id, on: connection)
                return Array(try MemberStore.find(ids, on: connection).values.filter(\.mayEnterPortal))
            }
        }
        for member in members.sorted(by: { $0.id < $1.id }) {
            try await installation.write(member.workspaceID, actor: .system("portal")) { write in
                guard let token = try make(for: member.id, in: write) else { return }
                try Mail.queue(.memberSignIn(url: url(token, of: member.workspaceID, installation)), to: .person(member.personID), locale: member.locale, in: write)
            }
        }
    }
}
