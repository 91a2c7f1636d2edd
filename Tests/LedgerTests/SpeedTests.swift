import Ledger
import Persistence
import TestSupport
import Testing

@Suite struct SpeedTests {
    /// Prints, does not judge: machines differ. A hundred postings a commit, as the write gate gathers them.
    @Test(arguments: Engine.allCases) func postingsASecond(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let elapsed = try await ContinuousClock().measure {
                for batch in 0..<10 {
                    let postings = try (0..<100).map { try earning("sale_\(batch)_\($0)", 100, member: "mem_\($0 % 50)") }
                    try await database.write { _ = try Journal.post(postings, recordedAt: noon, on: $0) }
                }
            }
            print("1,000 postings on \(engine) in batches of 100: \(elapsed)")
            let found = try await findings(database)
            #expect(found == [])
        }
    }
}
