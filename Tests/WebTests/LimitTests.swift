import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite struct LimitTests {
    @Test func bucketsEmptyAndRefill() {
        let limiter = RateLimiter(limit: RateLimit(requests: 3, periodSeconds: 30))
        let start = ContinuousClock.now
        #expect((0..<3).map { _ in limiter.take("a", now: start).remaining } == [2, 1, 0])
        let refused = limiter.take("a", now: start)
        #expect(refused == RateLimitDecision(isAllowed: false, limit: 3, remaining: 0, resetSeconds: 30, retryAfterSeconds: 10))
        #expect(limiter.take("b", now: start).isAllowed)
        #expect(limiter.take("a", now: start + .seconds(10)).isAllowed)
        #expect(!limiter.take("a", now: start + .seconds(10)).isAllowed)
        #expect(limiter.take("a", now: start + .seconds(1000)).remaining == 2)
    }

    @Test func theTableIsBounded() {
        let limiter = RateLimiter(limit: RateLimit(requests: 1, periodSeconds: 60), maximumKeys: 100)
        for index in 0..<10_000 { _ = limiter.take("key \(index)") }
        #expect(limiter.keyCount <= 100)
    }

    @Test(arguments: [("a", true), (String(repeating: "k", count: 255), true), ("", false), (String(repeating: "k", count: 256), false), ("a b", false), ("é", false), ("a\u{7F}", false)])
    func idempotencyKeys(_ text: String, _ isKey: Bool) { #expect((IdempotencyKey(text) != nil) == isKey) }

    @Test func inputHashesTellInputsApart() throws {
        func hash(_ path: String, _ body: String) throws -> InputHash {
            InputHash(method: .post, path: path, body: try JSONValue.parse(Array(body.utf8), maximumBytes: 100).canonicalBytes)
        }
        #expect(try hash("/a", #"{"x":1,"y":[{"b":1,"a":2}]}"#) == hash("/a", #" {"y":[{"a":2,"b":1}], "x":1}"#))
        #expect(try hash("/a", "{}") != hash("/b", "{}"))
        #expect(try hash("/a", "1.0") != hash("/a", "1"))
        #expect(InputHash(method: .post, path: "/ab", body: []) != InputHash(method: .post, path: "/a", body: Array("b".utf8)))
    }

    @Test func keysReplayOrRefuse() throws {
        let input = InputHash(method: .post, path: "/a", body: [1])
        let answer = StoredAnswer(status: 201, body: Array("{}".utf8))
        #expect(try IdempotencyState.unknown.replay(for: input) == nil)
        #expect(try IdempotencyState.answered(input: input, answer).replay(for: input) == answer)
        #expect(answer.response(isReplayed: true).headers[.idempotencyReplayed] == "true")
        let running = #expect(throws: Problem.self) { try IdempotencyState.running.replay(for: input) }
        #expect(running?.status == .conflict)
        let other = InputHash(method: .post, path: "/a", body: [2])
        let reused = #expect(throws: Problem.self) { try IdempotencyState.answered(input: input, answer).replay(for: other) }
        #expect(reused?.status == .unprocessableContent)
    }
}
