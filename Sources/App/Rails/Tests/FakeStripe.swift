import Foundation
import Synchronization
import Web

@testable import App

/// Stripe's transfers as documented: answers of a key are kept, also 500s; keys are forgotten after a day; transfers can be reversed.
final class FakeStripe: Sendable {
    enum Fault: Sendable, CaseIterable {
        case lostBefore, lostAfter, error500Sticky, error500After, tooMany, malformed, conflict, unauthorized, insufficient, accountInvalid, otherCurrency
        case silentAfter, noFault, refusedAtTheDoor
    }

    struct Transfer: Sendable {
        var id: String
        var amount: Int64
        var currency: String
        var destination: String
        var group: String
        var line: String
        var reversed: Int64 = 0
    }

    private struct State {
        var transfers: [Transfer] = []
        var kept: [String: (status: Int, body: String)] = [:]
        var faults: [Fault] = []
        var listFaults: [Fault] = []
        var random: SeededGenerator?
        var posts = 0
        var lists = 0
        var listMax = 100
    }

    private let state = Mutex(State())

    var transfers: [Transfer] { state.withLock { $0.transfers } }
    var posts: Int { state.withLock { $0.posts } }
    var lists: Int { state.withLock { $0.lists } }
    var paid: [String: Int64] {
        transfers.reduce(into: [:]) { $0[$1.line, default: 0] += $1.amount - $1.reversed }
    }

    func fail(_ faults: [Fault]) { state.withLock { $0.faults = faults } }
    func failListing(_ faults: [Fault]) { state.withLock { $0.listFaults = faults } }
    func fail(atRandomFrom seed: UInt64) { state.withLock { $0.random = SeededGenerator(state: seed) } }
    func calm() { state.withLock { $0.random = nil; $0.faults = []; $0.listFaults = [] } }
    func listAtMost(_ count: Int) { state.withLock { $0.listMax = count } }
    /// Somebody paid a line a second time, by hand or under a key that was forgotten.
    func payAgain(_ line: String) {
        state.withLock { state in
            guard var transfer = state.transfers.first(where: { $0.line == line }) else { return }
            transfer.id = "tr_\(state.transfers.count + 1)"
            state.transfers.append(transfer)
        }
    }
    /// Turns back one transfer alone.
    func reverse(id: String) {
        state.withLock { state in
            for place in state.transfers.indices where state.transfers[place].id == id { state.transfers[place].reversed = state.transfers[place].amount }
        }
    }
    /// A day has passed.
    func forgetKeys() { state.withLock { $0.kept = [:] } }
    func reverse(_ line: String, by amount: Int64? = nil) {
        state.withLock { state in
            for place in state.transfers.indices where state.transfers[place].line == line { state.transfers[place].reversed = amount ?? state.transfers[place].amount }
        }
    }

