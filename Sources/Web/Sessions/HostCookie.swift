import HTTPTypes
public import Hummingbird

/// A cookie that only this host can set and read: its name starts with `__Host-`, it is Secure, HttpOnly, SameSite=Lax and for all paths.
public struct HostCookie: Sendable, Equatable {
    /// The name with its prefix.
    public let name: String

    /// - Parameter name: letters, digits, `-` and `_`; other characters are left out.
    public init(_ name: String) {
        self.name = "__Host-" + String(decoding: name.utf8.filter { HostCookie.isNameByte($0) }, as: UTF8.self)
    }

    /// The header's value that sets the cookie; nil when the value has characters a cookie can't carry.
    /// - Parameter maximumAgeSeconds: nil for a cookie that ends with the browser.
    public func header(value: String, maximumAgeSeconds: Int? = nil) -> String? {
        guard value.utf8.allSatisfy({ HostCookie.isValueByte($0) }) else { return nil }
        let age = maximumAgeSeconds.map { "; Max-Age=\($0)" } ?? ""
        return "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=Lax\(age)"
    }

    /// The header's value that sets the cookie for a page inside another site's page: kept apart for each such site, and sent there only.
    /// - Parameter maximumAgeSeconds: nil for a cookie that ends with the browser.
    public func partitionedHeader(value: String, maximumAgeSeconds: Int? = nil) -> String? {
        header(value: value, maximumAgeSeconds: maximumAgeSeconds).map { $0.replacing("SameSite=Lax", with: "SameSite=None") + "; Partitioned" }
    }

    /// The header's value that removes the cookie.
    public var removalHeader: String { "\(name)=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0" }

    /// The cookie's value in a request; nil when it is missing, or there twice with different values, which only an attacker would do.
    public func value(in request: Request) -> String? {
        let values = Set(HostCookie.all(in: request.headers).filter { $0.name == name }.map(\.value))
        return values.count == 1 ? values.first : nil
    }

    /// The cookies of a request. Pairs that are no cookies are left out; at most 100 are read.
    static func all(in headers: HTTPFields) -> [(name: String, value: String)] {
        headers[values: .cookie].flatMap { $0.split(separator: ";", maxSplits: 100) }.prefix(100).compactMap { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { return nil }
            let name = halves[0].trimmingASCIISpace()
            var value = halves[1].trimmingASCIISpace()
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = String(value.dropFirst().dropLast()) }
            guard !name.isEmpty, value.utf8.allSatisfy(isValueByte) else { return nil }
            return (name, value)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// RFC 6265: visible ASCII without quote, comma, semicolon and backslash.
    private static func isValueByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x2C && byte != 0x3B && byte != 0x5C
    }
}

extension Response {
    /// Sets the cookie. A value that a cookie can't carry is not sent.
    public mutating func set(_ cookie: HostCookie, value: String, maximumAgeSeconds: Int? = nil) {
        guard let header = cookie.header(value: value, maximumAgeSeconds: maximumAgeSeconds) else { return }
        headers.append(HTTPField(name: .setCookie, value: header))
    }

    /// Sets the cookie for a page inside another site's page. A value that a cookie can't carry is not sent.
    public mutating func setPartitioned(_ cookie: HostCookie, value: String, maximumAgeSeconds: Int? = nil) {
        guard let header = cookie.partitionedHeader(value: value, maximumAgeSeconds: maximumAgeSeconds) else { return }
        headers.append(HTTPField(name: .setCookie, value: header))
    }

    public mutating func remove(_ cookie: HostCookie) {
        headers.append(HTTPField(name: .setCookie, value: cookie.removalHeader))
    }
}
