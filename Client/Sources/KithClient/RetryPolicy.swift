/// How often and how soon a call is tried again.
///
/// Between tries lies a random time between nothing and a bound that doubles from try to try, so that many clients that failed together do
/// not come back together. Where the server names a time (`Retry-After`), at least that time is waited.
public struct RetryPolicy: Sendable, Equatable {
    /// Of one call, the first included. At least 1.
    public var triesMax: Int
    /// The bound of the first pause.
    public var firstPauseMs: Int
    /// The bound of any pause.
    public var pauseMaxMs: Int
    /// When the server asks for a longer wait, the call ends with its answer.
    public var retryAfterMaxSeconds: Int

    public init(triesMax: Int = 5, firstPauseMs: Int = 200, pauseMaxMs: Int = 10_000, retryAfterMaxSeconds: Int = 30) {
        self.triesMax = max(1, triesMax)
        self.firstPauseMs = max(1, firstPauseMs)
        self.pauseMaxMs = max(1, pauseMaxMs)
        self.retryAfterMaxSeconds = max(0, retryAfterMaxSeconds)
    }

    /// One try, for those who try again themselves.
    public static let once = RetryPolicy(triesMax: 1)

    /// The pause after a try that failed, in milliseconds; nil when there shall be no other.
    /// - Parameters:
    ///   - tries: how many there were.
    ///   - retryAfterSeconds: what the server asked for.
    ///   - share: a random number from 0 to 1.
    func pauseMs(afterTries tries: Int, retryAfterSeconds: Int?, share: Double) -> Int? {
        guard tries < triesMax else { return nil }
        let doublings = min(max(tries - 1, 0), Self.doublingsMax)
        let bound = firstPauseMs > pauseMaxMs >> doublings ? pauseMaxMs : firstPauseMs << doublings
        let jitterMs = Int(Double(bound) * min(max(share, 0), 1))
        guard let asked = retryAfterSeconds, asked > 0 else { return jitterMs }
        return asked <= retryAfterMaxSeconds ? asked * 1_000 + jitterMs : nil
    }

    private static let doublingsMax = 20
}

/// The key by which the server knows that two calls are one.
public struct IdempotencyKey: Hashable, Sendable, Codable {
    public static let lengthMax = 255
    public let text: String

    /// Nil when the text is empty, longer than 255 or holds other than visible ASCII characters.
    public init?(_ text: String) {
        guard (1...Self.lengthMax).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.text = text
    }

    /// A new one, of 128 random bits.
    public init() {
        var random = SystemRandomNumberGenerator()
        let words = [UInt64.random(in: .min ... .max, using: &random), UInt64.random(in: .min ... .max, using: &random)]
        text = "kc-" + words.map { String($0, radix: 36) }.joined(separator: "-")
    }
}
