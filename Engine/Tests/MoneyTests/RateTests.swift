import Money
import SeededRandom
import Testing

@Suite struct RateTests {
    @Test(arguments: [
        ("0.10", "0.1", "10"), ("0", "0", "0"), ("1", "1", "100"), ("0.015", "0.015", "1.5"), ("1000", "1000", "100000"),
        ("1000.000", "1000", "100000"), ("0.000000001", "0.000000001", "0.0000001"), ("12.5", "12.5", "1250"),
    ])
    func readsAndWrites(text: String, canonical: String, percent: String) throws {
        let rate = try Rate(text)
        #expect(rate.text == canonical)
        #expect(rate.percentText == percent)
        #expect(try Rate(rate.text) == rate)
    }

    @Test(arguments: [
        "", ".", ".1", "1.", "01", "-0.1", "+0.1", "1e-1", "0,1", "0.1 ", "0.1%", "0.0000000001", "٠.١", "0x1", "inf", "1.0.0",
        "0.100000000000000000000000000000000000",
    ])
    func refusesOtherText(text: String) {
        #expect(throws: MoneyFailure.malformed) { try Rate(text) }
    }

    @Test func refusesWhatIsTooMuch() throws {
        #expect(throws: MoneyFailure.outOfRange) { try Rate("1000.000000001") }
        #expect(throws: MoneyFailure.outOfRange) { try Rate("99999999999999999999") }
        #expect(throws: MoneyFailure.outOfRange) { try Rate(billionths: -1) }
        #expect(throws: MoneyFailure.overflow) { try Rate("2").applied(to: Amount(minor: .max)) }
        #expect(try Rate("1").applied(to: Amount(minor: .min)) == Amount(minor: .min))
        #expect(try Rate("1").applied(to: Amount(minor: .max)) == Amount(minor: .max))
        #expect(try Rate("0").applied(to: Amount(minor: .min)) == .zero)
    }

    @Test(arguments: [
        ("0.5", 1, 0), ("0.5", 3, 2), ("0.5", 5, 2), ("0.5", -1, 0), ("0.5", -3, -2), ("0.1", 8_600, 860), ("0.015", 8_600, 129),
        ("0.1", 25, 2), ("0.1", 35, 4), ("0.1", 26, 3), ("0.333333333", 3, 1),
    ] as [(String, Int64, Int64)])
    func roundsHalfToEven(rate: String, minor: Int64, expected: Int64) throws {
        #expect(try Rate(rate).applied(to: Amount(minor: minor)) == Amount(minor: expected))
    }

    @Test func halfEvenAgreesWithItsDefinition() throws {
        let seed: UInt64 = 3
        var random = SplitMix64(seed: seed)
        for _ in 0..<20_000 {
            let numerator = Int128(Int64.random(in: -2_000...2_000, using: &random))
            var denominator = Int128(Int64.random(in: -60...60, using: &random))
            if denominator == 0 { denominator = 1 }
            let result = Int128(try Rounding.halfEven(numerator, over: denominator))
            // |2(n − rd)| ≤ |d|, and equality only where r is even.
            let twice = (2 * (numerator - result * denominator)).magnitude
            #expect(
                twice < denominator.magnitude || (twice == denominator.magnitude && result % 2 == 0),
                "seed \(seed): \(numerator)/\(denominator) gave \(result)")
        }
    }

    @Test func halfEvenHoldsAtTheEnds() throws {
        #expect(throws: MoneyFailure.divisionByZero) { try Rounding.halfEven(1, over: 0) }
        #expect(throws: MoneyFailure.overflow) { try Rounding.halfEven(Int128.max, over: 1) }
        #expect(throws: MoneyFailure.overflow) { try Rounding.halfEven(Int128.min, over: 1) }
        #expect(throws: MoneyFailure.overflow) { try Rounding.halfEven(Int128.min, over: -1) }
        #expect(throws: MoneyFailure.overflow) { try Rounding.halfEven(Int128(Int64.max) + 1, over: 1) }
        #expect(try Rounding.halfEven(Int128(Int64.min), over: 1) == .min)
        #expect(try Rounding.halfEven(Int128.min, over: Int128.min) == 1)
        #expect(try Rounding.halfEven(Int128.max, over: Int128.min) == -1)
        #expect(try Rounding.halfEven(1, over: Int128.max) == 0)
    }
}
