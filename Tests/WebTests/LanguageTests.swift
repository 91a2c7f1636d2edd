import Testing

@testable import Web

@Suite struct LanguageTests {
    private static let counters = TextAudience(name: "counters", ["shop.count"])
    private static let readers = TextAudience(name: "readers", ["shop.title", "shop.count"])
    private let catalogue: MessageCatalogue

    init() throws {
        catalogue = try MessageCatalogue([
            (
                "en",
                Array(#"{"shop.title":"Shop","shop.title.sub":"{name}’s <b>shop</b>","shop.count":{"one":"{count} sale","other":"{count} sales"},"relativeDay.yesterday":"yesterday","relativeDay.daysAgo":{"one":"{count} day ago","other":"{count} days ago"}}"#.utf8)
            ),
            ("de", Array(#"{"shop.title":"Laden","shop.count":{"one":"{count} Verkauf","other":"{count} Verkäufe"}}"#.utf8)),
            ("ar", Array(#"{"shop.count":{"zero":"لا","one":"واحد","two":"اثنان","few":"{count} قليل","many":"{count} كثير","other":"{count}"}}"#.utf8)),
            ("zh-Hans", Array(#"{"@origin":"machine","shop.count":{"other":"{count} 笔"}}"#.utf8)),
        ], audiences: [Self.counters, Self.readers])
    }

    @Test func findsTexts() {
        let german = catalogue.messages(for: "de-AT", audience: Self.readers)
        #expect(german("shop.title") == "Laden")
        #expect(german.plural("shop.count", count: 1) == "1 Verkauf")
        #expect(german.plural("shop.count", count: 1234) == "1\u{A0}234 Verkäufe" || german.plural("shop.count", count: 1234) == "1.234 Verkäufe")
        #expect(german("shop.title.sub", ["name": "{count}"]) == "{count}’s <b>shop</b>")
        #expect(german("no.such") == "no.such")
        #expect(catalogue.messages(for: "xx")("shop.title") == "Shop")
        #expect(german.texts(prefix: "shop")["title_sub"] == "{name}’s <b>shop</b>" && german.texts(prefix: "shop")["title"] == "Laden")
        #expect(catalogue.messages(for: "de")("shop.title") == "Shop", "German lacks some of the rest")
        #expect(catalogue.messages(for: "en").relativeDay(days: -1) == "yesterday")
        #expect(catalogue.messages(for: "en").relativeDay(days: -3) == "3 days ago")
        #expect(catalogue.messages(for: "ar", audience: Self.counters).isRightToLeft)
    }

    @Test func valuesKeepTheirOwnDirection() throws {
        let both = try MessageCatalogue([("en", Array(#"{"a":"{who} {url}"}"#.utf8)), ("ar", Array(#"{"a":"{who}: {url}"}"#.utf8))])
        #expect(both.messages(for: "ar")("a", ["who": "Ada", "url": "https://x.test"]) == "\u{2068}Ada\u{2069}: https://x.test")
        #expect(both.messages(for: "en")("a", ["who": "Ada", "url": ""]) == "Ada ")
    }

    @Test func sentencesKeepValuesOutOfMarkup() {
        let sentence = catalogue.messages(for: "en").sentence("shop.title.sub", ["name": "<b>x</b>"])
        #expect(sentence == [["plain": "<b>x</b>’s "], ["strong": "shop"]])
    }

    @Test func findsFaults() throws {
        #expect(catalogue.faults().isEmpty)
        #expect(catalogue.faults(["de"]).map(\.description).contains("de.json: shop.title.sub: is missing"))
        #expect(catalogue.faults(["de", "fr"], audience: Self.counters).map(\.description) == ["fr.json: shop.count: is missing"])
        let broken = try MessageCatalogue([
            ("en", Array(#"{"a":{"one":"{count} x","other":"{count} xs"},"b":"{name}"}"#.utf8)),
            ("pl", Array(#"{"a":{"one":"{count} x","other":"{count}"},"b":"","c":"d"}"#.utf8)),
        ])
        #expect(
            broken.faults().map(\.description) == [
                #"pl.json: a: lacks the forms ["few", "many"]"#, #"pl.json: b: has the places [], not ["name"]"#, "pl.json: c: is not in en.json",
            ])
        #expect(throws: CatalogueError.self) { try MessageCatalogue([("en", Array(#"{"a":{"one":"x"}}"#.utf8))]) }
        #expect(throws: CatalogueError.self) { try MessageCatalogue([("en", Array(#"{"a":1}"#.utf8))]) }
    }

    @Test func choosesLocales() {
        #expect(catalogue.locale(acceptLanguage: "fr, de-CH;q=0.9, en;q=0.8", audience: Self.readers) == "de")
        #expect(catalogue.locale(acceptLanguage: "fr, de-CH;q=0.9, en;q=0.8") == "en", "German is not whole")
        #expect(catalogue.locale(acceptLanguage: "en;q=0.1, ar;q=0.5", audience: Self.counters) == "ar")
        #expect(catalogue.locale(acceptLanguage: "zh-CN", audience: Self.counters) == "zh-Hans")
        #expect(catalogue.locale(acceptLanguage: "zh-TW, de", audience: Self.counters) == "de", "the script is another")
        #expect(catalogue.spokenLocales(for: Self.readers) == ["de", "en"])
        #expect(catalogue.locale(acceptLanguage: "en-XA") == "en")
        #expect(catalogue.locale(acceptLanguage: ";;;,,q=9,*") == "en")
        #expect(catalogue.locale(acceptLanguage: nil) == "en")
    }

    @Test func disguisesEnglish() {
        let text = catalogue.messages(for: "en-XA")("shop.title.sub", ["name": "Ada"])
        #expect(text.hasPrefix("⟦Ada’š <b>šĥóþ</b>"))
        #expect(text.hasSuffix("⟧"))
        #expect(PseudoLocale.disguise("0123456789").count >= 13)
    }

    @Test(arguments: [
        ("en", [0, 1, 2], "other one other"), ("fr", [0, 1, 2, 1_000_000], "one one other many"), ("pl", [1, 2, 5, 12, 22, 25], "one few many many few many"),
        ("ru", [1, 2, 5, 11, 21, 112], "one few many many one many"), ("cs", [1, 3, 5], "one few other"), ("ro", [0, 1, 19, 20, 101], "few one few other few"),
        ("ar", [0, 1, 2, 3, 11, 100, 103], "zero one two few many other few"), ("he", [1, 2, 3], "one two other"), ("ja", [0, 1, 5], "other other other"), ("hi", [0, 1, 2], "one one other"),
    ] as [(String, [Int64], String)])
    func pluralForms(_ language: String, _ counts: [Int64], _ expected: String) {
        #expect(counts.map { PluralRules.category(of: $0, language: language).rawValue }.joined(separator: " ") == expected)
    }

    @Test(arguments: [
        ("en-US", 123_456_789, "EUR", 2, "€1,234,567.89"), ("de-DE", 123_456_789, "EUR", 2, "1.234.567,89\u{A0}€"), ("ja-JP", 1_234, "JPY", 0, "￥1,234"),
        ("en-US", -5, "USD", 2, "−$0.05"), ("hi-IN", 1_234_567_89, "INR", 2, "₹12,34,567.89"), ("en-US", 9_007_199_254_740_993, "USD", 2, "$90,071,992,547,409.93"),
        ("en-US", Int64.max, "USD", 2, "$92,233,720,368,547,758.07"), ("en-US", Int64.min, "USD", 2, "−$92,233,720,368,547,758.08"), ("en-US", 1_234, "BHD", 3, "BHD\u{A0}1.234"),
    ] as [(String, Int64, String, Int, String)])
    func moneyIsExact(_ locale: String, _ minor: Int64, _ currency: String, _ exponent: Int, _ expected: String) {
        let text = LocaleFormatter(locale: locale).money(amountMinor: minor, currency: currency, exponent: exponent)
        #expect(text == expected || text == expected.replacing("￥", with: "¥"), "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
    }

    @Test func numbersAndTimes() {
        let german = LocaleFormatter(locale: "de-DE")
        #expect(german.percent(ppm: 125_000) == "12,5\u{A0}%")
        #expect(LocaleFormatter(locale: "en").percent(ppm: 333_333) == "33.33%")
        #expect(german.integer(1_234_567) == "1.234.567")
        #expect(german.date(epochMs: 1_795_305_600_000, timeZone: "Europe/Berlin") == "22. Nov. 2026" || german.date(epochMs: 1_795_305_600_000, timeZone: "Europe/Berlin") == "22.11.2026")
        #expect(!LocaleFormatter(locale: "ar-EG").money(amountMinor: 1_234, currency: "EGP", exponent: 2).isEmpty)
        // 23:30 UTC is already tomorrow in Auckland.
        let now: Int64 = 1_795_303_800_000
        #expect(LocaleFormatter(locale: "en").calendarDays(from: now, to: now + 3_600_000, timeZone: "UTC") == 1)
        #expect(LocaleFormatter(locale: "en").calendarDays(from: now, to: now + 3_600_000, timeZone: "Pacific/Auckland") == 0)
    }
}
