import Foundation
import Web

/// A form with one file, as `multipart/form-data` (RFC 7578) brings it: small fields, and the bytes of the file.
struct MultipartFile: Sendable {
    static let partsMax = 10
    static let fieldBytesMax = 1_000

    private(set) var fields: [String: String] = [:]
    private(set) var file: [UInt8] = []

    /// Nil when the body is not of this kind, or has too many parts.
    init?(contentType: String?, body: [UInt8]) {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data"), let mark = contentType.range(of: "boundary="),
            let boundary = Optional(contentType[mark.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }), (1...70).contains(boundary.utf8.count)
        else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var place = Self.find(delimiter, in: body, from: 0)
        for _ in 0..<Self.partsMax {
            guard let start = place else { return nil }
            let begin = start + delimiter.count
            if body[min(begin, body.count)...].starts(with: Array("--".utf8)) { return }
            guard body[min(begin, body.count)...].starts(with: Self.lineEnd), let next = Self.find(Self.lineEnd + delimiter, in: body, from: begin) else { return nil }
            take(body[(begin + 2)..<max(begin + 2, next)])
            place = next + 2
        }
        return nil
    }

    private mutating func take(_ part: ArraySlice<UInt8>) {
        let part = Array(part)
        guard let end = Self.find(Self.lineEnd + Self.lineEnd, in: part, from: 0) else { return }
        let head = String(decoding: part[..<end], as: UTF8.self)
        let content = Array(part[(end + 4)...])
        guard let line = head.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            let mark = line.range(of: " name=\""), let close = line[mark.upperBound...].firstIndex(of: "\"")
        else { return }
        if line.contains("filename=") {
            file = content
        } else if content.count <= Self.fieldBytesMax {
            fields[String(line[mark.upperBound..<close])] = String(decoding: content, as: UTF8.self)
        }
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count - start >= needle.count else { return nil }
        for place in start...(bytes.count - needle.count) where bytes[place] == needle[0] {
            if bytes[place..<(place + needle.count)].elementsEqual(needle) { return place }
        }
        return nil
    }
}
