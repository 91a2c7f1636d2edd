public import Chronology
public import Persistence

/// Instants are stored as whole milliseconds since 1970.
extension Instant: Bindable, Readable {
    public var databaseValue: Value { .integer(millisecondsSince1970) }
    public init(databaseValue: Value) throws { self.init(millisecondsSince1970: try Int64(databaseValue: databaseValue)) }
}
