import Chronology
import Foundation
import Ledger
import Money
import Persistence

/// Posts transfers through the journal's own verb, on a new SQLite file: `ledger-post FILE SCHEMA BATCHES TRANSFERS`.
/// Prints `TRANSFERS SECONDS`.
@main
struct LedgerPost {
    static let workspace = "ws_bench"
    static let membersCount = 1_000
    static let moment = Instant(millisecondsSince1970: 1_790_000_000_000)

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let batchCount = Int(arguments[3]), let transferCount = Int(arguments[4]) else {
            FileHandle.standardError.write(Data("usage: ledger-post FILE SCHEMA BATCHES TRANSFERS\n".utf8))
            exit(64)
        }
        let database = try await open(arguments[1], schema: arguments[2])
        let unit = try UnitCode("EUR")
        let elapsed = try await ContinuousClock().measure {
            for batch in 0..<batchCount {
                let postings = try (0..<transferCount).map { try transfer(batch, $0, unit) }
                try await database.write { connection in
                    for start in stride(from: 0, to: postings.count, by: Journal.postingsLimit) {
                        let part = Array(postings[start..<min(start + Journal.postingsLimit, postings.count)])
                        try Journal.post(part, recordedAt: moment, on: connection)
                    }
                }
            }
        }
        await database.close()
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        print("\(batchCount * transferCount) \(seconds)")
    }

    private static func open(_ path: String, schema: String) async throws -> any Database {
        let database = try await SQLiteDatabase.open(path: path)
        let workspaces = "CREATE TABLE workspace (id TEXT NOT NULL PRIMARY KEY) STRICT; INSERT INTO workspace VALUES ('\(workspace)');"
        let ledger = try String(contentsOfFile: schema, encoding: .utf8)
        try await database.write { connection in
            try connection.executeScript(workspaces)
            try connection.executeScript(ledger)
        }
        return database
    }

    private static func transfer(_ batch: Int, _ number: Int, _ unit: UnitCode) throws -> Posting {
        let amount = Amount(minor: Int64(1 + number % 500))
        return Posting(
            workspace: workspace, cause: "bench_\(batch)_\(number)", purpose: "transfer", effectiveAt: moment,
            entries: [
                Entry(.expense("prog_bench"), unit, amount),
                Entry(.pending("mem_\(number % membersCount)"), unit, try amount.negated()),
            ])
    }
}
