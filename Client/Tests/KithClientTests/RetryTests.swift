import Foundation
import Synchronization
import Testing

@testable import KithClient

/// What the next try waits for, and which failures get one.
@Suite struct RetryTests {
    @Test func pausesGrowToABound() {
        let policy = RetryPolicy(triesMax: 50, firstPauseMs: 200, pauseMaxMs: 10_000)
        let bounds = (1...8).map { policy.pauseMs(afterTries: $0, retryAfterSeconds: nil, share: 1) }
        #expect(bounds == [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
        #expect(policy.pauseMs(afterTries: 3, retryAfterSeconds: nil, share: 0) == 0)
        #expect(policy.pauseMs(afterTries: 49, retryAfterSeconds: nil, share: 1) == 10_000)
        #expect(policy.pauseMs(afterTries: 50, retryAfterSeconds: nil, share: 1) == nil)
    }

    @Test func theServersTimeIsAtLeastWaited() {
        let policy = RetryPolicy(triesMax: 3, retryAfterMaxSeconds: 30)
        #expect(policy.pauseMs(afterTries: 1, retryAfterSeconds: 7, share: 0.5) == 7_100)
        #expect(policy.pauseMs(afterTries: 1, retryAfterSeconds: 31, share: 0.5) == nil)
    }

    @Test func retryAfterIsSecondsOrADate() {
        let now = Date(timeIntervalSince1970: 1_445_412_480)
        #expect(Problem.seconds(of: "120", now: now) == 120)
        #expect(Problem.seconds(of: "Wed, 21 Oct 2015 07:28:05 GMT", now: now) == 5)
        #expect(Problem.seconds(of: "Wed, 21 Oct 2015 07:27:05 GMT", now: now) == 0)
        #expect(Problem.seconds(of: "-5", now: now) == 0 && Problem.seconds(of: "99999999999", now: now) == 86_400 && Problem.seconds(of: "soon", now: now) == nil)
    }

    @Test(arguments: [
        (status: 408, code: "", again: true), (status: 429, code: "rate_limited", again: true), (status: 500, code: "", again: true),
        (status: 502, code: "", again: true), (status: 503, code: "", again: true), (status: 504, code: "", again: true),
        (status: 409, code: "idempotency_key_in_use", again: true), (status: 409, code: "sale_differs", again: false), (status: 400, code: "", again: false),
        (status: 401, code: "", again: false), (status: 403, code: "", again: false), (status: 404, code: "", again: false), (status: 422, code: "", again: false),
        (status: 302, code: "", again: false), (status: 501, code: "", again: false),
    ]) func whichFailuresGetAnotherTry(_ row: (status: Int, code: String, again: Bool)) async throws {
        let transport = Scripted([.answer(HTTPAnswer(status: row.status, body: Data(#"{"status":\#(row.status),"code":"\#(row.code)"}"#.utf8)))], thenOK: true)
        let client = try client(transport, RetryPolicy(triesMax: 2))
        let answer = try? await client.call("POST", ["track", "sale"], body: [:])
        #expect(transport.requests.count == (row.again ? 2 : 1))
        #expect((answer != nil) == row.again)
    }

    @Test func everyTryBearsTheSameKeyAndBody() async throws {
        let transport = Scripted([.fail(.noAnswer("cut")), .answer(HTTPAnswer(status: 503)), .fail(.noAnswer("cut"))], thenOK: true)
        let client = try client(transport, RetryPolicy(triesMax: 4))
        _ = try await client.call("POST", ["track", "sale"], body: ["invoiceId": "i"])
        _ = try await client.call("POST", ["track", "sale"], body: ["invoiceId": "i"])
        let keys = transport.requests.map { $0.headers["Idempotency-Key"] }
        #expect(keys.count == 5 && Set(keys.prefix(4)).count == 1 && keys[4] != keys[0] && keys[0] != nil)
        #expect(Set(transport.requests.map(\.body)).count == 1)
        _ = try await client.call("POST", ["x"], body: [:], idempotencyKey: IdempotencyKey("order-7"))
        #expect(transport.requests.last?.headers["Idempotency-Key"] == "order-7")
        _ = try await client.call("GET", ["x"])
        #expect(transport.requests.last?.headers["Idempotency-Key"] == nil)
        #expect(IdempotencyKey("") == nil && IdempotencyKey("a b") == nil && IdempotencyKey(String(repeating: "a", count: 256)) == nil)
    }

    @Test func theEndIsTheLastFailure() async throws {
        let transport = Scripted([.fail(.noAnswer("a")), .fail(.noAnswer("b"))])
        let client = try client(transport, RetryPolicy(triesMax: 2))
        await #expect(throws: KithError.unreachable(reason: "b", tries: 2)) { try await client.call("GET", ["x"]) }
    }

    @Test func whoCancelsIsNotTriedAgain() async throws {
        let transport = Scripted([.fail(.cancelled)])
        let client = try client(transport, RetryPolicy())
        await #expect(throws: KithError.cancelled) { try await client.call("GET", ["x"]) }
        #expect(transport.requests.count == 1)
    }

    @Test func pathsAreEscaped() async throws {
        let transport = Scripted([], thenOK: true)
        let client = try client(transport, RetryPolicy())
        _ = try await client.call("GET", ["members", "ext:a/b c?d&e=ä"], query: [("q", "1&2=3 +")])
        #expect(transport.requests.last?.url.absoluteString == "https://refer.example/api/v1/members/ext%3Aa%2Fb%20c%3Fd%26e%3D%C3%A4?q=1%262%3D3%20%2B")
        await #expect(throws: KithError.invalid(reason: "A part of the path is empty.")) { try await client.call("GET", ["members", ".."]) }
    }

    private func client(_ transport: Scripted, _ retries: RetryPolicy) throws -> KithClient {
        try KithClient(
            address: try #require(URL(string: "https://refer.example")), key: try #require(KithClient.Key("kith_sk_test")), retries: retries, timeoutSeconds: 5,
            allowsPlainHTTP: false, transport: transport, surroundings: .immediate)
    }
}

extension Surroundings {
    /// Waits for nothing.
    static let immediate = Surroundings(pause: { _ in true }, share: { 0.5 })
}

/// Answers what it was told to, in order, and takes notes.
final class Scripted: HTTPTransport {
    enum Step: Sendable {
        case answer(HTTPAnswer)
        case fail(TransportFailure)
    }

    private let state: Mutex<(steps: [Step], requests: [HTTPRequest])>
    private let thenOK: Bool

    init(_ steps: [Step], thenOK: Bool = false) {
        state = Mutex((steps, []))
        self.thenOK = thenOK
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    func send(_ request: HTTPRequest) async throws(TransportFailure) -> HTTPAnswer {
        let step = state.withLock { state -> Step? in
            state.requests.append(request)
            return state.steps.isEmpty ? nil : state.steps.removeFirst()
        }
        switch step {
        case .answer(let answer): return answer
        case .fail(let failure): throw failure
        case nil:
            if thenOK { return HTTPAnswer(status: 200, body: Data("{}".utf8)) }
            throw .noAnswer("Nothing more is planned.")
        }
    }
}
