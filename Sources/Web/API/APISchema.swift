/// The shape of a JSON value, as far as the API's description (JSON Schema 2020-12) needs it.
public indirect enum APISchema: Sendable, Equatable {
    case object([APIField])
    /// Texts or other values under free names.
    case map(APISchema)
    case array(APISchema, maximumCount: Int? = nil)
    case string(format: String? = nil, pattern: String? = nil, maximumLength: Int? = nil)
    case integer(ClosedRange<Int64>? = nil)
    /// Only for answers: money and rates are integers or decimal texts.
    case number
    case boolean
    case enumeration([String])
    case oneOf([APISchema])
    /// A named schema of the document's components.
    case reference(String)
    case nullable(APISchema)
    case any
    /// A schema with words for people and an example.
    case described(APISchema, description: String, example: JSONValue? = nil)

    public static let text = APISchema.string()
    /// RFC 3339 in UTC.
    public static let dateTime = APISchema.string(format: "date-time")
    public static let date = APISchema.string(format: "date")
    public static let email = APISchema.string(format: "email", maximumLength: 254)
    public static let url = APISchema.string(format: "uri", maximumLength: 2048)

    /// `{data, hasMore, nextCursor}` of a row's schema.
    public static func page(_ row: APISchema) -> APISchema {
        .object([.required("data", .array(row)), .required("hasMore", .boolean), .required("nextCursor", .nullable(.text))])
    }

    /// The JSON Schema. Depth is that of the program's own nesting.
    public var json: JSONValue {
        switch self {
        case .object(let fields):
            return .object(
                [
                    JSONMember("type", "object"),
                    JSONMember("properties", .object(fields.map { JSONMember($0.name, $0.schema.json) })),
                    JSONMember("required", .array(fields.filter(\.isRequired).map { .text($0.name) })),
                    JSONMember("additionalProperties", false),
                ])
        case .map(let value): return ["type": "object", "additionalProperties": value.json]
        case .array(let element, let maximumCount):
            return members([("type", "array"), ("items", element.json), ("maxItems", maximumCount.map { .integer(Int64($0)) })])
        case .string(let format, let pattern, let maximumLength):
            return members([
                ("type", "string"), ("format", format.map { .text($0) }), ("pattern", pattern.map { .text($0) }),
                ("maxLength", maximumLength.map { .integer(Int64($0)) }),
            ])
        case .integer(let range):
            return members([
                ("type", "integer"), ("format", "int64"), ("minimum", range.map { .integer($0.lowerBound) }),
                ("maximum", range.map { .integer($0.upperBound) }),
            ])
        case .number: return ["type": "number"]
        case .boolean: return ["type": "boolean"]
        case .enumeration(let values): return ["type": "string", "enum": .array(values.map { .text($0) })]
        case .oneOf(let schemas): return ["oneOf": .array(schemas.map(\.json))]
        case .reference(let name): return ["$ref": "#/components/schemas/\(name)"]
        case .nullable(let schema): return ["anyOf": [schema.json, ["type": "null"]]]
        case .any: return [:]
        case .described(let schema, let description, let example):
            guard case .object(var all) = schema.json else { return schema.json }
            all.append(JSONMember("description", .text(description)))
            if let example { all.append(JSONMember("examples", [example])) }
            return .object(all)
        }
    }

    private func members(_ all: [(String, JSONValue?)]) -> JSONValue {
        .object(all.compactMap { name, value in value.map { JSONMember(name, $0) } })
    }
}

/// A member of an object in the API.
public struct APIField: Sendable, Equatable {
    public let name: String
    public let schema: APISchema
    public let isRequired: Bool

    public static func required(_ name: String, _ schema: APISchema) -> APIField { APIField(name: name, schema: schema, isRequired: true) }
    public static func optional(_ name: String, _ schema: APISchema) -> APIField { APIField(name: name, schema: schema, isRequired: false) }
}
