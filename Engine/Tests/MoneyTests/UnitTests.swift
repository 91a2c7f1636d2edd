import Money
import Testing

@Suite struct UnitTests {
    @Test(arguments: [
        ("EUR", 2, 978), ("JPY", 0, 392), ("KWD", 3, 414), ("CLF", 4, 990), ("UYW", 4, 927), ("ALL", 2, 8), ("USD", 2, 840),
    ])
    func knowsCurrencies(code: String, exponent: Int, number: Int) throws {
        let currency = try #require(Currency(code: code))
        #expect(currency.exponent == exponent)
        #expect(currency.number == number)
    }

    @Test(arguments: ["eur", "XAU", "XXX", "DEM", "EU", "EURO", "", "€", "XTS", "EUR "])
    func refusesOtherCurrencies(code: String) {
        #expect(Currency(code: code) == nil)
    }

    @Test func everyExponentIsOfTheFour() {
        #expect(Currency.all.allSatisfy { [0, 2, 3, 4].contains($0.exponent) })
        #expect(Currency.all == Currency.all.sorted())
    }

    @Test(arguments: ["EUR", "points", "credit:JPY", "beans", "beans_2", "a-b"])
    func readsUnits(code: String) throws {
        #expect(try UnitCode(code).code == code)
    }

    @Test(arguments: [
        "", "eur:", "credit:", "credit", "credit:eur", "credit:XXX", "Points", "2beans", "EURO", "points:EUR", "a b", "ä", "-a",
        "abcdefghijklmnopqrstuvwxyzabcdefg", "points\u{0}", "credit:credit:EUR",
    ])
    func refusesOtherUnits(code: String) {
        #expect(throws: MoneyFailure.malformed) { try UnitCode(code) }
    }

    @Test func unitsNeverMix() throws {
        let euro = try UnitCode("EUR")
        let money = UnitAmount(Amount(minor: 5), euro)
        let points = UnitAmount(Amount(minor: 5), .points)
        #expect(throws: MoneyFailure.unitMismatch(euro, .points)) { try money.adding(points) }
        #expect(throws: MoneyFailure.unitMismatch(euro, .points)) { try money.subtracting(points) }
        #expect(try money.adding(money).amount == Amount(minor: 10))
        #expect(try UnitCode("credit:JPY").exponent == 0)
        #expect(UnitCode.points.exponent == 0)
        #expect(euro.exponent == 2)
    }
}
