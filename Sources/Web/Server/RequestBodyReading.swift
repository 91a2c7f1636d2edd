import HTTPTypes
public import Hummingbird
public import NIOCore

extension Request {
    /// The whole body.
    /// - Throws: `Problem` 413 when it is larger, already for its announced length, and 400 when the client broke off before its end;
    ///   the connection is closed after the answer.
    public func bodyBytes(maximumBytes: Int) async throws -> ByteBuffer {
        let announced = headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > maximumBytes { throw Problem.contentTooLarge(maximumBytes: maximumBytes) }
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(upTo: maximumBytes)
        } catch is NIOTooManyBytesError {
            throw Problem.contentTooLarge(maximumBytes: maximumBytes)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Problem.incompleteBody
        }
        // Hummingbird takes the end of the connection for the end of the body.
        if let announced, bytes.readableBytes < announced { throw Problem.incompleteBody }
        return bytes
    }

    /// The fields of a JSON body.
    /// - Throws: `Problem` 413, 415 when the body is of another type, 400 for malformed JSON, 422 when it is no object.
    public func json(maximumBytes: Int = BodyLimit.apiBytes) async throws -> JSONReader {
        try requireContentType("application/json")
        return try JSONReader(try await bodyBytes(maximumBytes: maximumBytes), maximumBytes: maximumBytes)
    }

    /// The fields of a form, as browsers send them with a file or without.
    /// - Throws: `Problem` 413, 415 when the body is of another type, 400 for malformed forms.
    public func form(maximumBytes: Int = BodyLimit.formBytes) async throws -> FormFields {
        if let boundary = multipartBoundary {
            return try FormFields.parse(try await bodyBytes(maximumBytes: maximumBytes), boundary: boundary)
        }
        try requireContentType("application/x-www-form-urlencoded")
        return try FormFields.parse(try await bodyBytes(maximumBytes: maximumBytes))
    }

    private var multipartBoundary: String? {
        let parts = (headers[.contentType] ?? "").split(separator: ";").map { $0.trimmingASCIISpace() }
        guard parts.first?.lowercased() == "multipart/form-data" else { return nil }
        return parts.dropFirst().first { $0.lowercased().hasPrefix("boundary=") }.map { $0.dropFirst("boundary=".count).filter { $0 != "\"" } }
    }

    /// - Throws: `Problem` 415 when the body isn't of this media type, or in other characters than UTF-8.
    public func requireContentType(_ expected: String) throws {
        let parts = (headers[.contentType] ?? "").split(separator: ";").map { $0.trimmingASCIISpace().lowercased() }
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }?.dropFirst("charset=".count).filter { $0 != "\"" }
        guard parts.first == expected, charset.map({ ["utf-8", "utf8", "us-ascii"].contains($0) }) ?? true else {
            throw Problem.unsupportedMediaType(expected: expected)
        }
    }
}

extension Problem {
    static var incompleteBody: Problem {
        Problem(
            status: .badRequest, code: "incomplete_body", detail: "The body ended before it was complete.", headers: [.connection: "close"])
    }
}

extension StringProtocol {
    /// The text without spaces and tabs at both ends.
    func trimmingASCIISpace() -> String {
        var bytes = Array(utf8)[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
