import Crypto
import Foundation
import Web

/// The address in a letter by which a friend says that they did not want it. It holds the keyed hash of their address, so that nothing in the
/// database has to lead from a letter to it. It works as long as the letter is known.
struct UnwantedLink: Sendable, Equatable {
    static let path = "/unwanted/"
    private static let hashBytes = 32

    var invitation: FriendInvitationID
    var addressHash: [UInt8]

    init(invitation: FriendInvitationID, addressHash: [UInt8]) {
        self.invitation = invitation
        self.addressHash = addressHash
    }

    /// Reads what an address holds; nil when this server did not make it.
    init?(_ token: String, _ installation: Installation) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard token.utf8.count <= 200, parts.count == 3, let invitation = FriendInvitationID(parts[0]), let hash = Base64URL.decode(parts[1]),
            hash.count == Self.hashBytes, let proof = Base64URL.decode(parts[2])
        else { return nil }
        self.init(invitation: invitation, addressHash: Array(hash))
        guard HMAC<SHA256>.isValidAuthenticationCode(proof, authenticating: facts, using: installation.secrets.key("unwanted")) else { return nil }
    }

    func url(_ installation: Installation, of workspace: WorkspaceID) -> String {
        let proof = HMAC<SHA256>.authenticationCode(for: facts, using: installation.secrets.key("unwanted"))
        return "\(installation.publicURL(of: workspace))\(Self.path)\(invitation.text).\(Base64URL.encode(addressHash)).\(Base64URL.encode(Array(proof)))"
    }

    private var facts: Data { Data(invitation.text.utf8) + Data([0]) + Data(addressHash) }
}
