import Testing

@testable import App

/// The vectors of RFC 6238 (appendix B) and RFC 4648.
struct TimedCodeTests {
    @Test(arguments: [
        (59, "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826"),
    ] as [(Int64, String, String, String)])
    func codesOfTheStandard(_ second: Int64, _ sha1: String, _ sha256: String, _ sha512: String) {
        let digits = Array("1234567890".utf8)
        func secret(_ count: Int) -> [UInt8] { (0..<count).map { digits[$0 % 10] } }
        let step = second / TimedCode.stepSeconds
        #expect(TimedCode.text(secret: secret(20), step: step, digits: 8, digest: .sha1) == sha1)
        #expect(TimedCode.text(secret: secret(32), step: step, digits: 8, digest: .sha256) == sha256)
        #expect(TimedCode.text(secret: secret(64), step: step, digits: 8, digest: .sha512) == sha512)
        #expect(TimedCode.text(secret: secret(20), step: step) == String(sha1.suffix(6)), "six digits are the last of eight")
    }

    @Test(arguments: [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")])
    func secretsInBase32(_ text: String, _ encoded: String) { #expect(TimedCode.base32(Array(text.utf8)) == encoded) }
}
