import Synchronization

/// How many requests a key may make: `requests` at once, refilled evenly over `periodSeconds`.
public struct RateLimit: Sendable, Equatable {
    public let requests: Int
    public let periodSeconds: Int

    /// Values below 1 count as 1.
    public init(requests: Int, periodSeconds: Int) {
        self.requests = max(1, requests)
        self.periodSeconds = max(1, periodSeconds)
    }
}

/// What the limiter says about one request.
public struct RateLimitDecision: Sendable, Equatable {
    public let isAllowed: Bool
    public let limit: Int
    /// Requests left now.
    public let remaining: Int
    /// Seconds until all requests are available again.
    public let resetSeconds: Int
    /// Seconds until the next request is allowed; 0 when it is allowed now.
    public let retryAfterSeconds: Int
}

/// Token buckets by key, in memory, at most `maximumKeys` of them: the keys not seen for longest are forgotten.
public final class RateLimiter: Sendable {
    public let limit: RateLimit
    private let maximumKeys: Int
    private let buckets = Mutex(Generations())

    private struct Bucket {
        var tokens: Double
        var updated: ContinuousClock.Instant
    }

    /// Two generations: when the recent one is half of all allowed keys, it becomes the old one.
    private struct Generations {
        var recent: [String: Bucket] = [:]
        var old: [String: Bucket] = [:]
    }

    public init(limit: RateLimit, maximumKeys: Int = 100_000) {
        self.limit = limit
        self.maximumKeys = max(2, maximumKeys)
    }

    /// Takes one request of the key, or so many at once; all of them or none. More than the limit's is never allowed.
    public func take(_ key: String, count: Int = 1, now: ContinuousClock.Instant = .now) -> RateLimitDecision {
        let wanted = Double(max(1, count))
        let capacity = Double(limit.requests)
        let refillPerSecond = capacity / Double(limit.periodSeconds)
        let tokens = buckets.withLock { generations in
            var bucket = generations.recent[key] ?? generations.old[key] ?? Bucket(tokens: capacity, updated: now)
            let elapsed = max(.zero, now - bucket.updated)
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
            bucket.tokens = min(capacity, bucket.tokens + seconds * refillPerSecond)
            bucket.updated = max(now, bucket.updated)
            let before = bucket.tokens
            if before >= wanted { bucket.tokens -= wanted }
            if generations.recent[key] == nil, generations.recent.count >= maximumKeys / 2 {
                generations.old = generations.recent
                generations.recent = [:]
            }
            generations.recent[key] = bucket
            return before
        }
        let isAllowed = tokens >= wanted
        let left = isAllowed ? tokens - wanted : tokens
        return RateLimitDecision(
            isAllowed: isAllowed, limit: limit.requests, remaining: Int(left),
            resetSeconds: Int(((capacity - left) / refillPerSecond).rounded(.up)),
            retryAfterSeconds: isAllowed ? 0 : max(1, Int(((wanted - tokens) / refillPerSecond).rounded(.up))))
    }

    /// How many keys are remembered.
    var keyCount: Int { buckets.withLock { $0.recent.count + $0.old.count } }
}
