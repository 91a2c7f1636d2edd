import Compensation
import CompensationOracle
import Foundation
import Testing

/// The engine beside the oracle on random plans, organisations and periods. `KITH_ORACLE_SEED` is the first seed (default 1),
/// `KITH_ORACLE_CASES` how many (each up to three periods), so that a failing seed is run again alone.
@Suite struct OracleComparisonTests {
    @Test func engineAndOracleAgree() async throws {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["KITH_ORACLE_SEED"].flatMap { UInt64($0) } ?? 1
        let count = environment["KITH_ORACLE_CASES"].flatMap { UInt64($0) } ?? 400
        let most = environment["KITH_ORACLE_FAILURES"].flatMap { Int($0) } ?? 3
        var failures: [String] = []
        var periods = 0
        var undefined = 0
        /// Rule and reason → lines.
        var tally: [String: Int] = [:]
        for seed in first..<(first + count) where failures.count < most {
            if let found = try await RandomScenario.disagreement(seed: seed, counting: { outcome in
                periods += 1
                if outcome.isUndefined { undefined += 1 }
                guard let result = outcome.result else { return }
                for line in result.lines { tally["\(result.plan.bonuses[Int(line.bonus)].rule.code) \(line.reason.code)", default: 0] += 1 }
            }) { failures.append(found) }
        }
        print("oracle: seeds \(first)…\(first + count - 1), \(periods) periods, of them \(undefined) that the documents leave open")
        print(tally.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
        for failure in failures { Issue.record("\(failure)") }
        // A generator that forgets a rule would let everything pass.
        if count >= 400 { #expect(Set(tally.keys.compactMap { $0.split(separator: " ").first }).count == 16) }
    }

    @Test(arguments: [UInt64](1...4)) func theyAgreeOnALargerOrganisation(_ seed: UInt64) async throws {
        if let found = try await RandomScenario.disagreement(seed: seed, members: 500) { Issue.record("\(found)") }
    }
}
