import Chronology
import Hummingbird
import Persistence
import Web

/// Values of an address's query, checked like fields of a body.
enum Query {
    static func id<Kind>(_ name: String, _ kind: Kind.Type, in request: Request) throws -> Identifier<Kind>? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let id = Identifier<Kind>(String(text)) else { throw Refusal.field(name, "Must be an id (\(Kind.prefix)…).") }
        return id
    }

    /// A member by Kith's id, or by the company's own (`ext:…`).
    static func member(_ name: String, in request: Request, _ caller: Caller, _ installation: Installation) async throws -> MemberID? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let reference = MemberReference(String(text)) else { throw Refusal.field(name, MemberReference.allowed) }
        if case .id(let id) = reference { return id }
        let found = try await installation.main.read { connection in
            try MemberStore.find(reference, in: caller.workspaceID, vault: installation.vault, on: connection)
        }
        guard let found else { throw Refusal.unknown("member", field: name) }
        return found.id
    }

    static func integer(_ name: String, in range: ClosedRange<Int>, standard: Int, _ request: Request) throws -> Int {
        guard let text = request.uri.queryParameters[Substring(name)] else { return standard }
        guard let value = Int(String(text)), range.contains(value) else {
            throw Refusal.field(name, "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    /// An id of the company's own, such as an invoice's.
    static func externalID(_ name: String, in request: Request) throws -> String? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let id = Normalised.externalID(String(text)) else {
            throw Refusal.field(name, "Must be a text of 1 to \(Normalised.externalIDLengthMax) characters without control characters.")
        }
        return id
    }

    static func instant(_ name: String, in request: Request) throws -> Instant? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let instant = try? Instant(rfc3339: String(text)) else { throw Refusal.field(name, "Must be a time (RFC 3339).") }
        return instant
    }

    static func word<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type, in request: Request) throws -> Choice?
    where Choice.RawValue == String {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let choice = Choice(rawValue: String(text)) else {
            throw Refusal.field(name, "Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return choice
    }
}
