import CSodium

/// Passwords by argon2id of libsodium, at 19 MiB, 2 passes, 1 lane (OWASP's floor; 14 ms seen on a small machine).
enum Password {
    static let memoryBytes = 19 * 1024 * 1024
    static let passes: UInt64 = 2
    static let lengthMin = 10
    static let lengthMax = 256
    /// Hashes computed at the same time at most: each holds 19 MiB.
    static let concurrencyMax = 4

    static func hash(_ password: String) -> String? {
        guard sodium_init() >= 0 else { return nil }
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let characters = password.utf8.map { CChar(bitPattern: $0) }
        let result = crypto_pwhash_str_alg(
            &text, characters, UInt64(characters.count), passes, memoryBytes, crypto_pwhash_ALG_ARGON2ID13)
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Compares in constant time. A missing hash costs as much as a wrong one, so that nobody learns who exists.
    static func verify(_ password: String, against hash: String?) -> Bool {
        guard sodium_init() >= 0 else { return false }
        let bytes = Array(password.utf8)
        guard bytes.count <= lengthMax else { return false }
        let characters = bytes.map { CChar(bitPattern: $0) }
        return crypto_pwhash_str_verify(hash ?? nobody, characters, UInt64(characters.count)) == 0 && hash != nil
    }

    /// The hash of a password nobody has, for comparisons that must fail slowly.
    private static let nobody = hash("nobody has this password") ?? ""
}
