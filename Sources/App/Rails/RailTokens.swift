import Chronology
import Synchronization

/// Tokens that a provider gave for a while, by whom they are for; in memory alone.
final class RailTokens: Sendable {
    /// Given up so long before its end.
    private static let marginSeconds: Int64 = 120
    private static let tokensMax = 1_000

    private struct Key: Hashable {
        var settings: String
        var secret: String
    }

    private let known = Mutex<[Key: (token: String, until: Instant)]>([:])

    func find(_ rail: Rail, at now: Instant) -> String? {
        known.withLock { known in
            guard let (token, until) = known[Self.key(rail)], until > now else { return nil }
            return token
        }
    }

    func keep(_ token: String, of rail: Rail, forSeconds seconds: Int64, from now: Instant) {
        guard seconds > Self.marginSeconds, seconds < 1_000_000, let until = try? now.adding(milliseconds: (seconds - Self.marginSeconds) * 1_000) else { return }
        known.withLock { known in
            if known.count >= Self.tokensMax { known = [:] }
            known[Self.key(rail)] = (token, until)
        }
    }

    func forget(_ rail: Rail) { known.withLock { known in known[Self.key(rail)] = nil } }

    private static func key(_ rail: Rail) -> Key { Key(settings: rail.settings.identity, secret: rail.secret ?? "") }
}
