import Foundation
import Hummingbird
import Web

/// The query of a call's address: only the parameters that the call has, each once, each readable. A misspelt filter that was passed over
/// would show everything.
enum QueryCheck {
    /// Characters of a refused name that are said back.
    private static let namedLengthMax = 100

    /// - Throws: `Problem` 422 naming each parameter that is wrong.
    static func check(_ request: Request, _ parameters: [APIParameter]) throws {
        var errors: [FieldError] = []
        var seen: Set<String> = []
        for part in (request.uri.query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let raw = String(pair[0])
            guard let name = readable(raw), parameters.contains(where: { $0.name == name }) else {
                let names = parameters.map(\.name).joined(separator: ", ")
                errors.append(
                    FieldError(
                        field: String((readable(raw) ?? raw).prefix(namedLengthMax)),
                        message: names.isEmpty ? "Is no parameter: this call has none." : "Is no parameter of this call; it has \(names)."))
                continue
            }
            if !seen.insert(name).inserted { errors.append(FieldError(field: name, message: "Stands there more than once.")) }
            if readable(pair.count > 1 ? String(pair[1]) : "") == nil {
                errors.append(FieldError(field: name, message: "Must be UTF-8, percent-encoded, without NUL."))
            }
        }
        for parameter in parameters where parameter.isRequired && !seen.contains(parameter.name) {
            errors.append(FieldError(field: parameter.name, message: "Is required."))
        }
        if !errors.isEmpty { throw Problem.unprocessable(errors: errors) }
    }

    private static func readable(_ text: String) -> String? {
        guard let decoded = text.removingPercentEncoding, !decoded.utf8.contains(0) else { return nil }
        return decoded
    }
}

extension PageRequest {
    /// A page of a list whose cursors are ids of one kind.
    static func from<Kind: Identified>(_ request: Request, _ kind: Kind.Type) throws -> PageRequest {
        let page = try from(request)
        if let cursor = page.startingAfter, Identifier<Kind>(cursor) == nil { throw badCursor() }
        return page
    }

    static func badCursor() -> Problem { Refusal.field("startingAfter", "Must be the nextCursor of the page before.") }
}
