import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

@Suite struct ReadinessTests {
    @Test(arguments: Engine.allCases) func readyWhenEveryStoreAnswers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let ready = try await app.call(.get, "/readyz")
            #expect(ready.status == 200)
        }
    }

    /// After the disk failed or a file was found damaged nothing is written, the balancer is told, and reading goes on.
    @Test func notReadyWhenWritingHasStopped() async throws {
        try await AppHarness.with(.sqlite) { app in
            let program = try await app.program()
            guard let main = app.installation.main as? SQLiteDatabase else { throw Refusal.unknown("database") }
            main.simulateDiskFailure("disk I/O error")
            let ready = try await app.call(.get, "/readyz")
            #expect(ready.status == 503)
            #expect(ready.code == "writes_stopped")
            let refused = try await app.api(.post, "/programs", ["name": "Two", "currency": "EUR"])
            #expect(refused.status == 503)
            #expect(refused.code == "writes_stopped")
            #expect(try await app.get("/programs/\(program)")["id"].text == program)
            #expect(try await app.call(.get, "/healthz").status == 200)
        }
    }
}
