import CQRencode
import Foundation
import Web

/// The QR code of a text, drawn as SVG or PNG. Error correction M: 15 % of it may be covered.
struct QRCode: Sendable {
    /// Light modules around the drawing that readers need.
    static let quietZone = 4
    static let textBytesMax = 1_500

    let width: Int
    private let dark: [Bool]

    init(_ text: String) throws {
        guard text.utf8.count <= Self.textBytesMax, let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else {
            throw Refusal.field("url", "Is too long for a QR code.")
        }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let data = code.pointee.data else { throw Refusal.field("url", "Cannot be drawn.") }
        self.width = width
        dark = (0..<width * width).map { data[$0] & 1 == 1 }
    }

    /// One path of squares; it takes the colour of the text around it where it is inlined.
    var svg: String {
        let side = width + 2 * Self.quietZone
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                guard dark[row * width + column] else {
                    column += 1
                    continue
                }
                let start = column
                while column < width, dark[row * width + column] { column += 1 }
                path += "M\(start + Self.quietZone) \(row + Self.quietZone)h\(column - start)v1h-\(column - start)z"
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <path fill="#fff" d="M0 0h\(side)v\(side)h-\(side)z"/><path fill="#000" d="\(path)"/></svg>
            """
    }

    /// A picture of one bit per pixel.
    func png(moduleSize: Int) throws -> [UInt8] {
        let side = (width + 2 * Self.quietZone) * moduleSize
        let rowBytes = (side + 7) / 8
        var pixels: [UInt8] = []
        pixels.reserveCapacity((rowBytes + 1) * side)
        for y in 0..<side {
            var row = [UInt8](repeating: 0xFF, count: rowBytes)
            let moduleRow = y / moduleSize - Self.quietZone
            if (0..<width).contains(moduleRow) {
                for x in 0..<side {
                    let moduleColumn = x / moduleSize - Self.quietZone
                    if (0..<width).contains(moduleColumn), dark[moduleRow * width + moduleColumn] { row[x / 8] &= ~(0x80 >> UInt8(x % 8)) }
                }
            }
            pixels.append(0)
            pixels += row
        }
        return PNGFile.grayscale(width: side, height: side, bitDepth: 1, scanlines: pixels)
    }
}

/// A PNG file (ISO 15948) of uncompressed scan lines.
enum PNGFile {
    static func grayscale(width: Int, height: Int, bitDepth: UInt8, scanlines: [UInt8]) -> [UInt8] {
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [bitDepth, 0, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + chunk("IDAT", Zlib.compress(scanlines)) + chunk("IEND", [])
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(Zlib.checksum(body))
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}
