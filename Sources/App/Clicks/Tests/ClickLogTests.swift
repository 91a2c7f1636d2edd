import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

@Suite struct ClickLogTests {
    /// Clicks that can't be stored are counted, whoever waits for them or nobody: those who run the server see it.
    @Test(arguments: Engine.allCases, [Settings.ClickDurability.wait, .after]) func whatIsLostIsCounted(
        _ engine: Engine, _ durability: Settings.ClickDurability
    ) async throws {
        try await AppHarness.with(engine, settings: { $0.clickDurability = durability }) { app in
            let program = try await app.program()
            try await app.link(program, try await app.member(program, "anna"), code: "anna")
            #expect(try await app.call(.get, "/metrics").text.contains("kith_clicks_lost_total 0\n"))
            try await app.installation.clicks.write { connection in try connection.executeScript("ALTER TABLE click RENAME TO click_aside") }
            for _ in 0..<3 { #expect(try await app.visit("/r/anna").status == 302) }
            await app.installation.clickLog.flush()
            try await app.installation.clicks.write { connection in try connection.executeScript("ALTER TABLE click_aside RENAME TO click") }
            #expect(try await app.visit("/r/anna").status == 302)
            await app.installation.clickLog.flush()
            #expect(try await app.call(.get, "/metrics").text.contains("kith_clicks_lost_total 3\n"))
            #expect(try await app.call(.get, "/metrics").text.contains("kith_clicks_logged_total 1\n"))
        }
    }

    /// Whoever waits for the log finds everything on disk that was taken before.
    @Test(arguments: Engine.allCases) func flushingWaitsForWhatWasTaken(_ engine: Engine) async throws {
        try await AppHarness.with(engine, settings: { $0.clickDurability = .after }) { app in
            let program = try await app.program()
            try await app.link(program, try await app.member(program, "anna"), code: "anna")
            await app.installation.clickLog.flush()
            for round in 1...3 {
                let replies = try await app.atOnce(40) { _ in try await app.visit("/r/anna") }
                #expect(Set(replies.map(\.status)) == [302])
                async let one: Void = app.installation.clickLog.flush()
                async let two: Void = app.installation.clickLog.flush()
                _ = await (one, two)
                let count = try await app.installation.clicks.read { connection in
                    try connection.value("SELECT count(*) FROM click", as: Int64.self)
                }
                #expect(count == Int64(40 * round))
            }
        }
    }
}
