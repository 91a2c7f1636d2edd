import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Test sales of the set-up guide go by the rules that a newcomer sees.
struct TestTwinTests {
    @Test(arguments: Engine.allCases)
    func testSalesFollowTheLiveRules(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let live = app.workspace.workspace.id
            @Sendable func rule(_ rate: String, level: Int64 = 0) throws -> RuleDocument {
                let reader = try JSONReader(
                    ["name": "Sharer", "event": "sale", "level": .integer(level), "reward": ["kind": "percent", "rate": .text(rate)]] as JSONValue)
                let document = RuleDocument.read(reader)
                try reader.finish()
                return document
            }
            let (program, first) = try await app.installation.write(live, actor: .command) { write in
                let program = try Program.create(NewProgram(name: "Shop", currency: "EUR", zone: .utc, settings: ProgramSettings()), in: write)
                return (program, try Rule.create(rule("0.10"), program: program.id, in: write))
            }
            func sell(follows: Bool = true) async throws -> Int64 {
                let pattern = try await app.installation.main.read { connection in
                    try TestTwin.Pattern.newest(of: live, at: AppHarness.start, on: connection)
                }
                return try await app.installation.write(app.twinID, actor: .command) { write in
                    let stage = try TestTwin.prepare(pattern, follows: follows, sharerName: "Test Sharer", in: write)
                    return try TestTwin.sell(stage, buyerName: "Test Buyer", in: write).commissions.reduce(0) { $0 + $1.amountMinor }
                }
            }
            #expect(try await sell() == 420)
            _ = try await app.installation.write(live, actor: .command) { write in
                _ = try Rule.change(first.id, rule("0.15"), in: write)
                return try Rule.create(rule("0.05"), program: program.id, in: write)
            }
            #expect(try await sell(follows: false) == 420, "who works in the test workspace keeps its rules")
            #expect(try await sell() == 840)
            #expect(try await sell() == 840, "nothing is copied twice")
        }
    }
}
