import Money
import Testing

@Suite struct AmountTests {
    private let most = Amount(minor: .max)
    private let least = Amount(minor: .min)
    private let one = Amount(minor: 1)

    @Test func refusesEveryOverflow() throws {
        #expect(throws: MoneyFailure.overflow) { try most.adding(one) }
        #expect(throws: MoneyFailure.overflow) { try least.subtracting(one) }
        #expect(throws: MoneyFailure.overflow) { try least.negated() }
        #expect(throws: MoneyFailure.overflow) { try least.multiplied(by: -1) }
        #expect(throws: MoneyFailure.overflow) { try most.multiplied(by: 2) }
        #expect(throws: MoneyFailure.overflow) { try Amount.sum([most, one]) }
        #expect(try Amount.sum([most, one, least]) == .zero)
        #expect(try Amount.sum([]) == .zero)
        #expect(try most.negated().subtracting(one) == least)
        #expect(try most.adding(least) == Amount(minor: -1))
    }

    @Test(arguments: [
        (1_250, 2, "12.50"), (5, 2, "0.05"), (-5, 2, "-0.05"), (0, 2, "0.00"), (7, 0, "7"), (1_234, 3, "1.234"), (-12_345, 4, "-1.2345"),
        (Int64.min, 2, "-92233720368547758.08"), (Int64.max, 4, "922337203685477.5807"),
    ] as [(Int64, Int, String)])
    func writesAndReadsDecimalText(minor: Int64, exponent: Int, text: String) throws {
        #expect(Amount(minor: minor).decimalText(exponent: exponent) == text)
        #expect(try Amount(decimalText: text, exponent: exponent) == Amount(minor: minor))
    }

    @Test(arguments: ["", "-", ".5", "5.", "1.234", "1e2", "+1", "01", "1,5", "--1", "1.2.3", " 1", "٣", "1.2x", "NaN"])
    func refusesOtherDecimalText(text: String) {
        #expect(throws: MoneyFailure.malformed) { try Amount(decimalText: text, exponent: 2) }
    }

    @Test func readsFewerDigitsAndRefusesTooMuch() throws {
        #expect(try Amount(decimalText: "12", exponent: 2) == Amount(minor: 1_200))
        #expect(try Amount(decimalText: "12.5", exponent: 2) == Amount(minor: 1_250))
        #expect(throws: MoneyFailure.overflow) { try Amount(decimalText: "92233720368547758.08", exponent: 2) }
        #expect(throws: MoneyFailure.malformed) {
            try Amount(decimalText: String(repeating: "9", count: 40), exponent: 2)
        }
    }
}
