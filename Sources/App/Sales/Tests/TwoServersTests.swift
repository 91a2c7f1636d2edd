import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Two servers on one PostgreSQL database answer as one.
@Suite struct TwoServersTests {
    @Test func aKeyInFlightElsewhereIsTold() async throws {
        try await AppHarness.with(.postgres) { app in
            let (_, anna) = try await app.shopWithAnna()
            try await app.withSecondServer { other in
                let body = AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"])
                // The workspace is locked, so the first request can't be answered yet.
                let (held, release) = (AsyncStream<Void>.makeStream(), Release())
                let id = app.twinID
                async let holder: Void = app.installation.main.write { connection in
                    _ = try connection.rows("SELECT id FROM workspace WHERE id = \(id) FOR UPDATE")
                    held.continuation.yield()
                    release.wait()
                }
                for await _ in held.stream { break }
                async let first = app.api(.post, "/track/sale", body, idempotencyKey: "k-1")
                while try await other.advisoryLocks() == 0 { await Task.yield() }

                let second = try await other.api(.post, "/track/sale", body, idempotencyKey: "k-1")
                #expect(second.status == 409)
                #expect(second.code == "idempotency_key_in_use")
                release.signal()
                try await holder
                let answered = try await first
                #expect(answered.status == 201)
                #expect(!answered.isReplayed)
                // Both know the answer at once.
                for server in [other, app] {
                    let again = try await server.api(.post, "/track/sale", body, idempotencyKey: "k-1")
                    #expect(again.status == 201)
                    #expect(again.isReplayed)
                    #expect(again.text == answered.text)
                }
                #expect(try await app.advisoryLocks() == 0, "no key stays locked")
                #expect(try await app.balance(anna)[0] == 100)
            }
        }
    }

    @Test func oneKeyFiftyTimesAtTwoServers() async throws {
        try await AppHarness.with(.postgres) { app in
            let (_, anna) = try await app.shopWithAnna()
            try await app.withSecondServer { other in
                let body = AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"])
                let replies = try await app.atOnce(50) { number in
                    try await (number.isMultiple(of: 2) ? app : other).api(.post, "/track/sale", body, idempotencyKey: "k-1")
                }
                #expect(Set(replies.map(\.status)).isSubset(of: [201, 409]))
                #expect(replies.filter { $0.status == 201 && !$0.isReplayed }.count == 1)
                for reply in replies where reply.status == 409 { #expect(reply.code == "idempotency_key_in_use") }
                // A click is recorded before the transaction: it too must be one.
                let click: JSONValue = ["code": "anna", "userAgent": .text(Browser.chromeAgent)]
                let clicks = try await app.atOnce(20) { number in
                    try await (number.isMultiple(of: 2) ? app : other).api(.post, "/track/click", click, idempotencyKey: "k-2")
                }
                #expect(Set(clicks.filter { $0.status == 201 }.map(\.text)).count == 1)
                let logged = try await app.installation.clicks.read { connection in
                    try connection.value("SELECT count(*) FROM click", as: Int64.self)
                }
                #expect(logged == 1)
                #expect(try await app.balance(anna)[0] == 100)
            }
        }
    }

    /// A refusal of what a call looks up before its transaction belongs to the key as any other does.
    @Test(arguments: Engine.allCases) func earlyRefusalsAreReplayed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let body: JSONValue = ["code": "later", "userAgent": .text(Browser.chromeAgent)]
            let first = try await app.api(.post, "/track/click", body, idempotencyKey: "k-1")
            #expect((400..<500).contains(first.status))
            #expect(!first.isReplayed)
            try await app.link(program, anna, code: "later")
            let again = try await app.api(.post, "/track/click", body, idempotencyKey: "k-1")
            #expect(again.status == first.status)
            #expect(again.isReplayed)
            #expect(again.code == first.code)
            #expect(again.fields == first.fields)
            #expect(try await app.api(.post, "/track/click", body, idempotencyKey: "k-2").status == 201)
            let other = try await app.api(.post, "/track/click", ["code": "anna", "userAgent": .text(Browser.chromeAgent)], idempotencyKey: "k-1")
            #expect(other.code == "idempotency_key_reused")
        }
    }
}

extension AppHarness {
    /// Advisory locks held in this database.
    fileprivate func advisoryLocks() async throws -> Int64 {
        try await installation.main.read { connection in
            try connection.value(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") ?? 0
        }
    }
}
