import Foundation
import Synchronization
import Web

@testable import App

/// PayPal Payouts as it is documented, with every way it fails: by a script for single calls, or at random from a seed.
final class FakePayPal: Sendable {
    /// How the next call that moves money, or asks, goes.
    enum Fault: Sendable, CaseIterable {
        case lostBefore, lostAfter, error500Before, error500After, tooMany, malformed, htmlError, insufficient, restricted, invalidFirst, unauthorized
    }

    struct Item: Sendable {
        var id: String
        var senderItemID: String
        var value: String
        var currency: String
        var receiver: String
        var status: String
    }

    struct Batch: Sendable {
        var id: String
        var senderBatchID: String
        var status: String
        var items: [Item]
    }

    private struct State {
        var batches: [Batch] = []
        var faults: [Fault] = []
        var askFaults: [Fault] = []
        var random: SeededGenerator?
        var calls: [String] = []
        var itemsPerPage = 1_000
        var hidesLink = false
        var statusOf: @Sendable (Int) -> String = { _ in "SUCCESS" }
        var batchStatus = "SUCCESS"
        var wrongCurrency = false
        var refusesCredentials = false
        var tokens = 0
    }

    private let state = Mutex(State())

    var batches: [Batch] { state.withLock { $0.batches } }
    var calls: [String] { state.withLock { $0.calls } }
    var tokensGiven: Int { state.withLock { $0.tokens } }

    /// What really left, by the payer's own key of the item.
    var paid: [String: Int] {
        var sums: [String: Int] = [:]
        for item in batches.flatMap(\.items) where ["SUCCESS"].contains(item.status) {
            sums[item.senderItemID, default: 0] += Int((Double(item.value) ?? 0) * 100 + 0.5)
        }
        return sums
    }

    func fail(_ faults: [Fault]) { state.withLock { $0.faults = faults } }
    func failAsking(_ faults: [Fault]) { state.withLock { $0.askFaults = faults } }
    func fail(atRandomFrom seed: UInt64) { state.withLock { $0.random = SeededGenerator(state: seed) } }
    func calm() { state.withLock { $0.random = nil; $0.faults = []; $0.askFaults = [] } }
    func page(_ size: Int) { state.withLock { $0.itemsPerPage = size } }
    func hideLink() { state.withLock { $0.hidesLink = true } }
    func say(_ status: @escaping @Sendable (Int) -> String) { state.withLock { $0.statusOf = status } }
    func deny() { state.withLock { $0.batchStatus = "DENIED"; $0.statusOf = { _ in "" } } }
    func sayOtherCurrency() { state.withLock { $0.wrongCurrency = true } }
    func refuseCredentials(_ refuses: Bool) { state.withLock { $0.refusesCredentials = refuses } }

    /// A payment changes after the fact.
    func change(_ senderItemID: String? = nil, to status: String) {
        state.withLock { state in
            for batch in state.batches.indices {
                for item in state.batches[batch].items.indices where senderItemID == nil || state.batches[batch].items[item].senderItemID == senderItemID {
                    state.batches[batch].items[item].status = status
                }
            }
        }
    }

    /// What was open ends well.
    func end() {
        state.withLock { state in
            for batch in state.batches.indices {
                for item in state.batches[batch].items.indices where ["PENDING", "UNCLAIMED", "ONHOLD"].contains(state.batches[batch].items[item].status) {
                    state.batches[batch].items[item].status = "SUCCESS"
                }
            }
        }
    }

    // MARK: HTTP

    func answer(_ request: ProviderServer.Request) -> ProviderServer.Reply {
        state.withLock { state in
            state.calls.append("\(request.method) \(request.path)")
            if request.path == "/v1/oauth2/token" { return Self.token(request, &state) }
            guard request.headers["authorization"]?.hasPrefix("Bearer token-") == true else { return Self.refusal(401, "invalid_token") }
            if request.method == "POST", request.path == "/v1/payments/payouts" { return Self.create(request, &state) }
            if request.method == "GET", request.path.hasPrefix("/v1/payments/payouts/") { return Self.show(request, &state) }
            return Self.refusal(404, "RESOURCE_NOT_FOUND")
        }
    }

