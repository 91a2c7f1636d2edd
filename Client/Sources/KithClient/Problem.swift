/// Why a call did not succeed.
public enum KithError: Error, Sendable, Equatable {
    /// The server answered that it will not, and why.
    case refused(Problem)
    /// No answer came, after all tries. Whether the server did what was asked is not known: ask again with the same idempotency key.
    case unreachable(reason: String, tries: Int)
    /// An answer came that this client can't read. The call may have been done.
    case unreadable(status: Int, reason: String)
    /// The call can't be made like this; nothing was sent.
    case invalid(reason: String)
    /// The task was cancelled. Whether the server did what was asked is not known.
    case cancelled

    /// What the server answered, where it did.
    public var problem: Problem? {
        if case .refused(let problem) = self { problem } else { nil }
    }
}

/// A refusal of the server, as `application/problem+json`.
public struct Problem: Error, Sendable, Equatable {
    /// What a program can do about a problem.
    public enum Kind: Sendable, Equatable {
        /// The key is wrong or was revoked.
        case unauthorized
        /// The key has not the right.
        case forbidden
        case notFound
        /// It contradicts what is there, for instance another sale with this invoice.
        case conflict
        /// Fields are wrong: see ``Problem/errors``.
        case invalid
        /// Too many calls: wait ``Problem/retryAfterSeconds``.
        case limited
        /// The server can't at the moment.
        case unavailable
        case other
    }

    /// The status of the answer.
    public var status: Int
    /// A fixed word for programs, in snake case.
    public var code: String
    /// A short heading.
    public var title: String
    /// A sentence about this occurrence.
    public var detail: String
    /// Every wrong field of the body.
    public var errors: [FieldProblem]
    /// What to tell whoever runs the server; nil when a proxy answered in its place.
    public var requestID: String?
    /// How long the server asks to wait.
    public var retryAfterSeconds: Int?

    /// Of answers that are no problem of Kith's: a proxy's page, for instance.
    static let unknownCode = "unknown"

    public var kind: Kind {
        switch status {
        case 401: .unauthorized
        case 403: .forbidden
        case 404, 410: .notFound
        case 409: .conflict
        case 400, 413, 415, 422: .invalid
        case 429: .limited
        case 500...599: .unavailable
        default: .other
        }
    }

    /// The same call may succeed later.
    public var isWorthAnotherTry: Bool {
        switch status {
        case 408, 429, 500, 502, 503, 504: true
        // The first of two equal calls is still going.
        case 409: code == "idempotency_key_in_use"
        default: false
        }
    }
}

/// One wrong field.
public struct FieldProblem: Sendable, Equatable, Codable {
    /// The path of the field, for instance `items[2].sku`.
    public var field: String
    /// A sentence that says what is allowed.
    public var message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}

extension Problem: Codable {
    private enum CodingKeys: String, CodingKey {
        case status, code, title, detail, errors
        case requestID = "requestId"
        case retryAfterSeconds
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        status = try container.decode(Int.self, forKey: .status)
        code = try container.decodeIfPresent(String.self, forKey: .code) ?? Self.unknownCode
        title = try container.decodeIfPresent(String.self, forKey: .title) ?? ""
        detail = try container.decodeIfPresent(String.self, forKey: .detail) ?? ""
        errors = try container.decodeIfPresent([FieldProblem].self, forKey: .errors) ?? []
        requestID = try container.decodeIfPresent(String.self, forKey: .requestID)
        retryAfterSeconds = try container.decodeIfPresent(Int.self, forKey: .retryAfterSeconds)
    }
}
