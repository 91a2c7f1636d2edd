import Testing

@testable import App

struct PublicAddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "fe80::1", "fc00::1", "fd12::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "ff02::1", "::7f00:1",
    ])
    func privateAddressesAreRefused(_ text: String) throws {
        let bytes = try #require(AddressRange.bytes(text))
        #expect(!PublicAddress(allowed: []).mayConnect(bytes))
    }

    @Test(arguments: ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
    func publicAddressesAreAllowed(_ text: String) throws {
        let bytes = try #require(AddressRange.bytes(text))
        #expect(PublicAddress(allowed: []).mayConnect(bytes))
    }

    @Test func listedNetworksPass() throws {
        let local = try #require(AddressRange.bytes("127.0.0.1"))
        let mapped = try #require(AddressRange.bytes("::ffff:127.0.0.1"))
        let addresses = PublicAddress(allowed: ["127.0.0.0/8"])
        #expect(addresses.mayConnect(local))
        #expect(addresses.mayConnect(mapped))
        #expect(!addresses.mayConnect([10, 0, 0, 1]))
    }

    /// Nothing listens on the discard port; what counts is that the guard speaks before the network does.
    @Test(arguments: [
        "http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://0x7f.1:9/", "http://2130706433:9/", "http://127.1:9/",
    ])
    func requestsToThisMachineFail(_ url: String) async {
        let outcome = await Outbound(allowed: []).send(Outbound.Request(url: url, timeoutMs: 2_000))
        guard case .failed = outcome else {
            Issue.record("\(url) was answered: \(outcome)")
            return
        }
    }

    @Test(arguments: ["ftp://example.com/", "file:///etc/passwd", "gopher://x", "http://user:word@example.com/", "", "not an address"])
    func otherAddressesAreRefused(_ url: String) async {
        let outcome = await Outbound(allowed: []).send(Outbound.Request(url: url, timeoutMs: 2_000))
        guard case .failed = outcome else {
            Issue.record("\(url) was answered: \(outcome)")
            return
        }
    }
}
