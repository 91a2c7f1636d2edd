import Foundation
import Synchronization
import Web

@testable import App

/// Stripe's coupons and promotion codes, and Shopify's discounts, as far as Kith asks: keys are kept, codes are unique, answers get lost.
final class FakeCouponVendor: Sendable {
    enum Fault: Sendable { case lostBefore, lostAfter, tooMany, error500, unauthorized }

    struct Code: Sendable {
        var id: String
        var code: String
        var coupon: String
        var kith: String
        var limit: Int64
        var uses: Int64 = 0
        var isActive = true
    }

    private struct State {
        var coupons: [String: [String: String]] = [:]
        var codes: [Code] = []
        var kept: [String: String] = [:]
        var faults: [Fault] = []
        var posts = 0
    }

    private let state = Mutex(State())

    var codes: [Code] { state.withLock { $0.codes } }
    var coupons: [String: [String: String]] { state.withLock { $0.coupons } }
    func fail(_ faults: [Fault]) { state.withLock { $0.faults = faults } }
    func forgetKeys() { state.withLock { $0.kept = [:] } }
    func use(_ code: String, times: Int64 = 1) {
        state.withLock { state in
            for place in state.codes.indices where state.codes[place].code == code { state.codes[place].uses += times }
        }
    }
    /// Somebody made a code of this text by hand.
    func take(_ code: String) {
        state.withLock { $0.codes.append(Code(id: "promo_other", code: code, coupon: "other", kith: "", limit: 1)) }
    }

