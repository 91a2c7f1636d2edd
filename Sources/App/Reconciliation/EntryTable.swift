import Chronology
import Foundation
import Money

/// Entries as CSV: a bank's own columns by a mapping, or a provider's report.
enum EntryTable {
    /// Columns of ours; what theirs are called is in the mapping.
    enum Column: String, Sendable, CaseIterable {
        case date, amount, currency, reference, bankReference, counterparty, account, status, text
    }

    /// Which columns of the file they are, and how it writes.
    struct Columns: Sendable, Equatable {
        enum Separator: String, Sendable, CaseIterable { case comma, semicolon, tab }
        enum DecimalSign: String, Sendable, CaseIterable { case point, comma }

        var names: [Column: String] = [:]
        var separator = Separator.comma
        var decimalSign = DecimalSign.point
        /// Where no column says it.
        var currency: String?
    }

    static func read(_ source: BankFile.Source, _ format: BankFile.Format, _ columns: Columns?) throws -> BankFile {
        var file = BankFile(format: format, hash: "")
        let columns = columns ?? Columns()
        let reader = try CSVReader(separator: columns.separator.byte, source.next)
        let resolved = mapping(format, columns).resolved(reader.columns, needing: ["amount", "reference"])
        guard let resolved else {
            throw CSVReader.Malformed(
                line: 1,
                reason: "Columns for the amount and for the reference were not found in: \(reader.columns.prefix(20).joined(separator: ", ")). Say in the mapping what they are called.")
        }
        while let row = try reader.next() {
            let fields = Dictionary(zip(resolved.columns, resolved.fields(row.fields)), uniquingKeysWith: { first, _ in first })
            do throws(BankFile.Mistake) {
                let entry = try entry({ fields[$0.rawValue].flatMap { $0.isEmpty ? nil : $0 } }, format, columns, line: row.line)
                do { try file.add(entry, account: nil) } catch { throw BankFile.Mistake(line: row.line, message: "\(error)") }
            } catch {
                file.add(error)
            }
        }
        return file
    }

    private static func entry(
        _ field: (Column) -> String?, _ format: BankFile.Format, _ columns: Columns, line: Int
    ) throws(BankFile.Mistake) -> BankEntry {
        guard let written = field(.amount) else { throw BankFile.Mistake(line: line, message: "There is no amount.") }
        let currency = field(.currency) ?? columns.currency?.uppercased()
        let plain = try plain(written, currency, columns.decimalSign, line: line)
        let isDebit = plain.hasPrefix("-")
        let status = field(.status)
        var entry = BankEntry(line: line, meaning: status.map { meaning($0) } ?? (isDebit ? .booked : .other))
        entry.amountMinor = try BankFile.amount(String(plain.drop { $0 == "-" || $0 == "+" }), currency, line: line)
        (entry.currency, entry.status) = (currency, status.map { String($0.prefix(35)) })
        entry.bankReference = field(.bankReference).map { String($0.prefix(100)) }
        entry.endToEndID = field(.reference).map { String($0.prefix(500)) }
        entry.counterparty = BankEntry.Counterparty(
            name: field(.counterparty).map { String($0.prefix(140)) }, account: field(.account).map { String($0.prefix(40)) },
            text: field(.text).map { String($0.prefix(500)) })
        if let written = field(.date) {
            guard let day = day(written, format) else {
                throw BankFile.Mistake(line: line, message: "The date \(written.prefix(40)) is not read. Write it as 2026-01-31 or 31.01.2026.")
            }
            entry.bookedOn = day
        }
        return entry
    }

    /// With a point for decimals and nothing between thousands.
    private static func plain(_ written: String, _ currency: String?, _ sign: Columns.DecimalSign, line: Int) throws(BankFile.Mistake) -> String {
        var text = written
        if let currency { text = text.replacing(currency, with: "") }
        text = text.filter { !$0.isWhitespace && !"$€£¥’'".contains($0) }.replacing("−", with: "-")
        let (decimal, group): (Character, Character) = sign == .point ? (".", ",") : (",", ".")
        let halves = text.split(separator: decimal, omittingEmptySubsequences: false)
        let groups = (halves.first ?? "").drop { $0 == "-" || $0 == "+" }.split(separator: group, omittingEmptySubsequences: false)
        guard halves.count <= 2, groups.count == 1 || ((1...3).contains(groups[0].count) && groups.dropFirst().allSatisfy { $0.count == 3 }),
            !(halves.count == 2 && halves[1].contains(group))
        else {
            throw BankFile.Mistake(line: line, message: "The amount \(written.prefix(40)) is not read. Is the decimal sign a point or a comma?")
        }
        return text.replacing(String(group), with: "").replacing(String(decimal), with: ".")
    }

