/// An amount with its unit. Amounts of different units never add up.
public struct UnitAmount: Hashable, Sendable {
    public let amount: Amount
    public let unit: UnitCode

    public init(_ amount: Amount, _ unit: UnitCode) {
        self.amount = amount
        self.unit = unit
    }

    /// Throws `.unitMismatch` for another unit, `.overflow` beyond Int64.
    public func adding(_ other: UnitAmount) throws(MoneyFailure) -> UnitAmount {
        guard unit == other.unit else { throw .unitMismatch(unit, other.unit) }
        return UnitAmount(try amount.adding(other.amount), unit)
    }

    /// Throws `.unitMismatch` for another unit, `.overflow` beyond Int64.
    public func subtracting(_ other: UnitAmount) throws(MoneyFailure) -> UnitAmount {
        guard unit == other.unit else { throw .unitMismatch(unit, other.unit) }
        return UnitAmount(try amount.subtracting(other.amount), unit)
    }

    /// Throws `.overflow` for the most negative amount.
    public func negated() throws(MoneyFailure) -> UnitAmount {
        UnitAmount(try amount.negated(), unit)
    }
}
