public import HTTPTypes
public import Hummingbird

/// Which part of a list is asked for: `?limit=&startingAfter=`.
public struct PageRequest: Sendable, Equatable {
    public static let defaultLimit = 25
    public static let maximumLimit = 100
    static let maximumCursorLength = 200
    public let limit: Int
    /// The cursor of the last row of the page before; nil for the first page.
    public let startingAfter: String?

    public init(limit: Int = PageRequest.defaultLimit, startingAfter: String? = nil) {
        self.limit = min(max(limit, 1), Self.maximumLimit)
        self.startingAfter = startingAfter
    }

    /// - Throws: `Problem` 422 naming the parameter.
    public static func from(_ request: Request) throws -> PageRequest {
        let query = request.uri.queryParameters
        var errors: [FieldError] = []
        var limit = defaultLimit
        if let text = query["limit"] {
            if let value = Int(String(text)), (1...maximumLimit).contains(value), query[values: "limit"].count == 1 {
                limit = value
            } else {
                errors.append(FieldError(field: "limit", message: "Must be a whole number from 1 to \(maximumLimit)."))
            }
        }
        let cursor = query["startingAfter"].map(String.init)
        if let cursor, cursor.isEmpty || cursor.utf8.count > maximumCursorLength || cursor.utf8.contains(0) {
            errors.append(FieldError(field: "startingAfter", message: "Must be the nextCursor of the page before."))
        }
        if !errors.isEmpty { throw Problem.unprocessable(errors: errors) }
        return PageRequest(limit: limit, startingAfter: cursor)
    }
}

/// A part of a list and where the next part begins.
public struct Page<Row: Sendable>: Sendable {
    public let rows: [Row]
    /// For `startingAfter` of the next request; nil on the last page.
    public let nextCursor: String?

    /// - Parameters:
    ///   - rows: up to `limit + 1` rows: ask the database for one more than the page shows.
    ///   - cursor: the cursor of a row.
    public init(_ rows: [Row], request: PageRequest, cursor: (Row) -> String) {
        let hasMore = rows.count > request.limit
        self.rows = hasMore ? Array(rows.prefix(request.limit)) : rows
        nextCursor = hasMore ? self.rows.last.map(cursor) : nil
    }

    /// Writes `{data, hasMore, nextCursor}`.
    public func write(to writer: inout JSONWriter, _ row: (inout JSONWriter, Row) -> Void) {
        writer.object { writer in
            writer.array("data") { writer in for element in rows { row(&writer, element) } }
            writer.field("hasMore", nextCursor != nil)
            writer.field("nextCursor", nextCursor)
        }
    }
}

extension JSONWriter {
    /// The document as an answer.
    public func response(status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }
}