    func answer(_ request: ProviderServer.Request) -> ProviderServer.Reply {
        state.withLock { state in
            var fault: Fault?
            if request.method == "POST" {
                state.posts += 1
                fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
            }
            switch fault {
            case .lostBefore: return .lost
            case .tooMany: return .answer(status: 429, headers: ["retry-after: 1"], body: "{}")
            case .error500: return .answer(status: 500, body: #"{"error":{"type":"api_error"}}"#)
            case .unauthorized: return .answer(status: 401, body: #"{"error":{"type":"invalid_request_error"}}"#)
            case .lostAfter, nil: break
            }
            let reply = request.path.hasSuffix("/graphql.json") ? Self.shopify(request, &state) : Self.stripe(request, &state)
            return fault == .lostAfter ? .lost : reply
        }
    }

    // MARK: Stripe

    private static func stripe(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        guard request.headers["authorization"] == "Bearer sk_test_fake" else { return .answer(status: 401, body: #"{"error":{}}"#) }
        let key = request.headers["idempotency-key"] ?? ""
        if let body = state.kept[key] { return .answer(status: 200, body: body) }
        let form = fields(String(decoding: request.body, as: UTF8.self))
        func refuse(_ code: String) -> ProviderServer.Reply {
            .answer(status: 400, body: #"{"error":{"type":"invalid_request_error","code":"\#(code)"}}"#)
        }
        switch (request.method, request.path) {
        case ("POST", "/v1/coupons"):
            let id = form["id"] ?? ""
            guard state.coupons[id] == nil else { return refuse("resource_already_exists") }
            guard form["percent_off"] != nil || (form["amount_off"] != nil && form["currency"] != nil) else { return refuse("parameter_missing") }
            state.coupons[id] = form
            state.kept[key] = #"{"id":"\#(id)"}"#
            return .answer(status: 200, body: #"{"id":"\#(id)"}"#)
        case ("POST", "/v1/promotion_codes"):
            guard let coupon = form["coupon"], state.coupons[coupon] != nil, let text = form["code"] else { return refuse("resource_missing") }
            guard !state.codes.contains(where: { $0.code == text && $0.isActive }) else { return refuse("promotion_code_exists") }
            let code = Code(
                id: "promo_\(state.codes.count + 1)", code: text, coupon: coupon, kith: form["metadata[kith_code]"] ?? "", limit: Int64(form["max_redemptions"] ?? "") ?? 0)
            state.codes.append(code)
            state.kept[key] = show(code)
            return .answer(status: 200, body: show(code))
        case ("GET", "/v1/promotion_codes"):
            let found = state.codes.filter { code in
                (request.query["code"].map { $0 == code.code && code.isActive } ?? true) && (request.query["coupon"].map { $0 == code.coupon } ?? true)
            }
            return .answer(status: 200, body: #"{"has_more":false,"data":[\#(found.map(show).joined(separator: ","))]}"#)
        case ("POST", let path) where path.hasPrefix("/v1/promotion_codes/"):
            let id = String(path.dropFirst("/v1/promotion_codes/".count))
            guard let place = state.codes.firstIndex(where: { $0.id == id }) else { return .answer(status: 404, body: "{}") }
            state.codes[place].isActive = form["active"] != "false"
            return .answer(status: 200, body: show(state.codes[place]))
        default: return .answer(status: 404, body: "{}")
        }
    }

    private static func show(_ code: Code) -> String {
        #"{"id":"\#(code.id)","code":"\#(code.code)","active":\#(code.isActive),"times_redeemed":\#(code.uses),"metadata":{"kith_code":"\#(code.kith)"}}"#
    }

    private static func fields(_ body: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in body.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? "" }
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        return fields
    }

    // MARK: Shopify

    private static func shopify(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        guard request.headers["x-shopify-access-token"] == "shpat_fake_token" else { return .answer(status: 401, body: "{}") }
        guard let body = try? JSONValue.parse(request.body, maximumBytes: 1_000_000), let query = body["query"]?.string else {
            return .answer(status: 400, body: "{}")
        }
        let variables = body["variables"]
        func data(_ text: String) -> ProviderServer.Reply { .answer(status: 200, body: #"{"data":{\#(text)}}"#) }
        for call in ["discountCodeBasicCreate", "discountCodeFreeShippingCreate"] where query.contains(call) {
            let wanted = variables?["d"]
            let text = wanted?["code"]?.string ?? ""
            if state.codes.contains(where: { $0.code == text }) {
                return data(#""\#(call)":{"codeDiscountNode":null,"userErrors":[{"field":["code"],"code":"TAKEN","message":"Code must be unique"}]}"#)
            }
            if call == "discountCodeBasicCreate" {
                guard case .number? = wanted?["customerGets"]?["value"]?["percentage"] ?? wanted?["usageLimit"] else {
                    return data(#""\#(call)":{"codeDiscountNode":null,"userErrors":[{"code":"INVALID"}]}"#)
                }
            }
            let code = Code(
                id: "gid://shopify/DiscountCodeNode/\(state.codes.count + 1)", code: text, coupon: call, kith: wanted?["title"]?.string ?? "",
                limit: wanted?["usageLimit"]?.int64 ?? 0)
            state.codes.append(code)
            return data(#""\#(call)":{"codeDiscountNode":{"id":"\#(code.id)"},"userErrors":[]}"#)
        }
        if query.contains("codeDiscountNodeByCode") {
            guard let code = state.codes.first(where: { $0.code == variables?["code"]?.string }) else { return data(#""codeDiscountNodeByCode":null"#) }
            return data(#""codeDiscountNodeByCode":{"id":"\#(code.id)","codeDiscount":{"title":"\#(code.kith)"}}"#)
        }
        if query.contains("discountCodeDeactivate") {
            guard let place = state.codes.firstIndex(where: { $0.id == variables?["id"]?.string }) else {
                return data(#""discountCodeDeactivate":{"userErrors":[{"code":"INVALID"}]}"#)
            }
            state.codes[place].isActive = false
            return data(#""discountCodeDeactivate":{"userErrors":[]}"#)
        }
        let ids = Set((variables?["ids"]?.elements ?? []).compactMap(\.string))
        let nodes = state.codes.filter { ids.contains($0.id) }.map { #"{"id":"\#($0.id)","codeDiscount":{"asyncUsageCount":\#($0.uses)}}"# }
        return data(#""nodes":[\#(nodes.joined(separator: ","))]"#)
    }
}
