/// The bytes that a hash is taken over: docs/ledger-format.md says how they are laid out.
struct CanonicalBytes {
    private(set) var bytes: [UInt8] = []

    /// Eight bytes, the highest first, two's complement.
    mutating func append(_ number: Int64) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }

    /// Its length in bytes, then its UTF-8.
    mutating func append(_ text: String) {
        append(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(hash: [UInt8]) { bytes.append(contentsOf: hash) }
}

/// What stands before the first hash of a chain.
let firstHash = [UInt8](repeating: 0, count: 32)

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = String.UnicodeScalarView()
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(text)
}
