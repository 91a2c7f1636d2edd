/// A value as a database stores it. There are no decimals: money, rates and instants travel as integers or text.
public enum Value: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    /// Statistics only, never money.
    case real(Double)
}

/// What can stand in a statement as a bound parameter.
public protocol Bindable: Sendable {
    var databaseValue: Value { get }
}

/// What can be read from a column. Throws `DatabaseFailure` of kind `.mismatch` when the column holds something else.
public protocol Readable: Sendable {
    init(databaseValue: Value) throws
}

extension Value: Bindable, Readable {
    public var databaseValue: Value { self }
    public init(databaseValue: Value) { self = databaseValue }
}

extension Int64: Bindable, Readable {
    public var databaseValue: Value { .integer(self) }
    public init(databaseValue: Value) throws {
        guard case .integer(let number) = databaseValue else { throw DatabaseFailure.mismatch("integer", databaseValue) }
        self = number
    }
}

extension Int: Bindable, Readable {
    public var databaseValue: Value { .integer(Int64(self)) }
    public init(databaseValue: Value) throws { self = Int(try Int64(databaseValue: databaseValue)) }
}

extension Bool: Bindable, Readable {
    public var databaseValue: Value { .integer(self ? 1 : 0) }
    public init(databaseValue: Value) throws { self = try Int64(databaseValue: databaseValue) != 0 }
}

extension Double: Bindable, Readable {
    public var databaseValue: Value { .real(self) }
    public init(databaseValue: Value) throws {
        switch databaseValue {
        case .real(let number): self = number
        case .integer(let number): self = Double(number)
        default: throw DatabaseFailure.mismatch("real", databaseValue)
        }
    }
}

extension String: Bindable, Readable {
    public var databaseValue: Value { .text(self) }
    public init(databaseValue: Value) throws {
        guard case .text(let text) = databaseValue else { throw DatabaseFailure.mismatch("text", databaseValue) }
        self = text
    }
}

extension Array: Bindable where Element == UInt8 {
    public var databaseValue: Value { .blob(self) }
}

extension Array: Readable where Element == UInt8 {
    public init(databaseValue: Value) throws {
        guard case .blob(let bytes) = databaseValue else { throw DatabaseFailure.mismatch("blob", databaseValue) }
        self = bytes
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    public var databaseValue: Value { self?.databaseValue ?? .null }
}

extension Optional: Readable where Wrapped: Readable {
    public init(databaseValue: Value) throws {
        self = databaseValue == .null ? nil : try Wrapped(databaseValue: databaseValue)
    }
}
