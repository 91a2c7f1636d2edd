import Persistence
import Web

/// Finds the members that somebody means: by id, by the company's own id, by mail, else by words of the name.
enum MemberLookup {
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
        return try NameIndexStore.members(NameIndex.find(text, in: workspace, vault: vault, on: connection).people, on: connection)
    }
}
