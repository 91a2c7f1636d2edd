/// A whole number of a unit's smallest part: cents for EUR, yen for JPY, points for points. Which unit, its owner knows;
/// `UnitAmount` carries it along. Every operation is exact or throws `.overflow`.
public struct Amount: Hashable, Comparable, Sendable {
    public let minor: Int64

    public static let zero = Amount(minor: 0)

    public init(minor: Int64) {
        self.minor = minor
    }

    public static func < (smaller: Amount, larger: Amount) -> Bool { smaller.minor < larger.minor }

    public func adding(_ other: Amount) throws(MoneyFailure) -> Amount {
        try Amount(checked: minor.addingReportingOverflow(other.minor))
    }

    public func subtracting(_ other: Amount) throws(MoneyFailure) -> Amount {
        try Amount(checked: minor.subtractingReportingOverflow(other.minor))
    }

    public func negated() throws(MoneyFailure) -> Amount {
        try Amount(checked: Int64(0).subtractingReportingOverflow(minor))
    }

    public func multiplied(by factor: Int64) throws(MoneyFailure) -> Amount {
        try Amount(checked: minor.multipliedReportingOverflow(by: factor))
    }

    /// The exact sum; an intermediate sum may leave Int64, only the result must fit.
    public static func sum(_ amounts: some Sequence<Amount>) throws(MoneyFailure) -> Amount {
        var total: Int128 = 0
        for amount in amounts { total += Int128(amount.minor) }
        guard let minor = Int64(exactly: total) else { throw .overflow }
        return Amount(minor: minor)
    }

    private init(checked: (partialValue: Int64, overflow: Bool)) throws(MoneyFailure) {
        guard !checked.overflow else { throw .overflow }
        minor = checked.partialValue
    }
}
