import Foundation
import Logging
import Persistence
import TestSupport
import Web

@testable import App

/// A second, empty place for the same engine, with the same secrets, for what is restored or imported.
enum OtherPlace {
    static func with(_ app: AppHarness, _ body: (Settings, String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-other-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var settings = app.installation.settings
        guard app.engine == .postgres else {
            settings.database = "sqlite:\(folder)/kith.sqlite"
            return try await body(settings, folder)
        }
        let made = try await TestDatabase.make(.postgres, connections: 2)
        // A restore wants to be alone in its database.
        await made.database.close()
        settings.database = made.location
        do {
            try await body(settings, folder)
        } catch {
            try? await made.remove()
            throw error
        }
        try await made.remove()
    }
}

extension AppHarness {
    /// A program with a rule and a cap, two levels of members, clicks, a lead, sales with metadata, a refund.
    func someHistory() async throws -> (anna: String, customer: String) {
        let program = try await program()
        _ = try await rule(
            program, ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 500, "per": "member", "period": "month"]])
        _ = try await percentRule(program, "0.02", level: 1)
        let root = try await member(program, "root")
        let anna = try await member(program, "anna", enroller: root, ["externalId": "A-1", "deviceId": "phone"])
        try await link(program, anna, code: "anna")
        let click = try await click("anna", visitor: "v1")
        let lead = try await post(
            "/track/lead", ["clickId": .text(click), "eventName": "sign-up", "customerExternalId": "C-1", "customerEmail": "c1@buyers.test"])
        for (invoice, amount) in [("I-1", Int64(1_000)), ("I-2", 3_000), ("I-3", 9_000)] {
            try await post(
                "/track/sale",
                Self.saleBody(invoice, "C-1", amount, ["clickId": .text(click), "metadata": ["channel": "shop", "size": 7]]))
        }
        try await post("/track/refund", ["invoiceId": "I-2", "refundId": "R-1", "amount": 1_000])
        try await installation.applyClicks()
        return (anna, lead["customerId"].text)
    }
}
