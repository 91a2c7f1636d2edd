import Web

/// How much is taken in at the vendors' doors before anything is proven: reading and hashing costs the same whether a signature is right or
/// not. What is refused with 429 is sent again by every vendor, for hours or days.
struct InboundLimit: Sendable {
    static let periodSeconds = 60
    /// Kibibytes of one address in a period, and of all addresses at one source.
    static let addressKiB = 64 * 1024
    static let sourceKiB = 4 * addressKiB
    /// Requests at one source for each that an address may make.
    static let sourceTimes = 4

    private let byAddress: (requests: RateLimiter, kibibytes: RateLimiter)
    private let bySource: (requests: RateLimiter, kibibytes: RateLimiter)

    /// - Parameter requests: of one address in a period. Nil when it is 0: nothing is limited then.
    init?(requests: Int, addressKiB: Int = addressKiB, sourceKiB: Int = sourceKiB) {
        guard requests > 0 else { return nil }
        func limiter(_ count: Int) -> RateLimiter { RateLimiter(limit: RateLimit(requests: count, periodSeconds: Self.periodSeconds)) }
        byAddress = (limiter(requests), limiter(addressKiB))
        let ofSource = requests.multipliedReportingOverflow(by: Self.sourceTimes)
        bySource = (limiter(ofSource.overflow ? requests : ofSource.partialValue), limiter(sourceKiB))
    }

    /// Before the body is read.
    func admit(address: String?) throws(Problem) { try take(byAddress.requests, address ?? "") }

    /// Before the body is hashed. What an address may not send takes nothing from the source, so that one sender alone can't shut it.
    func admit(bytes: Int, address: String?, source: String) throws(Problem) {
        try take(byAddress.kibibytes, address ?? "", count: bytes / 1_024 + 1)
        try take(bySource.requests, source)
        try take(bySource.kibibytes, source, count: bytes / 1_024 + 1)
    }

    private func take(_ limiter: RateLimiter, _ key: String, count: Int = 1) throws(Problem) {
        let decision = limiter.take(key, count: count)
        guard decision.isAllowed else { throw .tooManyRequests(retryAfterSeconds: decision.retryAfterSeconds) }
    }
}
