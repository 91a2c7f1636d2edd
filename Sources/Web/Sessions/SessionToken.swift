import Crypto

/// The secret of a session: 32 random bytes, known to the browser alone. The server stores only its hash.
public struct SessionToken: Sendable, Equatable {
    static let byteCount = 32
    /// The cookie's value: 43 characters of URL-safe Base64.
    public let text: String
    /// SHA-256 of the bytes: what is stored and looked up.
    public let hash: [UInt8]

    /// A new token.
    public init(using random: inout some RandomNumberGenerator) {
        self.init(bytes: (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    /// A new token from the system's random numbers.
    public init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    /// A token that came with a request; nil when it is not of the right form.
    public init?(text: String) {
        guard text.utf8.count == 43, let bytes = Base64URL.decode(text), bytes.count == Self.byteCount else { return nil }
        self.init(bytes: bytes)
    }

    private init(bytes: [UInt8]) {
        text = Base64URL.encode(bytes)
        hash = Array(SHA256.hash(data: bytes))
    }
}
