/// Why an exact result could not be given. Nothing is ever rounded or wrapped to avoid one.
public enum MoneyFailure: Error, Hashable, Sendable {
    /// The result does not fit Int64.
    case overflow
    /// A division by zero, such as a proportion of a whole of 0.
    case divisionByZero
    /// Two amounts of different units met.
    case unitMismatch(UnitCode, UnitCode)
    /// An allocation without any positive weight has nobody to give to.
    case noWeight
    /// A weight below zero.
    case negativeWeight
    /// More weights than `Allocation.weightsLimit`.
    case tooManyWeights
    /// The text is not an amount, rate, currency or unit.
    case malformed
    /// A number outside its documented range.
    case outOfRange
}
