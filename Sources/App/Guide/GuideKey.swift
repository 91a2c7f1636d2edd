import Crypto
import Foundation
import Persistence
import Web

/// The test keys that the set-up guide fills in. Their texts are made from the installation's secret and the key's id, so that the guide can
/// show them again although only a fingerprint is stored. They reach the test workspace alone, and are revoked like any other key.
enum GuideKey {
    static let rights: [Right] = [.trackWrite, .programsRead, .membersRead, .linksRead, .salesRead, .commissionsRead]

    struct Pair: Sendable {
        var secret: String
        var publishable: String
    }

    /// The keys of a person in a test workspace that still work.
    static func find(
        of person: OperatorID, in workspace: WorkspaceID, secrets: Secrets, on connection: any Connection
    ) throws -> Pair? {
        var found: [APIKey.Kind: String] = [:]
        for key in try APIKeyStore.list(in: workspace, after: nil, limit: APIKeyPages.keysMax, on: connection)
        where key.operatorID == person && key.revokedAt == nil {
            let text = text(key.id, key.kind, secrets)
            // Other keys are random: theirs is not this fingerprint.
            if try APIKeyStore.find(hash: APIKey.hash(text), on: connection)?.id == key.id { found[key.kind] = text }
        }
        guard let secret = found[.secret], let publishable = found[.publishable] else { return nil }
        return Pair(secret: secret, publishable: publishable)
    }

    static func make(name: String, for person: OperatorID, secrets: Secrets, in write: Write) throws {
        guard write.workspace.isTest else {
            throw Problem.conflict(code: "not_a_test_workspace", detail: "The guide's keys belong to a test workspace. Nothing was written.")
        }
        if try find(of: person, in: write.workspace.id, secrets: secrets, on: write.connection) != nil { return }
        let scopes = rights.filter { write.rights.contains($0) }
        for kind in [APIKey.Kind.secret, .publishable] {
            let id = write.world.newID(APIKeyKind.self)
            try APIKey.create(
                name: name, kind: kind, role: nil, scopes: kind == .secret ? scopes : [], for: person, id: id, text: text(id, kind, secrets), in: write)
        }
    }

    private static func text(_ id: APIKeyID, _ kind: APIKey.Kind, _ secrets: Secrets) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data(id.text.utf8), using: secrets.key("guide-keys"))
        return (kind == .secret ? "kith_sk_test_" : "kith_pk_test_") + Base64URL.encode(Array(code))
    }
}
