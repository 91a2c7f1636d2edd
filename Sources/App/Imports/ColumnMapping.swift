import Foundation
import Money

/// How the columns of another system's file become those of a generic one. Names are compared by their letters and digits alone, so
/// “First name”, `first_name` and `firstName` are one.
struct ColumnMapping: Sendable {
    enum Change: Sendable {
        case asIs
        /// A decimal amount, with or without a currency sign and thousands' commas, becomes minor units.
        case decimalAmount
        /// Words of theirs that we call otherwise; others stay.
        case words([String: String])
        /// Where an address is expected and only a code stands, the fallback is taken.
        case address
        /// Where an address stands in the place of a code, the code is the value of one of these parameters, or else its path's last word.
        case codeOfAddress(parameters: [String])
    }

    struct Source: Sendable {
        /// The column of the generic file.
        var column: String
        /// Names of theirs, the best one first. Several in one entry are joined by a space, such as first and last name.
        var names: [[String]]
        var change = Change.asIs
        /// What stands there when the file has no such column, or an empty cell.
        var fallback: String?
        /// What an empty cell of a column that is there means.
        var empty: String?
        /// A row in which all such cells are empty, or zero, holds nothing of this kind.
        var tells = false
    }

    var sources: [Source]

    /// The mapping for one header; nil when a column that the kind needs can't be made of it.
    func resolved(_ header: [String], _ kind: ImportKind) -> Resolved? {
        resolved(header, needing: kind.columns.filter(\.isRequired).map(\.name))
    }

    /// The mapping for one header; nil when one of these columns can't be made of it.
    func resolved(_ header: [String], needing required: [String]) -> Resolved? {
        let places = Dictionary(header.enumerated().map { (Self.letters($1), $0) }, uniquingKeysWith: { first, _ in first })
        let found = sources.compactMap { source -> Resolved.Part? in
            let known = source.names.lazy.compactMap { names -> [Int]? in
                let found = names.compactMap { places[Self.letters($0)] }
                return found.count == names.count ? found : nil
            }.first
            guard known != nil || source.fallback != nil else { return nil }
            return Resolved.Part(source: source, places: known ?? [])
        }
        let columns = Set(found.map(\.source.column))
        guard required.allSatisfy(columns.contains) else { return nil }
        return Resolved(parts: found, header: header)
    }

    static func letters(_ name: String) -> String {
        String(name.lowercased().unicodeScalars.filter { CharacterSet.alphanumerics.contains($0) })
    }

    struct Resolved: Sendable {
        struct Part: Sendable {
            var source: Source
            var places: [Int]
        }
        var parts: [Part]
        var header: [String]

        var columns: [String] { parts.map(\.source.column) }

        /// Whether a row holds nothing of this kind, because each cell that would tell is empty or zero.
        func isSilent(_ fields: [String]) -> Bool {
            let telling = parts.filter { $0.source.tells && !$0.places.isEmpty }
            return !telling.isEmpty && telling.allSatisfy { part in
                part.places.allSatisfy { place in
                    part.source.column == "amount"
                        ? !fields[place].contains { $0.isNumber && $0 != "0" } : fields[place].trimmingCharacters(in: .whitespaces).isEmpty
                }
            }
        }

        /// Whether the file's cells of a column are decimal amounts.
        func isDecimal(_ column: String) -> Bool {
            guard let source = parts.first(where: { $0.source.column == column })?.source, case .decimalAmount = source.change else { return false }
            return true
        }

        /// Where a column's cells stand in the file; empty where a fallback stands for it.
        func places(_ column: String) -> [Int] { parts.first { $0.source.column == column }?.places ?? [] }

        /// What theirs is called that a column was made of.
        func theirs(_ column: String) -> String {
            guard let part = parts.first(where: { $0.source.column == column }), !part.places.isEmpty else { return column }
            return part.places.map { header[$0] }.joined(separator: " + ")
        }

        /// A row as the generic file would have it.
        func fields(_ fields: [String]) -> [String] {
            var row = parts.map { part in
                let text = part.places.map { fields[$0].trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.joined(separator: " ")
                return text.isEmpty ? part.source.empty ?? part.source.fallback ?? "" : text
            }
            let currency = columns.firstIndex(of: "currency").map { row[$0].uppercased() }
            for place in parts.indices {
                switch parts[place].source.change {
                case .asIs: row[place] = Self.instant(row[place], parts[place].source.column)
                case .decimalAmount: row[place] = Self.minor(row[place], currency ?? "") ?? row[place]
                case .words(let words): row[place] = words[row[place].lowercased()] ?? row[place]
                case .address: if !row[place].hasPrefix("http") { row[place] = parts[place].source.fallback ?? row[place] }
                case .codeOfAddress(let parameters): row[place] = Self.code(row[place], parameters)
                }
            }
            if let place = columns.firstIndex(of: "currency") { row[place] = row[place].uppercased() }
            return row
        }

        private static func code(_ text: String, _ parameters: [String]) -> String {
            guard text.hasPrefix("https://") || text.hasPrefix("http://"), let address = URLComponents(string: text) else { return text }
            let named = parameters.lazy.compactMap { name in address.queryItems?.first { $0.name == name }?.value }.first { !$0.isEmpty }
            return named ?? address.path.split(separator: "/").last.map(String.init) ?? text
        }

        /// `2026-01-31 10:00:00 UTC` and the same without a zone are UTC.
        private static func instant(_ text: String, _ column: String) -> String {
            guard column.hasSuffix("_at"), text.count >= 19, text.dropFirst(10).first == " " else { return text }
            let time = text.dropFirst(11).replacing(" UTC", with: "")
            return text.prefix(10) + "T" + (time.contains("Z") || time.contains("+") ? time : time + "Z")
        }

        /// Nil when the text is no such amount, or could be read in two ways; then it stays, and is refused as every wrong amount.
        static func minor(_ text: String, _ currency: String) -> String? {
            guard let exponent = try? UnitCode(currency).exponent else { return nil }
            var plain = text.replacing(currency, with: "")
            plain.removeAll { $0.isWhitespace || "$€£¥₹".contains($0) }
            guard !plain.isEmpty else { return nil }
            let sides = plain.split(separator: ".", omittingEmptySubsequences: false)
            // Commas part thousands, left of the point.
            guard sides.count <= 2, !(sides.dropFirst().first?.contains(",") ?? false) else { return nil }
            let groups = (sides[0].hasPrefix("-") ? sides[0].dropFirst() : sides[0]).split(separator: ",", omittingEmptySubsequences: false)
            guard groups.count == 1 || (groups.dropFirst().allSatisfy { $0.count == 3 } && (1...3).contains(groups[0].count)) else { return nil }
            // In dinars 1,500 may be one and a half, or a thousand and five hundred.
            if exponent == 3, groups.count == 2, sides.count == 1 { return nil }
            plain = plain.replacing(",", with: "")
            return (try? Amount(decimalText: plain, exponent: exponent)).map { String($0.minor) }
        }
    }
}
