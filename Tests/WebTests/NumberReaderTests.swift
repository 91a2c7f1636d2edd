import Testing
import Web

/// What people write into fields of numbers, in their language; what is no number is never read as one.
@Suite struct NumberReaderTests {
    @Test(arguments: [
        ("en", "1250.5", 2, "1250.5"), ("en", "1,250.50", 2, "1250.5"), ("en", "12,50", 2, "12.5"), ("en", "1,250", 2, "1250"), ("en", "0007", 0, "7"),
        ("en-IN", "12,34,567", 0, "1234567"), ("en", "1,234,567.89", 2, "1234567.89"), ("de", "1.250,50", 2, "1250.5"), ("de", "12.50", 2, "12.5"),
        ("de", "1.250", 2, "1250"), ("fr", "1 250,5", 2, "1250.5"), ("de-CH", "1'250.50", 2, "1250.5"), ("ar-EG", "١٢٥٠", 0, "1250"),
        ("en", "0", 2, "0"), ("en", "0.00", 2, "0"), ("en-XA", "12.50", 2, "12.5"),
    ]) func numbersAreRead(_ locale: String, _ text: String, _ decimals: Int, _ plain: String) {
        #expect(NumberReader(locale: locale).decimalText(text, fractionDigitsMax: decimals) == plain)
    }

    @Test(arguments: [
        ("en", "1e1", 2), ("en", "1e9", 2), ("en", "-10", 2), ("en", "+10", 2), ("en", "9999-12-31", 2), ("en", "<script>1</script>", 2), ("en", "1.2.3", 2),
        ("en", "12.505", 2), ("en", "1.5", 0), ("en", "1,23,456", 2), ("en", "12,3456", 2), ("en", ",5", 2), ("en", ".5", 2), ("en", "5.", 2), ("en", "", 2),
        ("en", "١٢", 2), ("de", "١٢", 2), ("en", "0x10", 2), ("en", "1 250", 2), ("en", "1'250", 2), ("en", "NaN", 2), ("en", "1.250,50", 2),
        ("de", "1,250.50", 2), ("en", "12 €", 2), ("en", "１２", 2), ("en", "½", 2), ("en", "1_000", 2),
        // What is one number here and another to the neighbour is refused where both would fit.
        ("en", "1,250", 3), ("de", "1.250", 7),
    ]) func whatIsNoNumberIsRefused(_ locale: String, _ text: String, _ decimals: Int) {
        #expect(NumberReader(locale: locale).decimalText(text, fractionDigitsMax: decimals) == nil)
    }

    @Test(arguments: ["en", "de", "fr", "de-CH", "en-IN", "ar-EG", "pl", "es", "sv", "hi"]) func whatIsWrittenIsReadAgain(_ locale: String) {
        let numbers = NumberReader(locale: locale)
        for plain in ["0", "7", "12.5", "1250.75", "1234567", "2.125", "0.0000001"] {
            #expect(numbers.decimalText(numbers.written(plain), fractionDigitsMax: 7) == plain, "\(locale) \(numbers.written(plain))")
        }
    }
}
