public import NIOCore

extension FormFields {
    /// The fields of a `multipart/form-data` body (RFC 7578), as browsers send files. A file is a field whose value is its text.
    ///
    /// - Throws: `Problem` 400 for a body that is not made of such parts, has too many, or holds something that is not UTF-8 text.
    public static func parse(_ buffer: ByteBuffer, boundary: String) throws -> FormFields {
        let bytes = Array(buffer.readableBytesView)
        let delimiter = Array("--\(boundary)".utf8)
        var position = 0
        guard starts(bytes, with: delimiter, at: 0) else { throw malformed("It does not begin with its boundary.") }
        position = delimiter.count
        var fields: [(name: String, value: String)] = []
        while starts(bytes, with: lineEnd, at: position) {
            position += 2
            guard fields.count < maximumCount else { throw malformed("It has more than \(maximumCount) fields.") }
            guard let headEnd = find(lineEnd + lineEnd, in: bytes, from: position, within: headBytesMax) else { throw malformed("A part has no end of its head.") }
            let head = String(decoding: bytes[position..<headEnd], as: UTF8.self)
            let start = headEnd + 4
            guard let end = find(lineEnd + delimiter, in: bytes, from: start, within: bytes.count) else { throw malformed("A part has no end.") }
            guard let name = name(head) else { throw malformed("A part has no name.") }
            guard let value = String(validating: bytes[start..<end], as: UTF8.self), !value.utf8.contains(0) else {
                throw Problem.badRequest(code: "malformed_form", detail: "The file is not UTF-8 text. Save it as UTF-8.")
            }
            fields.append((name, value))
            position = end + 2 + delimiter.count
        }
        guard starts(bytes, with: Array("--".utf8), at: position) else { throw malformed("It breaks off.") }
        return FormFields.of(fields)
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]
    private static let headBytesMax = 2_000

    private static func name(_ head: String) -> String? {
        guard let line = head.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            let found = line.firstMatch(of: #/;\s*name="([^"]*)"/#)
        else { return nil }
        return String(found.1)
    }

    private static func starts(_ bytes: [UInt8], with text: [UInt8], at position: Int) -> Bool {
        position + text.count <= bytes.count && bytes[position..<(position + text.count)].elementsEqual(text)
    }

    private static func find(_ text: [UInt8], in bytes: [UInt8], from start: Int, within limit: Int) -> Int? {
        guard let first = text.first else { return nil }
        var position = start
        while position < min(bytes.count, start + limit) {
            if bytes[position] == first, starts(bytes, with: text, at: position) { return position }
            position += 1
        }
        return nil
    }

    private static func malformed(_ why: String) -> Problem { .badRequest(code: "malformed_form", detail: "The form is malformed. \(why)") }
}
