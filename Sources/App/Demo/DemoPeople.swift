import Foundation

/// Invented people of several countries, for the demo workspace.
struct DemoPerson: Sendable {
    var name: String
    var email: String
    var country: String
}

/// Draws people; no two of them have one name.
struct DemoPeople: Sendable {
    /// Surnames are the same for women and men in what stands here.
    private static let countries: [(code: String, weight: UInt64, first: [String], last: [String])] = [
        (
            "DE", 40,
            words(
                "Anna Jonas Lena Felix Mia Paul Clara Lukas Emma Moritz Johanna Tim Greta Ben Frieda Leon Ida Noah Marlene Jakob Theresa Simon Charlotte David Helene Anton"
            ),
            words(
                "Becker Hoffmann Schulz Krüger Brandt Vogel Keller Sommer Winkler Lorenz Arnold Busch Dietrich Engel Franke Graf Hartmann Jansen Kaiser Lange Ludwig Otto Pohl Roth Seidel Thomas Ullrich Voigt Walter Ziegler"
            )
        ),
        (
            "AT", 12, words("Magdalena Tobias Katharina Florian Valentina Elias Sophia Raphael Viktoria Dominik Miriam Lorenz Nina Matthias"),
            words("Gruber Huber Moser Steiner Pichler Eder Hofer Leitner Berger Fuchs Wallner Haas Egger Aigner Ebner Koller")
        ),
        (
            "FR", 14, words("Camille Louis Manon Hugo Inès Jules Chloé Gabriel Léa Arthur Zoé Adam Louise Raphaël"),
            words("Moreau Lefèvre Girard Roux Fontaine Chevalier Mercier Blanc Guérin Boyer Garnier Rousseau Faure Legrand Gauthier Perrin")
        ),
        (
            "ES", 12, words("Lucía Mateo Sofía Daniel Carmen Álvaro Paula Diego Elena Javier Marta Pablo Alba Sergio"),
            words("García Navarro Ortega Molina Serrano Castillo Ramos Gil Vázquez Iglesias Medina Cortés Garrido Lozano Cano Prieto")
        ),
        (
            "PL", 10, words("Zofia Jakub Maja Szymon Hanna Filip Julia Antoni Lena Franciszek Alicja Michał Oliwia Wojciech"),
            words("Nowak Wójcik Mazur Krawczyk Duda Kaczmarek Wieczorek Dudek Adamczyk Sikora Baran Zając Król Wróbel Pawlak Walczak")
        ),
        (
            "NL", 12, words("Sanne Daan Fleur Bram Noor Sem Lotte Thijs Evi Jesse Roos Milan Tess Ruben"),
            ["de Vries", "Jansen", "Bakker", "Visser", "Smit", "Mulder", "de Boer", "Dekker", "Brouwer", "de Wit", "Dijkstra", "Smits", "de Graaf", "van Dam", "Kok", "Vos"]
        ),
    ]

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private var known: Set<String> = []

    /// Addresses are of a domain that nobody can own. When all names are given away, the last one gets a second first name.
    mutating func make(host: String = "example.com", _ random: RandomSource) -> DemoPerson {
        var draw = random.below(Self.countries.reduce(0) { $0 + $1.weight })
        let country = Self.countries.first { country in
            if draw < country.weight { return true }
            draw -= country.weight
            return false
        } ?? Self.countries[0]
        let names = country.first.count * country.last.count
        let start = Int(random.below(UInt64(names)))
        // From where it was drawn on, the next name that nobody has; in steps that visit all of them.
        for step in 0..<names {
            let index = (start + step * 101) % names
            let name = "\(country.first[index % country.first.count]) \(country.last[index / country.first.count])"
            if known.insert(name).inserted { return person(name, country.code, host) }
        }
        let second = country.first[Int(random.below(UInt64(country.first.count)))]
        let name = "\(country.first[start % country.first.count]) \(second) \(country.last[start / country.first.count])"
        known.insert(name)
        return person(name, country.code, host)
    }

    private func person(_ name: String, _ country: String, _ host: String) -> DemoPerson {
        let address = Slug.make(name).replacingOccurrences(of: "-", with: ".")
        return DemoPerson(name: name, email: "\(address)@\(host)", country: country)
    }
}

/// Accounts with right check digits at banks that do not exist: their codes are zeros.
enum DemoAccount {
    static func iban(_ country: String, _ random: RandomSource) -> String {
        let length = (IBAN.lengths[country] ?? 22) - 4
        let number = String(100_000_000 + random.below(899_999_999))
        let bank = country == "NL" ? "KITH" : ""
        let body = bank + String(repeating: "0", count: max(0, length - bank.count - number.count)) + number
        // Two digits out of a hundred are right.
        for check in 2...98 {
            let text = country + (check < 10 ? "0" : "") + String(check) + body
            if let iban = IBAN(text) { return iban.text }
        }
        return ""
    }
}
