import Chronology
import Crypto
import Foundation
import Money
import Web

/// Costs as a file of comma-separated values: `date,channel,amount,currency` and, when there are any, `stage,program,reference`.
/// Amounts are in whole units with a point, as people write them: 12.50.
enum CostFile {
    static let rowsMax = 5_000
    static let bytesMax = 500_000

    struct Mistake: Error, Sendable {
        var line: Int
        var message: String
    }

    /// Reads all rows, or says which line is wrong and what is allowed there. Rows without a reference get one made of the file and the line,
    /// so that the same file taken twice counts once.
    static func read(_ text: String, program: ProgramID, today: LocalDay) throws(Mistake) -> [Cost.Draft] {
        guard text.utf8.count <= bytesMax else { throw Mistake(line: 1, message: "The file must have at most \(bytesMax) bytes.") }
        do {
            return try rows(text, program, today)
        } catch let mistake as Mistake {
            throw mistake
        } catch let malformed as CSVReader.Malformed {
            throw Mistake(line: malformed.line, message: malformed.reason)
        } catch {
            throw Mistake(line: 1, message: "The file can't be read as comma-separated values in UTF-8.")
        }
    }

    private static func rows(_ text: String, _ program: ProgramID, _ today: LocalDay) throws -> [Cost.Draft] {
        let reader = try CSVReader(text: text)
        let columns = Dictionary(reader.columns.enumerated().map { ($0.element.lowercased(), $0.offset) }, uniquingKeysWith: { first, _ in first })
        for name in ["date", "channel", "amount", "currency"] where columns[name] == nil {
            throw Mistake(line: 1, message: "The column \(name) is missing; the first row must name date, channel, amount and currency.")
        }
        let mark = SHA256.hash(data: Data(text.utf8)).prefix(12).map { String(format: "%02x", $0) }.joined()
        var drafts: [Cost.Draft] = []
        while let row = try reader.next() {
            guard drafts.count < rowsMax else { throw Mistake(line: row.line, message: "A file must have at most \(rowsMax) rows.") }
            func field(_ name: String) -> String { columns[name].map { row.fields[$0].trimmingCharacters(in: .whitespaces) } ?? "" }
            func mistake(_ message: String) -> Mistake { Mistake(line: row.line, message: message) }
            guard let day = Cost.day(field("date"), today: today) else { throw mistake("date: \(Cost.dayAllowed)") }
            guard let channel = Cost.Channel(rawValue: field("channel").lowercased()) else {
                throw mistake("channel: Must be one of \(Cost.Channel.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            guard let currency = Currency(code: field("currency").uppercased()), let unit = try? UnitCode(currency.code) else {
                throw mistake("currency: Must be an ISO 4217 code such as EUR.")
            }
            guard let amount = try? Amount(decimalText: field("amount"), exponent: unit.exponent), (0...Schemas.amountMax).contains(amount.minor) else {
                throw mistake("amount: Must be a number such as 12.50, not below 0, with at most \(unit.exponent) decimals.")
            }
            let stage = Member.Stage(rawValue: field("stage").lowercased())
            guard stage != nil || field("stage").isEmpty else {
                throw mistake("stage: Must be empty or one of \(Member.Stage.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            let named = ProgramID(field("program"))
            guard named != nil || field("program").isEmpty else { throw mistake("program: Must be empty or a program's id (prog_…).") }
            guard field("reference").unicodeScalars.count <= Cost.referenceLengthMax else {
                throw mistake("reference: Must have at most \(Cost.referenceLengthMax) signs.")
            }
            drafts.append(
                Cost.Draft(
                    programID: named ?? program, channel: channel, stage: stage, day: day, amountMinor: amount.minor, currency: currency,
                    reference: field("reference").isEmpty ? "file:\(mark):\(row.line)" : field("reference")))
        }
        return drafts
    }
}
