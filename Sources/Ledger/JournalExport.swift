internal import Chronology
internal import Money
public import Persistence

/// The journal for other programs, written piece by piece so that its length does not matter.
public enum JournalExport {
    /// One JSON object a line, in the shape of `GET /ledger/transactions`. An earlier export is a prefix of a later one.
    public static func jsonLines(workspace: String, on connection: any Connection, _ write: (String) throws -> Void) throws {
        try Journal.forEachTransaction(workspace: workspace, on: connection) { try write(jsonLine($0) + "\n") }
    }

    /// A journal for hledger: decimals by each currency's digits, names of other units in quotes.
    public static func hledger(workspace: String, on connection: any Connection, _ write: (String) throws -> Void) throws {
        try write(hledgerHead(workspace: workspace))
        try Journal.forEachTransaction(workspace: workspace, on: connection) { try write(hledgerText($0)) }
    }

    /// What a journal for hledger begins with.
    public static func hledgerHead(workspace: String) -> String { "; Kith's journal of workspace \(plain(workspace))\ndecimal-mark .\n\n" }

    /// One transaction for hledger, with an empty line after it.
    public static func hledgerText(_ transaction: RecordedTransaction) -> String {
        let day = transaction.effectiveAt.dayInUTC?.iso8601 ?? "1970-01-01"
        var text = "\(day) * \(plain(transaction.purpose)) of \(plain(transaction.cause))  ; sequence:\(transaction.sequence), id:\(plain(transaction.id))\n"
        for entry in transaction.entries {
            text += "    \(entry.account)  \(entry.amount.decimalText(exponent: exponent(entry.unit))) \(commodity(entry.unit))\n"
        }
        return text + "\n"
    }

    /// One transaction as an object of JSON, on one line.
    public static func jsonLine(_ transaction: RecordedTransaction) -> String {
        let entries = transaction.entries.map {
            "{\"account\":\(quoted($0.account)),\"unit\":\(quoted($0.unit)),\"amount\":\($0.amount.minor)}"
        }
        var fields = [
            "\"sequence\":\(transaction.sequence)", "\"id\":\(quoted(transaction.id))",
            "\"recordedAt\":\(quoted(transaction.recordedAt.rfc3339))", "\"effectiveAt\":\(quoted(transaction.effectiveAt.rfc3339))",
            "\"cause\":\(quoted(transaction.cause))", "\"purpose\":\(quoted(transaction.purpose))",
        ]
        if let corrects = transaction.corrects {
            fields += ["\"corrects\":\(quoted(corrects.transaction))", "\"correction\":\(quoted(corrects.word))"]
        }
        fields += ["\"hash\":\"\(hexadecimal(transaction.hash))\"", "\"entries\":[\(entries.joined(separator: ","))]"]
        return "{\(fields.joined(separator: ","))}"
    }

    private static func exponent(_ unit: String) -> Int { (try? UnitCode(unit))?.exponent ?? 0 }

    private static func commodity(_ unit: String) -> String {
        let isPlain = unit.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
        return isPlain ? unit : "\"\(unit)\""
    }

    /// Without what hledger reads as a comment, a part of a description, or a line's end.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { scalar in
            scalar.value < 32 || scalar.properties.isWhitespace || ";|,:()".unicodeScalars.contains(scalar) ? "_" : scalar
        }))
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 32: quoted += "\\u00" + hexadecimal([UInt8(scalar.value)])
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
