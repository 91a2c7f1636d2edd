import Testing

@testable import App

/// What name servers say, and what they do when they misbehave.
@Suite struct DNSClientTests {
    private func client(_ server: DNSServer) throws -> DNSClient { DNSClient([try #require(DNSClient.Server(server.setting))]) }

    @Test func recordsAreRead() async throws {
        let server = try DNSServer()
        defer { server.stop() }
        server.set("shop.test", .txt("one"), .txt(String(repeating: "long ", count: 100)), .a("192.0.2.7"))
        server.set("www.shop.test", .cname("shop.test"), .a("192.0.2.7"))
        let dns = try client(server)
        #expect(await dns.look(up: "shop.test", .txt).texts == ["one", String(repeating: "long ", count: 100)])
        #expect(await dns.look(up: "WWW.shop.test", .a).names == ["shop.test"])
        #expect(await dns.look(up: "www.shop.test", .a).addresses == ["192.0.2.7"])
        #expect(await dns.look(up: "none.test", .txt) == .noSuchName)
        server.set("bare.test", .a("192.0.2.1"))
        #expect(await dns.look(up: "bare.test", .txt) == .records([]))
    }

    @Test func aCutAnswerIsAskedForAgainOverTCP() async throws {
        let server = try DNSServer()
        defer { server.stop() }
        server.set("big.test", answers: [(0..<20).map { .txt("\($0) " + String(repeating: "x", count: 200)) }])
        #expect(try await client(server).look(up: "big.test", .txt).texts.count == 20 && server.tcpCount == 1)
    }

    @Test func badServersAreNotBelieved() async throws {
        let server = try DNSServer()
        defer { server.stop() }
        server.set("shop.test", .txt("x"))
        server.behave(.fails)
        #expect(try await client(server).look(up: "shop.test", .txt).failure?.contains("code 2") == true)
        server.behave(.saysWrongID)
        #expect(try await client(server).look(up: "shop.test", .txt).failure != nil)
        let other = try DNSServer()
        defer { other.stop() }
        other.set("shop.test", .txt("y"))
        let both = DNSClient([try #require(DNSClient.Server(server.setting)), try #require(DNSClient.Server(other.setting))])
        #expect(await both.look(up: "shop.test", .txt).texts == ["y"], "the second server is asked")
    }

    @Test(arguments: [[], [0], [UInt8](repeating: 0xFF, count: 40), [0, 1, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 16, 0, 1]])
    func brokenMessagesAreNoAnswers(_ bytes: [UInt8]) { #expect(DNSMessage.read(bytes) == nil) }

    @Test func anyBytesAreReadWithoutHarm() {
        var random = SeededGenerator(state: 42)
        let question = DNSMessage.question("shop.test", .txt, id: 7) ?? []
        for _ in 0..<5_000 {
            var bytes = question + (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            bytes[2] |= 0x80
            bytes[7] = UInt8.random(in: 0...9, using: &random)
            for _ in 0..<3 { bytes[Int.random(in: 2..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random) }
            _ = DNSMessage.read(bytes)
        }
    }

    @Test func serversAreNamedByAddress() {
        for good in ["9.9.9.9", "127.0.0.1:5353", "2620:fe::fe", "[2620:fe::fe]:53"] { #expect(DNSClient.Server(good) != nil, "\(good)") }
        for bad in ["", "dns.test", "9.9.9.9:", "9.9.9.9:0", "9.9.9:53", "9.9.9.9:99999"] { #expect(DNSClient.Server(bad) == nil, "\(bad)") }
    }
}
