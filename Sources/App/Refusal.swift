import Chronology
import HTTPTypes
import Money
import Persistence
import Rules
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

    /// What a failed write means for its caller: a refusal that the same request will meet again, or nil when it is a failure of ours.
    static func of(_ error: any Error) -> Problem? {
        switch error {
        case let problem as Problem: problem.status.code < 500 ? problem : nil
        case is MoneyFailure, is Reversal.Failure:
            .unprocessable(code: "amount_out_of_range", detail: "The amounts are too large to be reckoned with. Nothing was written.")
        case is ChronologyFailure:
            .unprocessable(code: "time_out_of_range", detail: "A time lies outside of the years 1970 to 9999. Nothing was written.")
        case let failure as DatabaseFailure where failure.kind == .unique:
            .conflict(
                code: "already_exists",
                detail: "Something with the same \((failure.columns).joined(separator: ", ")) is there already. Nothing was written.")
        default: nil
        }
    }
}

extension JSONText {
    init(_ value: JSONValue) { text = String(decoding: value.bytes, as: UTF8.self) }
}
