import Crypto
import Foundation
import Web

/// The address in a letter by which its person answers without signing in. It works as long as the question is known.
struct SurveyLink: Sendable, Equatable {
    static let path = "/survey/"

    var ask: SurveyAskID

    init(_ ask: SurveyAskID) { self.ask = ask }

    /// Reads what an address holds; nil when this server did not make it.
    init?(_ token: String, _ installation: Installation) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard token.utf8.count <= 200, parts.count == 2, let ask = SurveyAskID(parts[0]), let proof = Base64URL.decode(parts[1]),
            HMAC<SHA256>.isValidAuthenticationCode(proof, authenticating: Self.facts(ask), using: installation.secrets.key("survey"))
        else { return nil }
        self.ask = ask
    }

    func url(_ installation: Installation, of workspace: WorkspaceID) -> String {
        let proof = HMAC<SHA256>.authenticationCode(for: Self.facts(ask), using: installation.secrets.key("survey"))
        return "\(installation.publicURL(of: workspace))\(Self.path)\(ask.text).\(Base64URL.encode(Array(proof)))"
    }

    private static func facts(_ ask: SurveyAskID) -> Data { Data(ask.text.utf8) }

    /// Makes the addresses that letters hold.
    struct Addresses: Sendable {
        var url: @Sendable (SurveyAskID) -> String

        init(_ installation: Installation, of workspace: WorkspaceID) { url = { SurveyLink($0).url(installation, of: workspace) } }
    }
}
