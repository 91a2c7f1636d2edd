import Foundation

/// Invented people of several countries, for the demo workspace.
struct DemoPerson: Sendable {
    var name: String
    var email: String
    var country: String

    private static let countries: [(code: String, weight: UInt64, first: [String], last: [String])] = [
        (
            "DE", 40, ["Anna", "Jonas", "Lena", "Felix", "Mia", "Paul", "Clara", "Lukas", "Emma", "Moritz", "Johanna", "Tim"],
            ["Becker", "Hoffmann", "Schulz", "Krüger", "Brandt", "Vogel", "Keller", "Sommer", "Winkler", "Lorenz"]
        ),
        (
            "AT", 12, ["Magdalena", "Tobias", "Katharina", "Florian", "Valentina", "Elias"],
            ["Gruber", "Huber", "Moser", "Steiner", "Pichler", "Eder"]
        ),
        ("FR", 14, ["Camille", "Louis", "Manon", "Hugo", "Inès", "Jules"], ["Moreau", "Lefèvre", "Girard", "Roux", "Fontaine", "Chevalier"]),
        ("ES", 12, ["Lucía", "Mateo", "Sofía", "Hugo", "Carmen", "Álvaro"], ["García", "Navarro", "Ortega", "Molina", "Serrano", "Castillo"]),
        ("PL", 10, ["Zofia", "Jakub", "Maja", "Szymon", "Hanna", "Filip"], ["Kowalska", "Nowak", "Wójcik", "Zieliński", "Mazur", "Krawczyk"]),
        ("NL", 12, ["Sanne", "Daan", "Fleur", "Bram", "Noor", "Sem"], ["de Vries", "Jansen", "Bakker", "Visser", "Smit", "Mulder"]),
    ]

    /// `number` keeps addresses apart. Addresses are of a domain that nobody can own.
    static func make(_ number: Int, host: String = "example.com", _ random: RandomSource) -> DemoPerson {
        var draw = random.below(countries.reduce(0) { $0 + $1.weight })
        let country = countries.first { country in
            if draw < country.weight { return true }
            draw -= country.weight
            return false
        } ?? countries[0]
        let first = country.first[Int(random.below(UInt64(country.first.count)))]
        let last = country.last[Int(random.below(UInt64(country.last.count)))]
        let address = Slug.make("\(first).\(last)").replacingOccurrences(of: "-", with: ".")
        return DemoPerson(name: "\(first) \(last)", email: "\(address).\(number)@\(host)", country: country.code)
    }
}
