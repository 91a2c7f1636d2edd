import Crypto
import Foundation
import Web

/// The address in a letter by which its person stops letters of its kind, without signing in. It works as long as the person is known.
struct StopLink: Sendable, Equatable {
    static let path = "/mail/stop/"

    var person: PersonID
    var kind: Mail.Kind

    /// Nil for letters that cannot be stopped.
    init?(_ mail: Mail) {
        guard mail.kind.canBeStopped, case .person(let person) = mail.addressee else { return nil }
        self.person = person
        kind = mail.kind
    }

    /// Reads what an address holds; nil when this server did not make it.
    init?(_ token: String, _ installation: Installation) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard token.utf8.count <= 200, parts.count == 3, let person = PersonID(parts[0]), let kind = Mail.Kind(rawValue: parts[1]), kind.canBeStopped,
            let proof = Base64URL.decode(parts[2]),
            HMAC<SHA256>.isValidAuthenticationCode(proof, authenticating: Self.facts(person, kind), using: installation.secrets.key("mail-stop"))
        else { return nil }
        self.person = person
        self.kind = kind
    }

    func url(_ installation: Installation, of workspace: WorkspaceID) -> String {
        let proof = HMAC<SHA256>.authenticationCode(for: Self.facts(person, kind), using: installation.secrets.key("mail-stop"))
        return "\(installation.publicURL(of: workspace))\(Self.path)\(person.text).\(kind.rawValue).\(Base64URL.encode(Array(proof)))"
    }

    private static func facts(_ person: PersonID, _ kind: Mail.Kind) -> Data { Data("\(person.text)\u{0}\(kind.rawValue)".utf8) }
}
