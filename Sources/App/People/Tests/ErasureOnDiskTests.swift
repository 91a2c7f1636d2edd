import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// PostgreSQL keeps old rows in its files. Of people who are erased nothing readable is left there; what is sealed never was readable.
@Suite struct ErasureOnDiskTests {
    /// Texts that no other test has: all databases of the server share one log.
    private struct Traces {
        let mark = UUID().uuidString.lowercased()

        /// What is sealed under the person's key.
        var sealed: [String] {
            ["\(mark)@sealed.test", "name-\(mark)", "external-\(mark)", "note-\(mark)", "website-\(mark)", "buyer-\(mark)@sealed.test", "customer-\(mark)"]
        }
        /// What must be readable while they are not erased, or what nobody takes for a name.
        var readable: [String] {
            ["code-\(mark.prefix(18))", "target-\(mark)", "agent-\(mark)", "blog-\(mark)", "campaign-\(mark)", "reason-\(mark)", "typed-\(mark.prefix(18))", "bound-\(mark)"]
        }
    }

    @Test func nothingReadableIsLeftInTheFiles() async throws {
        try await AppHarness.with(.postgres) { app in
            let traces = Traces()
            let (anna, customer) = try await Self.live(traces, app)
            let files = try await DataFiles.of(app.installation.main)
            let log = try await DataFiles.log(of: app.installation.main)
            try await PostgresDatabase.outsideTransaction(url: app.location, "CHECKPOINT")
            for text in traces.readable { #expect(files.hold(text), "\(text) is looked for where it is") }
            for text in traces.sealed { #expect(!files.hold(text) && !log.hold(text), "\(text) was never written") }
            let wrapped = try await app.installation.keys.read { connection in
                try connection.rows("SELECT wrapped FROM person_key").map { try $0.get(at: 0, as: [UInt8].self) }
            }

            try await app.api(.delete, "/members/\(anna)/person").success("erasing the member")
            try await app.eraseCustomer(customer)
            try await app.rewriteNow()

            try await PostgresDatabase.outsideTransaction(url: app.location, "CHECKPOINT")
            for text in traces.readable + traces.sealed { #expect(!files.hold(text), "\(text) is left") }
            for text in traces.sealed { #expect(!log.hold(text)) }
            #expect(try await app.installation.erasureRemains() == 0)
            // The keys that are gone are gone from their files too.
            let keyFiles = try await DataFiles.of(app.installation.keys)
            let kept = Set(
                try await app.installation.keys.read { connection in
                    try connection.rows("SELECT wrapped FROM person_key").map { try $0.get(at: 0, as: [UInt8].self) }
                })
            let gone = wrapped.filter { !kept.contains($0) }
            #expect(gone.count == 2)
            for key in gone { #expect(!keyFiles.hold(bytes: key)) }
            #expect(kept.first.map { keyFiles.hold(bytes: $0) } == true, "a key is looked for where it is")
        }
    }

    /// While somebody reads what was, it can't go; it goes as due work when they are done.
    @Test func anOldReaderPutsItOff() async throws {
        try await AppHarness.with(.postgres, settings: { $0.connections = 8 }) { app in
            let traces = Traces()
            let (anna, _) = try await Self.live(traces, app)
            let files = try await DataFiles.of(app.installation.main)
            let (begun, ended) = (Release(), Release())
            async let reading: Void = app.installation.main.read { connection in
                _ = try connection.rows("SELECT id FROM link")
                begun.signal()
                ended.wait()
            }
            await Task.detached { begun.wait() }.value
            try await app.api(.delete, "/members/\(anna)/person").success("erasing the member")
            #expect(try await app.installation.erasureRemains() > 0)
            #expect(try await app.call(.get, "/metrics").text.contains("kith_erasure_remains 0\n") == false)
            ended.signal()
            try await reading
            try await app.rewriteNow()
            try await PostgresDatabase.outsideTransaction(url: app.location, "CHECKPOINT")
            #expect(!files.hold(traces.readable[0]))
            #expect(try await app.call(.get, "/metrics").text.contains("kith_erasure_remains 0\n"))
        }
    }

    /// Samples for planning hold nobody's texts.
    @Test func statisticsSampleNoTexts() async throws {
        try await AppHarness.with(.postgres) { app in
            let traces = Traces()
            _ = try await Self.live(traces, app)
            try await PostgresDatabase.outsideTransaction(url: app.location, "ANALYZE")
            let samples = try await app.installation.main.read { connection in
                try connection.rows(
                    "SELECT tablename || '.' || attname || ': ' || coalesce(CAST(most_common_vals AS TEXT), '') || coalesce(CAST(histogram_bounds AS TEXT), '') FROM pg_stats WHERE schemaname = 'public'"
                ).map { try $0.get(at: 0, as: String?.self) ?? "" }
            }
            #expect(samples.count > 100)
            for text in traces.readable + traces.sealed { #expect(samples.filter { $0.contains(text) } == []) }
        }
    }

    /// A member with a link, and a customer who came by it, left and wrote traces everywhere.
    private static func live(_ traces: Traces, _ app: AppHarness) async throws -> (member: String, customer: String) {
        let (sealed, readable) = (traces.sealed, traces.readable)
        let program = try await app.program()
        _ = try await app.percentRule(program, "0.10")
        let anna = try await app.member(
            program, "anna",
            [
                "email": .text(sealed[0]), "name": .text(sealed[1]), "externalId": .text(sealed[2]), "attributes": ["note": .text(sealed[3])],
                "website": .text("https://\(sealed[4]).test/"),
            ])
        try await app.link(program, anna, code: readable[0], ["destination": .text("https://shop.test/\(readable[1])")])
        var browser = Browser.chrome
        browser[.userAgent] = "\(Browser.chromeAgent) \(readable[2])"
        browser[.referer] = "https://\(readable[3]).test/post"
        let click = try await app.visit("/r/\(readable[0])?utm_campaign=\(readable[4])", browser)
        let id = String((click.headers[.location] ?? "").split(separator: "=").last ?? "")
        let lead = try await app.post(
            "/track/lead",
            [
                "clickId": .text(id), "eventName": "sign-up", "customerExternalId": .text(sealed[6]), "customerEmail": .text(sealed[5]),
                "customerName": .text(sealed[1]), "metadata": ["note": .text(sealed[3])], "code": .text(readable[6]),
            ], idempotencyKey: "lead-1")
        try await app.post(
            "/track/sale", AppHarness.saleBody("inv-1", sealed[6], 1_000, ["metadata": ["note": .text(sealed[3])], "code": .text(readable[6])]),
            idempotencyKey: "sale-1")
        try await app.post("/track/refund", ["invoiceId": "inv-1", "refundId": "r-1", "amount": 100, "reason": .text(readable[5])], idempotencyKey: "refund-1")
        let customer = lead["customerId"].text
        try await app.put("/customers/\(customer)/assignment", ["programId": .text(program), "memberId": .text(anna), "reason": .text(readable[7])])
        return (anna, customer)
    }
}

extension AppHarness {
    /// Does what `kith jobs run --rewrite` does until nothing is left: other tests' work on the same server may hold it up.
    func rewriteNow() async throws {
        for _ in 0..<10_000 where try await installation.erasureRemains() > 0 {
            await installation.rewriteErased(isForced: true)
        }
    }
}
