import ArgumentParser
import Foundation
import Prediction
import Web

struct LifetimeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clv", abstract: "Foretell who buys again and for how much, from a file of sales. Needs no database.",
        discussion: "Purchases up to and with --until are fitted; where the file goes on, what came is held against what was foretold.")

    @Option(help: "A CSV file with the columns customer_id, date and amount, in one currency, refunds taken off.") var transactions: String
    @Option(help: "The last day that counts as known, such as 2026-06-30.") var until: String
    @Option(help: "How many weeks are foretold.") var weeks: Int
    @Option(help: "How many customers the table shows, those of whom most is expected first.") var rows = 20
    @Flag(help: "Hold other models beside BG/NBD against it and against what came.") var compare = false
    @Flag(help: "Print JSON with every customer.") var json = false

    func run() async throws {
        try await plainly {
            if compare {
                let comparison = try question.comparison()
                return print(json ? String(decoding: comparison.json.bytes, as: UTF8.self) : comparison.table)
            }
            let forecast = try question.forecast()
            if json {
                FileHandle.standardOutput.write(Data(forecast.jsonBytes + [UInt8(ascii: "\n")]))
                if case .failure(let problem) = forecast.values { FileHandle.standardError.write(Data((problem.sentence + "\n").utf8)) }
            } else {
                print(forecast.table(rowsMax: rows))
            }
        }
    }

    private var question: LifetimeQuestion { LifetimeQuestion(transactions: transactions, until: until, weeks: weeks, rows: rows) }
}
