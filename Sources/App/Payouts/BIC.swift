/// A bank's business identifier code (ISO 9362): 8 or 11 letters and digits, the fifth and sixth a country.
struct BIC: Sendable, Hashable {
    let text: String

    init?(_ input: String) {
        let text = input.filter { $0 != " " }.uppercased()
        let bytes = Array(text.utf8)
        guard bytes.count == 8 || bytes.count == 11, bytes.allSatisfy({ Self.isLetter($0) || (0x30...0x39).contains($0) }),
            Self.isLetter(bytes[4]), Self.isLetter(bytes[5])
        else { return nil }
        self.text = text
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
}
