import Chronology
import Crypto
import Hummingbird
import Web

/// Says for a few minutes that somebody's password was right, in the browser that sent it: what the second step of signing in begins with.
enum SignInTicket {
    static let lifeMs: Int64 = 5 * 60_000

    /// Nil when the browser has no cookie of ours.
    static func make(for id: OperatorID, _ request: Request, _ installation: Installation) -> String? {
        guard let browser = AnonymousForm(installation: installation).browserHash(request),
            let until = try? installation.world.now().adding(milliseconds: lifeMs).millisecondsSince1970
        else { return nil }
        return "\(id.text).\(until).\(Base64URL.encode(code(id, until, browser, installation)))"
    }

    static func read(_ text: String, _ request: Request, _ installation: Installation) -> OperatorID? {
        let parts = text.split(separator: ".").map(String.init)
        guard parts.count == 3, let id = OperatorID(parts[0]), let until = Int64(parts[1]), let sent = Base64URL.decode(parts[2]),
            until > installation.world.now().millisecondsSince1970,
            let browser = AnonymousForm(installation: installation).browserHash(request),
            ConstantTime.equal(sent, code(id, until, browser, installation))
        else { return nil }
        return id
    }

    private static func code(_ id: OperatorID, _ until: Int64, _ browser: [UInt8], _ installation: Installation) -> [UInt8] {
        let message = Array("\(id.text):\(until):".utf8) + browser
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: installation.secrets.key("sign-in")))
    }
}
