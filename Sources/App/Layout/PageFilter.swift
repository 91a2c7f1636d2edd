import Web

/// Filters of a page's address. One that is there and cannot be read finds nothing: a page that showed everything then would mislead.
extension FormFields {
    /// Nil when the filter is not there, or empty as forms send it.
    func id<Kind: Identified>(_ name: String, _ kind: Kind.Type) throws -> Identifier<Kind>? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let id = Identifier<Kind>(text) else { throw Problem.notFound() }
        return id
    }

    func word<Choice: RawRepresentable>(_ name: String, _ type: Choice.Type) throws -> Choice? where Choice.RawValue == String {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let choice = Choice(rawValue: text) else { throw Problem.notFound() }
        return choice
    }
}
