/// What the single euro payments area takes.
enum SEPA {
    /// 999,999,999.99: the most of one credit transfer (EPC132-08, attribute AT-T002).
    static let amountMinorMax: Int64 = 99_999_999_999

    /// Whether an IBAN is one of its countries. The Channel Islands and Man have British ones, French territories French ones.
    static func holds(_ iban: String) -> Bool { countries.contains(String(iban.prefix(2))) }

    /// Codes of IBANs in the list of SEPA countries (EPC409-09, as of October 2025).
    private static let countries: Set<String> = [
        "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HR", "HU", "IE", "IS", "IT",
        "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "VA",
    ]
}
