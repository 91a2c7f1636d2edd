import Chronology
import Crypto

/// Codes that change with time, as authenticator apps show them (RFC 6238 over RFC 4226).
enum TimedCode {
    enum Digest: Sendable, CaseIterable { case sha1, sha256, sha512 }

    static let stepSeconds: Int64 = 30
    /// What every app can do, whatever it is told.
    static let digits = 6
    static let secretBytes = 20

    /// The number of the half minute in which an instant lies.
    static func step(at instant: Instant) -> Int64 { instant.millisecondsSince1970 / 1000 / stepSeconds }

    static func text(secret: [UInt8], step: Int64, digits: Int = TimedCode.digits, digest: Digest = .sha1) -> String {
        let message = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        let key = SymmetricKey(data: secret)
        let code: [UInt8] =
            switch digest {
            case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
            case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
            case .sha512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
            }
        let offset = Int((code.last ?? 0) & 0xF)
        let number = code[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        var modulus: UInt32 = 1
        for _ in 0..<digits { modulus *= 10 }
        let decimal = String(number % modulus)
        return String(repeating: "0", count: digits - decimal.count) + decimal
    }

    /// RFC 4648, as apps take a secret that is typed.
    static func base32(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var text: [UInt8] = []
        var held: UInt32 = 0
        var bits = 0
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(letters[Int(held >> UInt32(bits)) & 31])
            }
        }
        if bits > 0 { text.append(letters[Int(held << UInt32(5 - bits)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// What the QR code of a secret says.
    static func address(secret: [UInt8], issuer: String, account: String) -> String {
        let name = "\(LocalPath.encoded(issuer)):\(LocalPath.encoded(account))"
        return "otpauth://totp/\(name)?secret=\(base32(secret))&issuer=\(LocalPath.encoded(issuer))&algorithm=SHA1&digits=\(digits)&period=\(stepSeconds)"
    }
}
