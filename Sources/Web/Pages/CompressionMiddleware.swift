import HTTPTypes
public import Hummingbird
import NIOCore

/// Compresses HTML, CSS, JavaScript and JSON answers of more than 1 KB with gzip, for clients that accept it.
public struct CompressionMiddleware<Context: RequestContext>: RouterMiddleware {
    private static var minimumBytes: Int { 1024 }

    public init() {}

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard isCompressible(response) else { return response }
        response.headers[.vary] = [response.headers[.vary], "Accept-Encoding"].compactMap(\.self).joined(separator: ", ")
        guard AcceptEncoding.allowsGzip(request.headers) else { return response }
        let body = response.body
        response.body = ResponseBody { writer in
            // The framework lends the writer for the time of this closure; it is used up by the body.
            try await body.write(GzipWriter(parent: writer))
        }
        response.headers[.contentEncoding] = "gzip"
        response.headers[.contentLength] = nil
        if let tag = response.headers[.eTag], !tag.hasPrefix("W/") { response.headers[.eTag] = "W/" + tag }
        return response
    }

    private func isCompressible(_ response: Response) -> Bool {
        guard response.headers[.contentEncoding] == nil, response.status != .noContent, response.status != .notModified else { return false }
        if let length = response.body.contentLength, length <= Self.minimumBytes { return false }
        let type = response.headers[.contentType] ?? ""
        return ["text/html", "text/css", "text/javascript", "application/json", "application/problem+json", "image/svg+xml", "text/csv"]
            .contains { type.hasPrefix($0) }
    }
}

/// Whether a client takes gzip.
enum AcceptEncoding {
    static func allowsGzip(_ headers: HTTPFields) -> Bool {
        for entry in headers[values: .acceptEncoding].flatMap({ $0.split(separator: ",") }) {
            let parts = entry.split(separator: ";").map { $0.trimmingASCIISpace().lowercased() }
            guard let name = parts.first, name == "gzip" || name == "*" else { continue }
            return !parts.dropFirst().contains { $0 == "q=0" || $0 == "q=0.0" || $0 == "q=0.00" || $0 == "q=0.000" }
        }
        return false
    }
}

/// Compresses what is written and hands it on.
private struct GzipWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    private let gzip = Gzip()

    init(parent: any ResponseBodyWriter) { self.parent = parent }

    mutating func write(_ buffer: ByteBuffer) async throws {
        guard let gzip else { throw Problem.internalError }
        let bytes = gzip.add(Array(buffer.readableBytesView), isLast: false)
        if !bytes.isEmpty { try await parent.write(ByteBuffer(bytes: bytes)) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        guard let gzip else { throw Problem.internalError }
        var parent = parent
        try await parent.write(ByteBuffer(bytes: gzip.add([], isLast: true)))
        try await parent.finish(trailingHeaders)
    }
}
