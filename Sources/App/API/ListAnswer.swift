import Hummingbird
import Web

/// Answers of reading calls.
enum ListAnswer {
    /// `{data, hasMore, nextCursor}` of rows, one more of which were fetched than are shown.
    static func response<Row: Sendable>(
        _ rows: [Row], _ request: PageRequest, cursor: (Row) -> String, json: (Row) -> JSONValue
    ) -> Response {
        let page = Page(rows, request: request, cursor: cursor)
        var writer = JSONWriter(reservedBytes: 4_096)
        page.write(to: &writer) { writer, row in writer.value(json(row)) }
        return writer.response()
    }

    static func one(_ value: JSONValue) -> Response {
        var writer = JSONWriter()
        writer.value(value)
        return writer.response()
    }
}
