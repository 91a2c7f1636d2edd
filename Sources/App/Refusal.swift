import Web

/// The refusals that several features share, in one voice.
enum Refusal {
    static func field(_ field: String, _ message: String, code: String = "invalid_fields") -> Problem {
        .unprocessable(code: code, detail: "\(field): \(message)", errors: [FieldError(field: field, message: message)])
    }

    static func unknown(_ what: String, field: String? = nil) -> Problem {
        if let field { return Refusal.field(field, "There is no such \(what) in this workspace.", code: "unknown_\(what)") }
        return .notFound(detail: "There is no such \(what) in this workspace.")
    }

    static func unknownProgram() -> Problem { unknown("program") }
}

extension JSONText {
    init(_ value: JSONValue) { text = String(decoding: value.bytes, as: UTF8.self) }
}
