import Chronology
import Foundation
import Money
import Web

/// Stripe: a coupon under Kith's id, and a promotion code for each code. The code's id is the `Idempotency-Key`; after Stripe has forgotten it,
/// the promotion code is known by its metadata.
struct StripeCoupons: Sendable {
    static let listedMax = 100
    static let pagesMax = 100

    let client: RailClient
    let base: String
    let secret: String

    func makeCoupon(_ coupon: Coupon) async -> ShopAnswer {
        var fields = [("id", coupon.id.text), ("duration", "once"), ("name", String(coupon.name.prefix(40))), ("metadata[kith_coupon]", coupon.id.text)]
        if let rate = coupon.rate {
            fields.append(("percent_off", Amount(minor: rate.billionths / 100_000).decimalText(exponent: 2)))
        } else {
            guard let amount = coupon.amountMinor, let number = StripeAmount.number(amount, .currency(coupon.currency)) else {
                return ShopAnswer(verdict: .refused, reason: "amountNotSayable")
            }
            fields += [("amount_off", String(number)), ("currency", coupon.currency.code.lowercased())]
        }
        let reply = await post("/v1/coupons", fields, key: coupon.id.text)
        guard case .answered(let status, let headers, let json) = reply else { return .silent() }
        if (200..<300).contains(status), let id = json?.railText("id") { return ShopAnswer(verdict: .done(remoteID: id)) }
        // The id is ours, so what has it is this coupon.
        if json?["error"]?.railText("code") == "resource_already_exists" { return ShopAnswer(verdict: .done(remoteID: coupon.id.text)) }
        return .failed(status, json?["error"]?.railText("code"), retryAfter: headers["retry-after"])
    }

    func makeCode(_ wanted: ShopCode) async -> ShopAnswer {
        let (code, coupon) = (wanted.code, wanted.coupon)
        var fields = [
            ("coupon", coupon.id.text), ("code", code.code), ("max_redemptions", String(max(1, coupon.usesPerCode - code.uses))), ("metadata[kith_code]", code.id.text),
        ]
        if let ends = code.expiresAt { fields.append(("expires_at", String(ends.millisecondsSince1970 / 1_000))) }
        if coupon.newCustomersOnly { fields.append(("restrictions[first_time_transaction]", "true")) }
        if coupon.minimumMinor > 0 {
            guard let number = StripeAmount.number(coupon.minimumMinor, .currency(coupon.currency)) else {
                return ShopAnswer(verdict: .refused, reason: "amountNotSayable")
            }
            fields += [("restrictions[minimum_amount]", String(number)), ("restrictions[minimum_amount_currency]", coupon.currency.code.lowercased())]
        }
        let reply = await post("/v1/promotion_codes", fields, key: code.id.text)
        guard case .answered(let status, let headers, let json) = reply else { return .silent() }
        if (200..<300).contains(status) {
            guard let id = json?.railText("id"), Self.isID(id) else { return .silent("unreadableAnswer") }
            return ShopAnswer(verdict: .done(remoteID: id))
        }
        let answer = ShopAnswer.failed(status, json?["error"]?.railText("code"), retryAfter: headers["retry-after"])
        return answer.verdict == .refused ? await known(code) ?? answer : answer
    }

    /// Our own promotion code from a try that nobody heard the end of; another's with the same text is a refusal.
    private func known(_ code: CouponCode) async -> ShopAnswer? {
        let reply = await get("/v1/promotion_codes?limit=1&active=true&code=\(LocalPath.encoded(code.code))")
        guard case .answered(200, _, let json) = reply, let found = json?.railList("data")?.first, let id = found.railText("id"), Self.isID(id) else { return nil }
        if found["metadata"]?.railText("kith_code") == code.id.text { return ShopAnswer(verdict: .done(remoteID: id)) }
        return ShopAnswer(verdict: .refused, reason: "codeTaken")
    }

    func end(_ remoteID: String) async -> ShopAnswer {
        guard Self.isID(remoteID) else { return ShopAnswer(verdict: .refused, reason: "unreadableAnswer") }
        let reply = await post("/v1/promotion_codes/\(remoteID)", [("active", "false")], key: nil)
        guard case .answered(let status, let headers, let json) = reply else { return .silent() }
        if (200..<300).contains(status) || status == 404 { return ShopAnswer(verdict: .done(remoteID: remoteID)) }
        return .failed(status, json?["error"]?.railText("code"), retryAfter: headers["retry-after"])
    }

    /// Uses by the vendor's name of the code; nil: nobody answered.
    func uses(of coupon: CouponID) async -> [String: Int64]? {
        var found: [String: Int64] = [:]
        var after = ""
        for _ in 0..<Self.pagesMax {
            let cursor = after.isEmpty ? "" : "&starting_after=\(after)"
            let reply = await get("/v1/promotion_codes?limit=\(Self.listedMax)&coupon=\(coupon.text)\(cursor)")
            guard case .answered(200, _, let json) = reply, let codes = json?.railList("data") else { return nil }
            for code in codes {
                if let id = code.railText("id"), let times = code.railNumber("times_redeemed") { found[id] = times }
            }
            guard json?["has_more"] == .boolean(true), let last = codes.last?.railText("id"), Self.isID(last), last != after else { return found }
            after = last
        }
        return found
    }

    private static func isID(_ text: String) -> Bool {
        text.hasPrefix("promo_") && text.utf8.count <= 128
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F }
    }

    private var headers: [(name: String, value: String)] {
        [("authorization", "Bearer \(secret)"), ("stripe-version", StripeRail.version), ("accept", "application/json")]
    }

    private func get(_ path: String) async -> RailClient.Reply { await client.send("GET", base + path, headers: headers) }

    private func post(_ path: String, _ fields: [(String, String)], key: String?) async -> RailClient.Reply {
        let form = fields.map { "\(LocalPath.encoded($0.0))=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        var headers = headers + [("content-type", "application/x-www-form-urlencoded")]
        if let key { headers.append(("idempotency-key", key)) }
        return await client.send("POST", base + path, headers: headers, body: Array(form.utf8))
    }
}
