import Chronology
import Money
import Web

/// Shopify: a discount for each code, by the Admin API's GraphQL. A code is unique in a shop: one that is there already is ours if its title
/// says so.
struct ShopifyDiscounts: Sendable {
    static let version = "2024-10"
    static let askedMax = 100
    /// In GraphQL, what a type that must be there ends with.
    private static let required = "!"

    let client: RailClient
    let base: String
    let secret: String

    func make(_ wanted: ShopCode, now: String) async -> ShopAnswer {
        let (code, coupon) = (wanted.code, wanted.coupon)
        let isShipping = coupon.kind == .freeShipping
        var discount: [JSONMember] = [
            JSONMember("title", .text(Self.title(code))), JSONMember("code", .text(code.code)), JSONMember("startsAt", .text(now)),
            JSONMember("usageLimit", .integer(max(1, coupon.usesPerCode - code.uses))), JSONMember("customerSelection", ["all": true]),
        ]
        if let ends = code.expiresAt { discount.append(JSONMember("endsAt", .text(ends.rfc3339))) }
        func money(_ minor: Int64) -> JSONValue { .text(Amount(minor: minor).decimalText(exponent: coupon.currency.exponent)) }
        if coupon.minimumMinor > 0 {
            discount.append(JSONMember("minimumRequirement", ["subtotal": ["greaterThanOrEqualToSubtotal": money(coupon.minimumMinor)]]))
        }
        if isShipping {
            discount.append(JSONMember("destination", ["all": true]))
        } else {
            let value: JSONValue
            if let rate = coupon.rate {
                // A number of JSON, not a text.
                let text = Amount(minor: rate.billionths / 1_000).decimalText(exponent: 6)
                guard let share = try? JSONValue.parse(Array(text.utf8), maximumBytes: 32) else { return ShopAnswer(verdict: .refused, reason: "amountNotSayable") }
                value = ["percentage": share]
            } else {
                value = ["discountAmount": ["amount": money(coupon.amountMinor ?? 0), "appliesOnEachItem": false]]
            }
            discount.append(JSONMember("customerGets", ["value": value, "items": ["all": true]]))
        }
        let call = isShipping ? "discountCodeFreeShippingCreate" : "discountCodeBasicCreate"
        let (kind, field) = isShipping ? ("DiscountCodeFreeShippingInput", "freeShippingCodeDiscount") : ("DiscountCodeBasicInput", "basicCodeDiscount")
        let reply = await ask(
            "mutation($d: \(kind)\(Self.required)) { \(call)(\(field): $d) { codeDiscountNode { id } userErrors { field code message } } }", ["d": .object(discount)])
        guard case .success(let data) = reply else { return reply.failure }
        let answer = data[call]
        if let id = answer?["codeDiscountNode"]?.railText("id") { return ShopAnswer(verdict: .done(remoteID: id)) }
        let reason = answer?.railList("userErrors")?.first?.railText("code") ?? "unreadableAnswer"
        return reason == "TAKEN" ? await known(code) : ShopAnswer(verdict: .refused, reason: reason)
    }

    private func known(_ code: CouponCode) async -> ShopAnswer {
        let reply = await ask(
            """
            query($code: String\(Self.required)) { codeDiscountNodeByCode(code: $code) { id codeDiscount { ... on DiscountCodeBasic { title } \
            ... on DiscountCodeFreeShipping { title } } } }
            """, ["code": .text(code.code)])
        guard case .success(let data) = reply else { return reply.failure }
        guard let node = data["codeDiscountNodeByCode"], let id = node.railText("id"), node["codeDiscount"]?.railText("title") == Self.title(code) else {
            return ShopAnswer(verdict: .refused, reason: "codeTaken")
        }
        return ShopAnswer(verdict: .done(remoteID: id))
    }

    func end(_ remoteID: String) async -> ShopAnswer {
        let reply = await ask("mutation($id: ID\(Self.required)) { discountCodeDeactivate(id: $id) { userErrors { code message } } }", ["id": .text(remoteID)])
        guard case .success(let data) = reply else { return reply.failure }
        let reason = data["discountCodeDeactivate"]?.railList("userErrors")?.first?.railText("code")
        return reason == nil ? ShopAnswer(verdict: .done(remoteID: remoteID)) : ShopAnswer(verdict: .refused, reason: reason)
    }

    /// Uses by the vendor's name of the code; nil: nobody answered.
    func uses(of ids: [String]) async -> [String: Int64]? {
        let reply = await ask(
            """
            query($ids: [ID\(Self.required)]\(Self.required)) { nodes(ids: $ids) { ... on DiscountCodeNode { id codeDiscount { ... on DiscountCodeBasic { asyncUsageCount } \
            ... on DiscountCodeFreeShipping { asyncUsageCount } } } } }
            """, ["ids": .array(ids.prefix(Self.askedMax).map { .text($0) })])
        guard case .success(let data) = reply, let nodes = data.railList("nodes") else { return nil }
        return Dictionary(
            nodes.compactMap { node in
                node.railText("id").flatMap { id in node["codeDiscount"]?.railNumber("asyncUsageCount").map { (id, $0) } }
            }, uniquingKeysWith: { first, _ in first })
    }

    static func title(_ code: CouponCode) -> String { "Kith \(code.id.text)" }

    private enum Reply {
        case success(JSONValue)
        case failed(ShopAnswer)

        var failure: ShopAnswer { if case .failed(let answer) = self { answer } else { .silent("unreadableAnswer") } }
    }

    private func ask(_ query: String, _ variables: JSONValue) async -> Reply {
        let body = JSONText(["query": .text(query), "variables": variables]).text
        let reply = await client.send(
            "POST", "\(base)/admin/api/\(Self.version)/graphql.json",
            headers: [("x-shopify-access-token", secret), ("content-type", "application/json"), ("accept", "application/json")], body: Array(body.utf8))
        guard case .answered(let status, let headers, let json) = reply else { return .failed(.silent()) }
        guard status == 200 else { return .failed(.failed(status, nil, retryAfter: headers["retry-after"])) }
        if let error = json?.railList("errors")?.first {
            switch error["extensions"]?.railText("code") {
            case "ACCESS_DENIED"?: return .failed(ShopAnswer(verdict: .later(retryAfterMs: nil), reason: "secretRefused", isTrouble: true))
            case "THROTTLED"?: return .failed(.silent("tooManyCalls", retryAfterMs: 2_000))
            default: return .failed(.silent("unreadableAnswer"))
            }
        }
        guard let data = json?["data"] else { return .failed(.silent("unreadableAnswer")) }
        return .success(data)
    }
}
