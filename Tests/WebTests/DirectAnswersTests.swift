import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import Testing

@testable import Web

/// Answers before the router come in the order of the requests, whoever makes them.
@Suite struct DirectAnswersTests {
    /// Answers `/now/…` at once and `/later/…` when told; leaves the rest to the router.
    final class Responder: DirectResponder {
        let promises = Mutex<[(path: String, promise: EventLoopPromise<HTTPResponse>)]>([])

        func answer(to request: HTTPRequest, remoteAddress: SocketAddress?, eventLoop: any EventLoop) -> DirectAnswer? {
            let path = request.path ?? ""
            if path.hasPrefix("/now/") { return .now(Self.response(path)) }
            guard path.hasPrefix("/later/") else { return nil }
            let promise = eventLoop.makePromise(of: HTTPResponse.self)
            promises.withLock { $0.append((path, promise)) }
            return .later(promise.futureResult)
        }

        func succeedFirst() {
            let first = promises.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            first?.promise.succeed(Self.response(first?.path ?? ""))
        }

        func failFirst() {
            struct Failure: Error {}
            promises.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.promise.fail(Failure())
        }

        static func response(_ path: String) -> HTTPResponse { HTTPResponse(status: .found, headerFields: [.location: path]) }
    }

    /// A connection with the handler in it, and what a router would do.
    struct Connection {
        let responder = Responder()
        let channel: EmbeddedChannel

        init() throws {
            channel = EmbeddedChannel(handler: DirectAnswers(responder: responder))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func ask(_ path: String, method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:]) throws {
            try channel.writeInbound(HTTPRequestPart.head(HTTPRequest(method: method, scheme: "http", authority: "x", path: path, headerFields: fields)))
            try channel.writeInbound(HTTPRequestPart.end(nil))
        }

        /// The path of the request that the router got next.
        func routed() throws -> String? {
            guard case .head(let request) = try channel.readInbound(as: HTTPRequestPart.self) else { return nil }
            while let part = try channel.readInbound(as: HTTPRequestPart.self) { if case .end = part { break } }
            return request.path
        }

        func answerAsRouter(_ path: String) throws {
            try channel.writeOutbound(HTTPResponsePart.head(Responder.response(path)))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        /// The answers sent so far.
        func sent() throws -> [String] {
            var paths: [String] = []
            while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
                if case .head(let response) = part { paths.append(response.headerFields[.location] ?? "") }
            }
            return paths
        }
    }

    @Test func answersSayWhenTheyWereMade() throws {
        let connection = try Connection()
        try connection.ask("/now/1")
        let part = try #require(try connection.channel.readOutbound(as: HTTPResponsePart.self))
        guard case .head(let response) = part else {
            Issue.record("the answer has no head")
            return
        }
        let date = try #require(response.headerFields[.date])
        #expect(date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/) != nil, "\(date)")
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
    ]) func datesAreThoseOfHTTP(_ second: Int, _ text: String) {
        let field = DateField()
        #expect(field.text(second: second) == text)
        // The next second is another text, the same one is not.
        #expect(field.text(second: second + 1) != text)
        #expect(field.text(second: second) == text)
    }

    @Test func answersAtOnceOrLaterAndLeavesTheRestToTheRouter() throws {
        let connection = try Connection()
        try connection.ask("/now/1")
        #expect(try connection.sent() == ["/now/1"])
        try connection.ask("/later/2")
        #expect(try connection.sent() == [])
        connection.responder.succeedFirst()
        #expect(try connection.sent() == ["/later/2"])
        try connection.ask("/other")
        #expect(try connection.sent() == [])
        #expect(try connection.routed() == "/other")
    }

    @Test func requestsInOneGoAreAnsweredInTheirOrder() throws {
        let connection = try Connection()
        for path in ["/later/1", "/now/2", "/other/3", "/now/4", "/later/5"] { try connection.ask(path) }
        #expect(try connection.sent() == [])
        connection.responder.succeedFirst()
        // The router has the third, so the fourth and fifth go to it as well.
        #expect(try connection.sent() == ["/later/1", "/now/2"])
        for path in ["/other/3", "/now/4", "/later/5"] {
            #expect(try connection.routed() == path)
            try connection.answerAsRouter(path)
        }
        #expect(try connection.sent() == ["/other/3", "/now/4", "/later/5"])
        try connection.ask("/now/6")
        #expect(try connection.sent() == ["/now/6"])
    }

    @Test func requestsWithABodyAreTheRouters() throws {
        let connection = try Connection()
        try connection.ask("/now/1", [.contentLength: "3"])
        #expect(try connection.routed() == "/now/1")
        try connection.answerAsRouter("/now/1")
        try connection.ask("/now/2", method: .post)
        #expect(try connection.routed() == "/now/2")
    }

    @Test func nothingIsReadWhileAnAnswerIsUnderWay() throws {
        let connection = try Connection()
        try connection.ask("/later/1")
        var isOverfull = false
        for number in 0...DirectAnswers.waitingPartsMax / 2 {
            try connection.ask("/now/\(number)")
            if !connection.channel.isActive { isOverfull = true }
        }
        #expect(isOverfull, "what waits has a limit")
    }

    @Test func aConnectionEndsAfterItsAnswer() throws {
        let connection = try Connection()
        try connection.ask("/later/1")
        connection.channel.close(promise: nil)
        #expect(connection.channel.isActive)
        connection.responder.succeedFirst()
        #expect(try connection.sent() == ["/later/1"])
        #expect(!connection.channel.isActive)
        let failing = try Connection()
        try failing.ask("/later/1")
        failing.responder.failFirst()
        #expect(!failing.channel.isActive)
    }

    @Test func aClientThatWantsTheEndIsToldOfIt() throws {
        let connection = try Connection()
        try connection.ask("/now/1", [.connection: "close"])
        guard case .head(let response) = try connection.channel.readOutbound(as: HTTPResponsePart.self) else {
            Issue.record("no answer")
            return
        }
        #expect(response.headerFields[.connection] == "close")
    }
}
