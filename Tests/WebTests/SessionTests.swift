import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite struct SessionTests {
    private func request(_ method: HTTPRequest.Method = .post, _ headers: HTTPFields = [:]) -> Request {
        Request(head: HTTPRequest(method: method, scheme: "https", authority: "refer.example", path: "/", headerFields: headers), body: RequestBody(buffer: ByteBuffer()))
    }

    @Test func tokensComeBack() throws {
        let token = SessionToken()
        let again = try #require(SessionToken(text: token.text))
        #expect(again == token)
        #expect(token.text.utf8.count == 43)
        #expect(token.hash.count == 32)
        #expect(SessionToken() != token)
    }

    @Test(arguments: ["", "abc", String(repeating: "A", count: 42), String(repeating: "A", count: 44), String(repeating: "/", count: 43), String(repeating: "A", count: 42) + "B", String(repeating: "é", count: 43)])
    func refusesOtherTokens(_ text: String) { #expect(SessionToken(text: text) == nil) }

    @Test func cookiesAreLocked() {
        let cookie = HostCookie("session")
        #expect(cookie.header(value: "abc", maximumAgeSeconds: 60) == "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
        #expect(cookie.header(value: "a;b") == nil)
        #expect(cookie.header(value: "a\r\nSet-Cookie: x=y") == nil)
    }

    @Test(arguments: [
        ("__Host-session=abc", "abc"), ("a=b; __Host-session=abc; c=d", "abc"), ("__Host-session=\"abc\"", "abc"), ("  __Host-session = abc ", "abc"),
        ("__Host-session", nil), ("__host-session=abc", nil), ("__Host-session=a; __Host-session=b", nil), ("__Host-session=a; __Host-session=a", "a"),
        (";;;=;=x;__Host-session=v", "v"), ("__Host-session=a=b", "a=b"), ("x__Host-session=abc", nil),
    ] as [(String, String?)])
    func readsCookies(_ header: String, _ expected: String?) {
        #expect(HostCookie("session").value(in: request(.get, [.cookie: header])) == expected)
    }

    @Test func csrfTokensAreBoundAndMasked() {
        let key = [UInt8](repeating: 7, count: 32)
        let token = CSRFToken(sessionHash: SessionToken().hash, key: key)
        let other = CSRFToken(sessionHash: SessionToken().hash, key: key)
        let text = token.text()
        #expect(text != token.text())
        #expect(token.matches(text))
        #expect(!other.matches(text))
        #expect(!CSRFToken(sessionHash: SessionToken().hash, key: [UInt8](repeating: 8, count: 32)).matches(text))
        for broken in ["", "x", text + "A", String(text.dropLast()), String(repeating: "A", count: 86)] { #expect(!token.matches(broken)) }
    }

    @Test(arguments: [
        (nil, nil, true), ("same-origin", nil, true), ("cross-site", nil, false), ("same-site", nil, false), ("none", nil, false),
        (nil, "https://refer.example", true), (nil, "https://evil.example", false), (nil, "null", false), ("same-origin", "http://refer.example", false),
    ] as [(String?, String?, Bool)])
    func unsafeRequestsMustComeFromHere(site: String?, origin: String?, isAllowed: Bool) {
        let token = CSRFToken(sessionHash: [1], key: [2])
        var headers = HTTPFields()
        headers[.secFetchSite] = site
        headers[.origin] = origin
        let check = CSRFCheck(baseURL: "https://refer.example/app")
        let passes = (try? check.verify(request(.post, headers), token: token, submitted: token.text())) != nil
        #expect(passes == isAllowed)
        #expect(throws: Problem.self) { try check.verify(request(.post, headers), token: token, submitted: nil) }
        #expect(throws: Never.self) { try check.verify(request(.get, headers), token: token, submitted: nil) }
    }

    @Test func formsAreDecoded() throws {
        let form = try FormFields.parse(ByteBuffer(string: "name=+Ada+L%C3%B6w+&tag=a&tag=b&empty=&flag&pw=%20x%20&a=b=c"))
        #expect(form["name"] == "Ada Löw")
        #expect(form.all("tag") == ["a", "b"])
        #expect(form["empty"] == "")
        #expect(form["flag"] == "")
        #expect(form.exact("pw") == " x ")
        #expect(form["a"] == "b=c")
        #expect(form["none"] == nil)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", String(repeating: "a=1&", count: 501)])
    func brokenFormsAreRefused(_ body: String) {
        #expect(throws: Problem.self) { try FormFields.parse(ByteBuffer(string: body)) }
    }

    @Test func formFaultsAreKeptWithWhatWasTyped() throws {
        let form = FormReader(try FormFields.parse(ByteBuffer(string: "name=&age=x&long=abcdef&colour=blue")))
        _ = form.text("name", maximumLength: 5)
        _ = form.integer("age", in: 0...9)
        _ = form.text("long", maximumLength: 5)
        _ = form.oneOf("colour", JSONReaderTests.Colour.self)
        #expect(form.faults == ["name": .missing, "age": .notAWholeNumber(0...9), "long": .tooLong(maximumLength: 5), "colour": .notAChoice])
        #expect(form.typed("age") == "x")
    }

    @Test(arguments: [[], [0], [0, 255], [1, 2, 3], Array(0...255)] as [[UInt8]])
    func base64ComesBack(_ bytes: [UInt8]) { #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes) }
}
