/// A cell of a table for spreadsheets (RFC 4180).
enum CSVCell: Sendable {
    case text(String)
    /// A number that the program made.
    case number(String)

    static func text(_ rows: [[CSVCell]]) -> String {
        rows.map { row in row.map(\.written).joined(separator: ",") + "\r\n" }.joined()
    }

    /// What a spreadsheet would run as a formula begins with an apostrophe (ASVS 1.2.10).
    private var written: String {
        switch self {
        case .number(let number): return number
        case .text(let text):
            let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n\u{0}".unicodeScalars.contains($0) } ?? false
            let safe = isFormula ? "'" + text : text
            guard safe.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" || $0 == ";" || $0 == "'" }) else { return safe }
            return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
    }
}
