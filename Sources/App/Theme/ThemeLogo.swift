/// A company's logo: PNG, JPEG or WebP, told by its bytes. No SVG, which can hold scripts.
struct ThemeLogo: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case png, jpg, webp
        var mediaType: String {
            switch self {
            case .png: "image/png"
            case .jpg: "image/jpeg"
            case .webp: "image/webp"
            }
        }
    }

    enum Fault: Error, Equatable { case tooLarge, noPicture, tooManyPixels }

    static let bytesMax = 128 * 1024
    /// Of each side.
    static let pixelsMax = 2_000

    let kind: Kind
    let bytes: [UInt8]

    static func read(_ bytes: [UInt8]) -> Result<ThemeLogo, Fault> {
        guard bytes.count <= bytesMax else { return .failure(.tooLarge) }
        guard let (kind, width, height) = png(bytes) ?? jpeg(bytes) ?? webp(bytes), width > 0, height > 0 else { return .failure(.noPicture) }
        guard width <= pixelsMax, height <= pixelsMax else { return .failure(.tooManyPixels) }
        return .success(ThemeLogo(kind: kind, bytes: bytes))
    }

    private init(kind: Kind, bytes: [UInt8]) { (self.kind, self.bytes) = (kind, bytes) }

    private static func png(_ bytes: [UInt8]) -> (Kind, Int, Int)? {
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), bytes.count > 33, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return (.png, number(bytes[16..<20]), number(bytes[20..<24]))
    }

    /// The size stands in the first frame header, behind other segments.
    private static func jpeg(_ bytes: [UInt8]) -> (Kind, Int, Int)? {
        guard bytes.starts(with: [0xFF, 0xD8, 0xFF]) else { return nil }
        var place = 2
        while place + 9 < bytes.count, bytes[place] == 0xFF {
            let marker = bytes[place + 1]
            if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
                return (.jpg, number(bytes[(place + 7)..<(place + 9)]), number(bytes[(place + 5)..<(place + 7)]))
            }
            let length = number(bytes[(place + 2)..<(place + 4)])
            guard length >= 2 else { return nil }
            place += 2 + length
        }
        return nil
    }

    private static func webp(_ bytes: [UInt8]) -> (Kind, Int, Int)? {
        guard bytes.count > 30, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8) else { return nil }
        func small(_ range: Range<Int>) -> Int { number(bytes[range].reversed()) }
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8 ": return (.webp, small(26..<28) & 0x3FFF, small(28..<30) & 0x3FFF)
        case "VP8L":
            let bits = small(21..<25)
            return (.webp, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case "VP8X": return (.webp, small(24..<27) + 1, small(27..<30) + 1)
        default: return nil
        }
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