    private static func day(_ text: String, _ format: BankFile.Format) -> LocalDay? {
        if let day = BankFile.day(text) { return day }
        func day(_ year: Substring, _ month: Substring, _ day: Substring) -> LocalDay? {
            guard let year = Int(year), let month = Int(month), let day = Int(day) else { return nil }
            return LocalDay(year: year, month: month, day: day)
        }
        if let found = text.firstMatch(of: #/^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})/#) { return day(found.3, found.2, found.1) }
        // Wise writes the day first, PayPal in American English the month.
        guard let found = text.firstMatch(of: #/^([0-9]{1,2})[-\/]([0-9]{1,2})[-\/]([0-9]{4})/#) else { return nil }
        switch format {
        case .wise: return day(found.3, found.2, found.1)
        case .paypal: return day(found.3, found.1, found.2)
        case .csv, .pain002, .camt053: return nil
        }
    }

    /// Words of PayPal (transaction_status of a payout item), of Wise (status of a transfer), and of banks. What is not known is on its way: it
    /// changes nothing and is shown.
    static func meaning(_ status: String) -> BankEntry.Meaning {
        switch ColumnMapping.letters(status) {
        case "success", "completed", "complete", "paid", "settled", "executed", "outgoingpaymentsent", "sent": .settled
        case "booked": .booked
        case "failed", "blocked", "denied", "rejected", "cancelled", "canceled": .rejected
        case "returned", "refunded", "reversed", "fundsrefunded", "chargedback": .returned
        default: .accepted
        }
    }

    // MARK: Columns

    private static func mapping(_ format: BankFile.Format, _ columns: Columns) -> ColumnMapping {
        ColumnMapping(
            sources: Column.allCases.map { column in
                ColumnMapping.Source(column: column.rawValue, names: columns.names[column].map { [[$0]] } ?? known(column, format).map { [$0] })
            })
    }

    /// PayPal's are the fields of its payout items (developer.paypal.com, Payouts API), Wise's those of its transfers and balance statements
    /// (docs.wise.com); that the files of their dashboards have the same headings is assumed.
    private static func known(_ column: Column, _ format: BankFile.Format) -> [String] {
        let provider: [String]
        switch (format, column) {
        case (.paypal, .reference): provider = ["sender_item_id", "sender item id", "unique id", "customer id", "custom number"]
        case (.paypal, .bankReference): provider = ["transaction_id", "payout_item_id"]
        case (.paypal, .status): provider = ["transaction_status", "status"]
        case (.paypal, .date): provider = ["time_processed", "date"]
        case (.paypal, .amount): provider = ["amount", "payout_item.amount.value", "gross"]
        case (.paypal, .counterparty): provider = ["receiver", "recipient", "name"]
        case (.wise, .reference): provider = ["reference", "payment reference", "payment_reference", "details.reference"]
        case (.wise, .bankReference): provider = ["id", "transferwise id", "transfer id"]
        case (.wise, .amount): provider = ["target amount (after fees)", "target amount", "targetvalue", "amount"]
        case (.wise, .currency): provider = ["target currency", "targetcurrency", "currency"]
        case (.wise, .counterparty): provider = ["target name", "payee name", "recipient name", "name"]
        default: provider = []
        }
        return provider + common(column)
    }

    private static func common(_ column: Column) -> [String] {
        switch column {
        case .date: ["date", "booked_on", "booking date", "buchungstag", "value date", "created on", "created"]
        case .amount: ["amount", "betrag", "montant", "importe"]
        case .currency: ["currency", "währung", "devise"]
        case .reference: ["reference", "end_to_end_id", "endtoendid", "verwendungszweck", "remittance information"]
        case .bankReference: ["bank_reference", "transaction id", "entry reference"]
        case .counterparty: ["counterparty", "name", "beneficiary", "empfänger"]
        case .account: ["account", "iban", "kontonummer/iban"]
        case .status: ["status", "state"]
        case .text: ["text", "description", "buchungstext"]
        }
    }
}

extension EntryTable.Columns.Separator {
    var byte: UInt8 {
        switch self {
        case .comma: UInt8(ascii: ",")
        case .semicolon: UInt8(ascii: ";")
        case .tab: 0x09
        }
    }
}
