/// A typed value that a rule compares with.
public enum ConditionValue: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case bool(Bool)
    case list([ConditionScalar])

    /// The longest text in a condition, in UTF-8 bytes.
    public static let longestTextBytes = 1_000
    /// The most values in a list.
    public static let listLimit = 1_000
}

/// A single value: an element of a list.
public enum ConditionScalar: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case bool(Bool)
}

/// What a sale has in a field.
public enum FactValue: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case bool(Bool)
    /// A field with a value for each item, such as `sku`.
    case texts([String])
}
