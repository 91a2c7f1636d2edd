public import HTTPTypes
public import Hummingbird
import NIOCore

extension HTTPField.Name {
    /// Names a request in answers and in the log.
    public static let requestId = HTTPField.Name(ascii: "X-Request-Id")

    /// A name that is known to be a valid token.
    /// A name written in the program.
    public init(ascii name: StaticString) { self = HTTPField.Name(name.description) ?? .server }
}

/// Without the middleware a problem still answers as `application/problem+json`.
extension Problem: HTTPResponseError {
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        response(requestId: context.id)
    }

    /// The problem as an answer to a program.
    public func response(requestId: String) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "/problems/\(code)")
            writer.field("title", title)
            writer.field("status", status.code)
            writer.field("detail", detail)
            writer.field("code", code)
            writer.array("errors") { writer in
                for error in errors {
                    writer.object {
                        $0.field("field", error.field)
                        $0.field("message", error.message)
                    }
                }
            }
            writer.field("requestId", requestId)
        }
        var headers = self.headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: writer.buffer))
    }
}
