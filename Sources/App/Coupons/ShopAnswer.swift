import Money
import Web

/// What a vendor said to one call about a code.
struct ShopAnswer: Sendable {
    enum Verdict: Sendable, Equatable {
        /// It is as asked; with the vendor's name of it.
        case done(remoteID: String)
        /// The vendor will not, however often it is asked.
        case refused
        /// Perhaps later: silence, too many calls, a failure there.
        case later(retryAfterMs: Int64?)
    }

    var verdict: Verdict
    var reason: String?
    /// The secret or its rights are wrong: people must look.
    var isTrouble = false

    static func silent(_ reason: String = "noAnswer", retryAfterMs: Int64? = nil) -> ShopAnswer {
        ShopAnswer(verdict: .later(retryAfterMs: retryAfterMs), reason: reason)
    }

    static func failed(_ status: Int, _ reason: String?, retryAfter: String?) -> ShopAnswer {
        switch status {
        case 401, 403: ShopAnswer(verdict: .later(retryAfterMs: nil), reason: "secretRefused", isTrouble: true)
        case 408, 409, 429, 500...: .silent(reason ?? "status\(status)", retryAfterMs: retryAfter.flatMap { Int64($0) }.map { $0 &* 1_000 })
        default: ShopAnswer(verdict: .refused, reason: reason ?? "status\(status)")
        }
    }
}

/// One code as a vendor is to make it.
struct ShopCode: Sendable {
    var code: CouponCode
    var coupon: Coupon
}
