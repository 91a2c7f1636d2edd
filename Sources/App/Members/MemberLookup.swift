import Persistence
import Web

/// Finds the members that somebody means: by id, by the company's own id, by mail, else by a part of the name.
enum MemberLookup {
    /// Names are sealed: this many of the newest members are looked through.
    static let namesReadMax = 500

    static func find(
        _ text: String, in workspace: WorkspaceID, vault: Vault, language: PageLanguage, on connection: any Connection
    ) throws -> [MemberID] {
        var found: [MemberID] = []
        let plain = text.hasPrefix("ext:") ? String(text.dropFirst(4)) : text
        if let id = MemberID(text), try MemberStore.find(id, in: workspace, on: connection) != nil { found.append(id) }
        if let external = Normalised.externalID(plain),
            let member = try MemberStore.find(externalHash: vault.lookupHash(workspace, "member", external), in: workspace, on: connection)
        {
            found.append(member.id)
        }
        if let email = Normalised.email(text) {
            let hash = vault.lookupHash(workspace, PersonLookup.email.rawValue, email)
            found += try MemberPageStore.members(emailHash: hash, in: workspace, on: connection)
        }
        guard found.isEmpty else { return found }
        let newest = try MemberPageStore.newest(in: workspace, MemberPageStore.Filter(), before: nil, limit: namesReadMax, on: connection).map(\.id)
        let names = try PersonNames.load(members: newest, vault: vault, on: connection)
        return newest.filter { names.member($0, language).lowercased().contains(text.lowercased()) }
    }
}
