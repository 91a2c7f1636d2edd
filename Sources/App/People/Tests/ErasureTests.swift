import Foundation
import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// After erasure nothing names the person, in any file, and the books hold.
@Suite struct ErasureTests {
    static let traces = [
        "zyxwvut.traceable@unmistakable.test", "Unmistakeable Quxname", "EXT-8f3a-unmistakable", "metatrace-77c1", "cust-4b2e-unmistakable", "agenttrace-9d21",
        "refundtrace-1e44", "website-trace-5c", "buyer.traceable@unmistakable.test", "Quxbuyer Traceable",
        "keytrace-31d0", "bloggertrace-6a", "campaigntrace-0f",
    ]

    @Test(arguments: Engine.allCases) func nothingIsLeft(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(
                program, "anna",
                [
                    "email": .text(Self.traces[0]), "name": .text(Self.traces[1]), "externalId": .text(Self.traces[2]),
                    "attributes": ["note": .text(Self.traces[3])], "website": "https://website-trace-5c.test/",
                ])
            try await app.link(program, anna, code: "anna")
            var browser = Browser.chrome
            browser[.userAgent] = Browser.chromeAgent + " agenttrace-9d21"
            let click = try await app.visit("/r/anna", browser)
            // Somebody else comes from a page of the sharer's own.
            var reader = Browser.chrome
            reader[.referer] = "https://bloggertrace-6a.test/post"
            _ = try await app.visit("/r/anna?utm_campaign=campaigntrace-0f", reader)
            #expect(try await app.search(for: ["bloggertrace-6a", "campaigntrace-0f"]).count >= 2)
            let id = String((click.headers[.location] ?? "").split(separator: "=").last ?? "")
            try await app.post(
                "/track/lead",
                [
                    "clickId": .text(id), "eventName": "sign-up", "customerExternalId": .text(Self.traces[4]), "customerEmail": .text(Self.traces[8]),
                    "customerName": .text(Self.traces[9]), "metadata": ["note": .text(Self.traces[3])],
                ], idempotencyKey: "lead-1")
            let sale = try await app.post(
                "/track/sale",
                AppHarness.saleBody("inv-1", Self.traces[4], 1_000, ["customerEmail": .text(Self.traces[8]), "customerName": .text(Self.traces[9]), "metadata": ["note": .text(Self.traces[3])]]),
                idempotencyKey: "sale-1")
            #expect(sale["commissions"].list.count == 1)
            try await app.post("/track/refund", ["invoiceId": "inv-1", "refundId": "r-1", "amount": 100, "reason": "refundtrace-1e44"], idempotencyKey: "refund-keytrace-31d0")
            // Names are read once more, so that answers that hold them went out before.
            #expect(try await app.api(.get, "/members/\(anna)").text.contains(Self.traces[0]))
            let customer = try await app.get("/customers")["data"].list.first["id"].text

            let member = try await app.api(.delete, "/members/\(anna)/person")
            #expect(member.status == 200)
            try await app.eraseCustomer(customer)

            for path in ["/members", "/customers", "/sales", "/events", "/audit", "/commissions", "/ledger/transactions", "/refunds"] {
                let text = try await app.api(.get, "\(path)?limit=100").text
                for trace in Self.traces { #expect(!text.contains(trace), "\(path) holds \(trace)") }
            }
            let found = try await app.search(for: Self.traces)
            #expect(found == [])
            #expect(try await app.get("/members/\(anna)")["email"] == .some(.null))
            #expect(try await app.balance(anna)[0] == 90)
            // A retelling of the invoice finds it; a replay of the key does not bring the name back.
            let again = try await app.api(.get, "/sales/\(sale["saleId"].text)")
            #expect(again.status == 200)
            // The same person may come again, as somebody new.
            let second = try await app.member(program, "again", ["email": .text(Self.traces[0])])
            #expect(second != anna)
        }
    }
}

extension AppHarness {
    /// Erases a customer's person as `kith erase-person` does.
    func eraseCustomer(_ id: String) async throws {
        guard let (person, workspace) = try await installation.person(named: id) else { throw Unexpected(description: "no person for \(id)") }
        try await installation.erase(person: person, in: workspace, actor: .command)
    }

    /// Where a text stands: in the raw bytes of the database's files, or in a dump of the database, as it is or in hexadecimal.
    func search(for texts: [String]) async throws -> [String] {
        var places: [(name: String, bytes: Data)] = []
        switch engine {
        case .sqlite:
            let folder = URL(fileURLWithPath: location).deletingLastPathComponent()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                places.append((name, try Data(contentsOf: folder.appendingPathComponent(name))))
            }
        case .postgres:
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["pg_dump", "--dbname", location]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            #expect(data.count > 10_000, "pg_dump printed the database")
            places.append(("pg_dump", data))
        }
        var found: [String] = []
        for (name, bytes) in places {
            for text in texts {
                let hexadecimal = text.utf8.map { String($0, radix: 16) }.joined()
                if bytes.range(of: Data(text.utf8)) != nil || bytes.range(of: Data(hexadecimal.utf8)) != nil { found.append("\(name): \(text)") }
            }
        }
        return found
    }
}
