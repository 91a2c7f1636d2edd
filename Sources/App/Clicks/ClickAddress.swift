import Chronology
import Crypto
import Foundation
import Synchronization

/// Turns a network address into a hash that nobody can turn back and that is another one tomorrow: HMAC-SHA-256 under a key
/// derived from the day (UTC). The address itself is never stored or logged.
final class ClickAddress: Sendable {
    private let secret: SymmetricKey
    /// The key of the day asked for last.
    private let dayKey = Mutex<(day: Int64, key: SymmetricKey)?>(nil)

    init(secrets: Secrets) { secret = secrets.key("click-address") }

    func hash(_ address: String?, workspace: WorkspaceID, at instant: Instant) -> [UInt8]? {
        guard let address, !address.isEmpty else { return nil }
        let text = Array("\(workspace.text)\u{0}\(address)".utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: text, using: key(ofDay: instant.millisecondsSince1970 / 86_400_000)).prefix(16))
    }

    private func key(ofDay day: Int64) -> SymmetricKey {
        dayKey.withLock { known in
            if let known, known.day == day { return known.key }
            let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Data("day:\(day)".utf8), outputByteCount: 32)
            known = (day, key)
            return key
        }
    }
}