    func answer(_ request: ProviderServer.Request) -> ProviderServer.Reply {
        state.withLock { state in
            guard request.headers["authorization"] == "Bearer sk_test_fake" else {
                return .answer(status: 401, body: #"{"error":{"type":"invalid_request_error","message":"Invalid API Key"}}"#)
            }
            if request.method == "POST", request.path == "/v1/transfers" { return Self.create(request, &state) }
            if request.method == "GET", request.path == "/v1/transfers" { return Self.list(request, &state) }
            return .answer(status: 404, body: #"{"error":{"type":"invalid_request_error","message":"Unrecognized request URL"}}"#)
        }
    }

    private static func create(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        state.posts += 1
        let fault = next(&state.faults, &state.random)
        let key = request.headers["idempotency-key"] ?? ""
        let error500 = #"{"error":{"type":"api_error","message":"An unknown error occurred"}}"#
        switch fault {
        case .lostBefore: return .lost
        case .tooMany: return .answer(status: 429, headers: ["retry-after: 3"], body: #"{"error":{"type":"rate_limit_error"}}"#)
        case .conflict: return .answer(status: 409, body: #"{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}"#)
        case .unauthorized: return .answer(status: 401, body: #"{"error":{"type":"invalid_request_error"}}"#)
        case .refusedAtTheDoor: return .answer(status: 400, body: #"{"error":{"type":"invalid_request_error","code":"parameter_invalid"}}"#)
        default: break
        }
        if let (status, body) = state.kept[key] {
            switch fault {
            case .lostAfter: return .lost
            case .malformed: return .answer(status: status, body: "{")
            default: return .answer(status: status, body: body)
            }
        }
        if fault == .error500Sticky {
            state.kept[key] = (500, error500)
            return .answer(status: 500, body: error500)
        }
        if fault == .insufficient || fault == .accountInvalid {
            let code = fault == .insufficient ? "balance_insufficient" : "account_invalid"
            let body = #"{"error":{"type":"invalid_request_error","code":"\#(code)","message":"No"}}"#
            state.kept[key] = (400, body)
            return .answer(status: 400, body: body)
        }
        let form = fields(request.body)
        guard let amount = Int64(form["amount"] ?? ""), amount > 0, let destination = form["destination"], destination.hasPrefix("acct_"),
            request.headers["content-type"] == "application/x-www-form-urlencoded"
        else { return .answer(status: 400, body: #"{"error":{"type":"invalid_request_error","code":"parameter_invalid"}}"#) }
        let transfer = Transfer(
            id: "tr_\(state.transfers.count + 1)", amount: amount, currency: fault == .otherCurrency ? "usd" : form["currency"] ?? "", destination: destination,
            group: form["transfer_group"] ?? "", line: form["metadata[kith_line]"] ?? "")
        state.transfers.append(transfer)
        let body = show(transfer)
        if fault == .error500After {
            state.kept[key] = (500, error500)
            return .answer(status: 500, body: error500)
        }
        state.kept[key] = (200, body)
        switch fault {
        case .lostAfter: return .lost
        case .silentAfter: return .silent
        case .malformed: return .answer(status: 200, body: #"{"id":"tr_"#)
        default: return .answer(status: 200, body: body)
        }
    }

    private static func list(_ request: ProviderServer.Request, _ state: inout State) -> ProviderServer.Reply {
        state.lists += 1
        switch next(&state.listFaults, &state.random) {
        case .lostBefore, .lostAfter: return .lost
        case .error500Sticky, .error500After: return .answer(status: 500, body: "{}")
        case .tooMany: return .answer(status: 429, headers: ["retry-after: 3"])
        case .malformed: return .answer(status: 200, body: "{")
        default: break
        }
        // The newest first.
        let all = Array(state.transfers.filter { $0.group == request.query["transfer_group"] }.reversed())
        let start = request.query["starting_after"].flatMap { after in all.firstIndex { $0.id == after } }.map { $0 + 1 } ?? 0
        let size = min(state.listMax, Int(request.query["limit"] ?? "10") ?? 10)
        let part = all.dropFirst(start).prefix(size)
        let hasMore = start + part.count < all.count
        return .answer(status: 200, body: #"{"object":"list","data":[\#(part.map(show).joined(separator: ","))],"has_more":\#(hasMore)}"#)
    }

    private static func show(_ transfer: Transfer) -> String {
        let reversals = transfer.reversed > 0 ? #"{"data":[{"id":"trr_\#(transfer.id)","amount":\#(transfer.reversed)}]}"# : #"{"data":[]}"#
        return #"{"id":"\#(transfer.id)","object":"transfer","amount":\#(transfer.amount),"amount_reversed":\#(transfer.reversed),"currency":"\#(transfer.currency)","destination":"\#(transfer.destination)","metadata":{"kith_line":"\#(transfer.line)"},"reversed":\#(transfer.reversed == transfer.amount),"reversals":\#(reversals),"transfer_group":"\#(transfer.group)"}"#
    }

    private static func fields(_ body: [UInt8]) -> [String: String] {
        String(decoding: body, as: UTF8.self).split(separator: "&").reduce(into: [:]) { fields, pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0).removingPercentEncoding ?? "" }
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
    }

    private static func next(_ faults: inout [Fault], _ random: inout SeededGenerator?) -> Fault? {
        if !faults.isEmpty { return faults.removeFirst() }
        guard var generator = random else { return nil }
        defer { random = generator }
        let kinds: [Fault] = [.lostBefore, .lostAfter, .error500Sticky, .error500After, .tooMany, .malformed, .conflict, .unauthorized]
        return generator.next(upperBound: UInt64(2)) == 0 ? kinds[Int(generator.next(upperBound: UInt64(kinds.count)))] : nil
    }
}
