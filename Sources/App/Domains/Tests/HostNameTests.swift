import Testing

@testable import App

/// Names are compared in one form; whatever is no name is nothing.
@Suite struct HostNameTests {
    @Test(arguments: [
        ("partners.shop.test", "partners.shop.test"), ("PARTNERS.Shop.Test", "partners.shop.test"), ("partners.shop.test.", "partners.shop.test"),
        ("partners.shop.test:8443", "partners.shop.test"), ("partners.shop.test.:443", "partners.shop.test"), ("xn--bcher-kva.test", "xn--bcher-kva.test"),
    ])
    func requestsNameHosts(_ authority: String, _ host: String) { #expect(HostName(authority: authority)?.text == host) }

    @Test(arguments: [
        "", ".", ":80", "localhost", "127.0.0.1", "127.0.0.1:80", "10.1", "0x7f.1", "[::1]", "[::1]:80", "::1", "a..b", "-a.test", "a-.test", "a_b.test", "a b.test",
        "shop.test\r\nX: y", "shop.test/evil", "user@shop.test", "shop.test:80:80", "shop.test:abc", "shop.test:123456", "bücher.test", "shop.test..",
        String(repeating: "a", count: 64) + ".test", String(repeating: "a.", count: 200) + "test",
    ])
    func whatIsNoHostIsNothing(_ authority: String) { #expect(HostName(authority: authority) == nil) }

    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.example", "xn--bcher-kva.example"), ("mañana.com", "xn--maana-pta.com"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"), ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("Partners.Shop.example.", "partners.shop.example"),
    ])
    func peopleTypeAllScripts(_ typed: String, _ host: String) { #expect(HostName(typed: typed)?.text == host) }

    @Test(arguments: ["https://shop.test", "shop.test/portal", "shop test", "shop.test:80", "192.168.0.1", "１２７.0.0.1", "shop.test\u{0}", "\u{202E}shop.test", "*.shop.test"])
    func whatPeopleTypeWrongIsRefused(_ typed: String) { #expect(HostName(typed: typed) == nil) }
}
