import Crypto
public import HTTPTypes
public import Hummingbird

/// The proof that a form came from a page of the same session: an HMAC over the session's hash.
///
/// Each text of it is masked with fresh random bytes, so compressed pages don't give it away byte by byte.
public struct CSRFToken: Sendable {
    /// The name of the field in forms.
    public static let fieldName = "csrfToken"
    /// The header for scripts.
    public static let headerName = HTTPField.Name(ascii: "X-CSRF-Token")
    private static let byteCount = 32
    private let code: [UInt8]

    /// - Parameters:
    ///   - sessionHash: the stored hash of the session's token.
    ///   - key: at least 32 secret bytes of the installation.
    public init(sessionHash: [UInt8], key: [UInt8]) {
        let message = Array("csrf:".utf8) + sessionHash
        code = Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }

    /// A fresh text for one page.
    public func text(using random: inout some RandomNumberGenerator) -> String {
        let mask = (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return Base64URL.encode(mask + zip(mask, code).map { $0 ^ $1 })
    }

    /// A fresh text for one page, masked with the system's random numbers.
    public func text() -> String {
        var random = SystemRandomNumberGenerator()
        return text(using: &random)
    }

    /// Whether the text is one of this token's. Takes the same time for all texts of the right form.
    public func matches(_ text: String) -> Bool {
        guard text.utf8.count <= 100, let bytes = Base64URL.decode(text), bytes.count == Self.byteCount * 2 else { return false }
        var difference: UInt8 = 0
        for index in 0..<Self.byteCount { difference |= bytes[index] ^ bytes[index + Self.byteCount] ^ code[index] }
        return difference == 0
    }
}

/// The check of every request that changes something and is authenticated by a cookie.
public struct CSRFCheck: Sendable {
    private let origin: String

    /// - Parameter baseURL: the address people use, for instance `https://refer.example`.
    public init(baseURL: String) {
        let parts = baseURL.split(separator: "/", omittingEmptySubsequences: false)
        origin = parts.prefix(3).joined(separator: "/").lowercased()
    }

    /// - Parameter submitted: the form's field; nil for scripts, whose header is read.
    /// - Throws: `Problem` 403 with code `cross_site_request`.
    public func verify(_ request: Request, token: CSRFToken, submitted: String?) throws {
        switch request.method {
        case .get, .head, .options: return
        default: break
        }
        if let site = request.headers[.secFetchSite], site != "same-origin" { throw refusal }
        if let sent = request.headers[.origin], sent.lowercased() != origin { throw refusal }
        guard let text = submitted ?? request.headers[CSRFToken.headerName], token.matches(text) else { throw refusal }
    }

    private var refusal: Problem {
        .forbidden(code: "cross_site_request", detail: "This form is too old or came from elsewhere. Load the page again and repeat.")
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name(ascii: "Sec-Fetch-Site")
}
