import Chronology
import Foundation
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Where the fans are agrees with the pages of customers and members.
struct FanTests {
    @Test(arguments: Engine.allCases) func aBuyerCountsAsACustomer(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna", enroller: nil, ["externalId": "both"])
            try await app.link(program, anna, code: "ANNA")
            for number in 0..<3 { try await app.sale("i-\(number)", "buyer-\(number)", 1_000, ["code": "ANNA"]) }
            try await app.sale("again", "buyer-0", 1_000)
            for number in 0..<2 { try await app.post("/track/lead", ["eventName": "signup", "customerExternalId": .text("lead-\(number)"), "code": "ANNA"]) }
            // Anna buys as well: she is a member, and counts once.
            try await app.sale("own", "both", 1_000)
            let (stages, counts) = try await app.installation.main.read { connection in
                (try FanStore.stages(in: app.twinID, on: connection), try FanStore.customers(in: app.twinID, on: connection))
            }
            #expect(stages["prospect"] == 2 && stages["customer"] == 3)
            #expect(stages.values.reduce(0, +) == 6)
            #expect(counts.buyers == 4 && counts.others == 2)
            let home = try await app.page("/").text
            #expect(home.contains("+4 bought for the first time"))
            #expect(try await app.page("/customers").text.contains("4 have bought, 2 are known"))
            #expect(try await app.page("/sales").text.contains("members earned"))
        }
    }
}