    private static func token(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        let basic = "Basic " + Data("client-id-1234:client-secret".utf8).base64EncodedString()
        guard !state.refusesCredentials, request.headers["authorization"] == basic, String(decoding: request.body, as: UTF8.self) == "grant_type=client_credentials"
        else { return .answer(status: 401, body: #"{"error":"invalid_client","error_description":"Client Authentication failed"}"#) }
        state.tokens += 1
        return .answer(status: 200, body: #"{"access_token":"token-\#(state.tokens)","token_type":"Bearer","expires_in":32400}"#)
    }

    private static func create(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        let fault = next(&state.faults, &state.random)
        switch fault {
        case .lostBefore: return .lost
        case .error500Before: return refusal(500, "INTERNAL_ERROR")
        case .tooMany: return .answer(status: 429, headers: ["retry-after: 7"], body: #"{"name":"RATE_LIMIT_REACHED"}"#)
        case .htmlError: return .answer(status: 502, body: "<html>Bad gateway</html>")
        case .insufficient: return refusal(422, "INSUFFICIENT_FUNDS")
        case .restricted: return refusal(403, "SENDER_RESTRICTED")
        case .unauthorized: return .answer(status: 401, body: #"{"error":"invalid_token"}"#)
        case .invalidFirst:
            return .answer(
                status: 400, body: #"{"name":"VALIDATION_ERROR","details":[{"field":"items[0].receiver","location":"body","issue":"Receiver is invalid"}],"links":[]}"#)
        case .lostAfter, .error500After, .malformed, nil: break
        }
        guard let body = try? JSONValue.parse(request.body, maximumBytes: 10_000_000), let key = body.railText("sender_batch_header", "sender_batch_id"),
            let items = body.railList("items"), !items.isEmpty, items.count <= 15_000
        else { return refusal(400, "MALFORMED_REQUEST") }
        if let known = state.batches.first(where: { $0.senderBatchID == key }) {
            let link = state.hidesLink ? "" : #","link":[{"href":"https://api.sandbox.paypal.com/v1/payments/payouts/\#(known.id)","rel":"self","method":"GET"}]"#
            return .answer(
                status: 400,
                body: #"{"name":"USER_BUSINESS_ERROR","details":[{"field":"SENDER_BATCH_ID","issue":"Batch with given sender_batch_id already exists"\#(link)}]}"#)
        }
        let number = state.batches.count + 1
        let made = items.enumerated().map { place, item in
            Item(
                id: "ITEM\(number)X\(place)", senderItemID: item.railText("sender_item_id") ?? "", value: item["amount"]?.railText("value") ?? "",
                currency: item["amount"]?.railText("currency") ?? "", receiver: item.railText("receiver") ?? "", status: state.statusOf(place))
        }
        state.batches.append(Batch(id: "BATCH\(number)", senderBatchID: key, status: state.batchStatus, items: made))
        switch fault {
        case .lostAfter: return .lost
        case .error500After: return refusal(500, "INTERNAL_ERROR")
        case .malformed: return .answer(status: 201, body: #"{"batch_header":{"payout_ba"#)
        default: return .answer(status: 201, body: #"{"batch_header":{"payout_batch_id":"BATCH\#(number)","batch_status":"PENDING"}}"#)
        }
    }

    private static func show(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        switch next(&state.askFaults, &state.random) {
        case .lostBefore, .lostAfter: return .lost
        case .error500Before, .error500After: return refusal(503, "SERVICE_UNAVAILABLE")
        case .tooMany: return .answer(status: 429, headers: ["retry-after: 7"])
        case .malformed, .htmlError: return .answer(status: 200, body: "<html>")
        case .unauthorized: return .answer(status: 401, body: #"{"error":"invalid_token"}"#)
        case .insufficient, .restricted, .invalidFirst, nil: break
        }
        let id = request.path.split(separator: "/").last.map(String.init) ?? ""
        guard let batch = state.batches.first(where: { $0.id == id }) else { return refusal(404, "INVALID_RESOURCE_ID") }
        let page = Int(request.query["page"] ?? "1") ?? 1
        let size = min(state.itemsPerPage, Int(request.query["page_size"] ?? "100") ?? 100)
        let pages = max(1, (batch.items.count + size - 1) / size)
        let items = batch.items.dropFirst((page - 1) * size).prefix(size).filter { !$0.status.isEmpty }.map { item in
            let currency = state.wrongCurrency ? "USD" : item.currency
            return #"{"payout_item_id":"\#(item.id)","transaction_id":"TX\#(item.id)","transaction_status":"\#(item.status)","payout_item":{"amount":{"currency":"\#(currency)","value":"\#(item.value)"},"receiver":"\#(item.receiver)","sender_item_id":"\#(item.senderItemID)"}}"#
        }.joined(separator: ",")
        let links = page < pages ? #"[{"href":"x","rel":"next"}]"# : "[]"
        return .answer(
            status: 200,
            body: #"{"batch_header":{"payout_batch_id":"\#(id)","batch_status":"\#(batch.status)"},"items":[\#(items)],"links":\#(links),"total_pages":\#(pages),"total_items":\#(batch.items.count)}"#)
    }

    private static func next(_ faults: inout [Fault], _ random: inout SeededGenerator?) -> Fault? {
        if !faults.isEmpty { return faults.removeFirst() }
        guard var generator = random else { return nil }
        defer { random = generator }
        // Half of all calls go wrong, in ways that say nothing about the payment.
        let kinds: [Fault] = [.lostBefore, .lostAfter, .error500Before, .error500After, .tooMany, .malformed, .htmlError, .unauthorized]
        return generator.next(upperBound: UInt64(2)) == 0 ? kinds[Int(generator.next(upperBound: UInt64(kinds.count)))] : nil
    }

    private static func refusal(_ status: Int, _ name: String) -> ProviderServer.Reply {
        .answer(status: status, body: #"{"name":"\#(name)","message":"\#(name)","debug_id":"d"}"#)
    }
}
