/// Why a time could not be made.
public enum ChronologyFailure: Error, Hashable, Sendable {
    /// The result does not fit Int64 milliseconds.
    case overflow
    /// The text is not a date or time of the form asked for.
    case malformed
    /// A well-formed date that does not exist (30 February), a leap second, or a year outside the range.
    case outOfRange
}
