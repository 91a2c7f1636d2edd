public import HTTPTypes

/// A failure as its caller shall see it: thrown by any handler, turned into `application/problem+json` or a page by one middleware.
public struct Problem: Error, Sendable, Equatable {
    public var status: HTTPResponse.Status
    /// A fixed word for programs, in snake case.
    public var code: String
    /// A short heading, the same for each occurrence of the code.
    public var title: String
    /// A sentence about this occurrence: what happened and what to do.
    public var detail: String
    /// Every wrong field of the input.
    public var errors: [FieldError]
    /// Headers of the answer, for instance `Retry-After`.
    public var headers: HTTPFields

    public init(
        status: HTTPResponse.Status, code: String, title: String? = nil, detail: String = "", errors: [FieldError] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.title = title ?? status.reasonPhrase
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }
}

/// One wrong field of an input.
public struct FieldError: Sendable, Equatable {
    /// The path of the field, for instance `items[2].sku`.
    public var field: String
    /// A sentence that says what is allowed.
    public var message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}

extension Problem {
    public static func badRequest(code: String = "bad_request", detail: String) -> Problem {
        Problem(status: .badRequest, code: code, detail: detail)
    }

    public static func unauthorized(detail: String) -> Problem {
        Problem(status: .unauthorized, code: "unauthorized", detail: detail, headers: [.wwwAuthenticate: "Bearer"])
    }

    public static func forbidden(code: String = "forbidden", detail: String) -> Problem {
        Problem(status: .forbidden, code: code, detail: detail)
    }

    public static func notFound(detail: String = "There is nothing at this address.") -> Problem {
        Problem(status: .notFound, code: "not_found", detail: detail)
    }

    public static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(status: .methodNotAllowed, code: "method_not_allowed", detail: "This address knows \(list).", headers: [.allow: list])
    }

    public static func conflict(code: String = "conflict", detail: String) -> Problem {
        Problem(status: .conflict, code: code, detail: detail)
    }

    /// The body is over its limit. The connection is closed after the answer.
    public static func contentTooLarge(maximumBytes: Int) -> Problem {
        Problem(
            status: .contentTooLarge, code: "content_too_large", detail: "The body may have at most \(maximumBytes) bytes.",
            headers: [.connection: "close"])
    }

    public static func unsupportedMediaType(expected: String) -> Problem {
        Problem(status: .unsupportedMediaType, code: "unsupported_media_type", detail: "The body must be \(expected).")
    }

    public static func unprocessable(
        code: String = "invalid_fields", detail: String = "Some fields are not acceptable.", errors: [FieldError] = []
    ) -> Problem {
        Problem(status: .unprocessableContent, code: code, detail: detail, errors: errors)
    }

    public static func tooManyRequests(retryAfterSeconds: Int) -> Problem {
        Problem(
            status: .tooManyRequests, code: "too_many_requests", detail: "Try again in \(retryAfterSeconds) seconds.",
            headers: [.retryAfter: String(retryAfterSeconds)])
    }

    public static func unavailable(code: String = "unavailable", detail: String, retryAfterSeconds: Int) -> Problem {
        Problem(
            status: .serviceUnavailable, code: code, detail: detail, headers: [.retryAfter: String(retryAfterSeconds)])
    }

    /// What a caller sees of an unexpected failure: nothing but the request id.
    public static var internalError: Problem {
        Problem(
            status: .internalServerError, code: "internal_error",
            detail: "Something went wrong here. The request id names it in the log.")
    }
}
