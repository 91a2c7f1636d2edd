import Chronology
import Crypto
import Foundation

/// Turns a network address into a hash that nobody can turn back and that is another one tomorrow: HMAC-SHA-256 under a key
/// derived from the day (UTC). The address itself is never stored or logged.
struct ClickAddress: Sendable {
    private let secret: SymmetricKey

    init(secrets: Secrets) { secret = secrets.key("click-address") }

    func hash(_ address: String?, workspace: WorkspaceID, at instant: Instant) -> [UInt8]? {
        guard let address, !address.isEmpty else { return nil }
        let day = instant.millisecondsSince1970 / 86_400_000
        let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Data("day:\(day)".utf8), outputByteCount: 32)
        return Array(HMAC<SHA256>.authenticationCode(for: Data("\(workspace.text)\u{0}\(address)".utf8), using: key).prefix(16))
    }
}
