import Chronology
import Foundation
import Ledger
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The invented company: books that hold, money that moved, people one can tell apart.
struct DemoTests {
    @Test(arguments: Engine.allCases) func fourMonthsWithMoney(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let told = try await CommandVerbs.run("demo", ["workspace": .text(app.workspace.workspace.id.text)], app.installation)
            let key = app.liveKey
            #expect(told["members"].integer == Int64(DemoStory.memberCount))
            var members: [JSONValue] = []
            var after = ""
            repeat {
                let page = try await app.get("/members?limit=50\(after)", as: key)
                members += page["data"].list
                after = page["hasMore"] == true ? "&startingAfter=\(page["nextCursor"].text)" : ""
            } while !after.isEmpty
            #expect(Set(members.map { $0["name"].text }).count == members.count, "no two members of one name")
            let minutes = Set(members.map { String($0["joinedAt"].text.dropFirst(11).prefix(5)) })
            #expect(minutes.count > members.count / 2, "people join at any time: \(minutes.sorted())")
            let zone = try #require(Zone("Europe/Berlin"))
            for member in members {
                let at = try member["joinedAt"].instant()
                let hour = at.millisecondsClamped(since: zone.start(of: zone.day(of: at))) / 3_600_000
                #expect((7...22).contains(hour), "somebody joined at \(hour)")
            }
            // Two payouts that two people made; one payment came back.
            let payouts = try await app.get("/payouts", as: key)["data"].list
            #expect(payouts.map { $0["state"].text }.sorted() == ["failed", "paid"])
            let items = payouts.flatMap { $0["items"].list }
            #expect(items.count { $0["state"].text == "failed" } == 1 && items.count { $0["state"].text == "paid" } > 10)
            #expect(payouts.allSatisfy { $0["createdBy"].text != $0["approvedBy"].text })
            #expect(try await app.get("/commissions?state=held", as: key)["data"].list.count == 1)
            // One return after the payment: who was paid owes, and who stands above them.
            let debtors = try await app.installation.main.read { connection in
                try connection.value(
                    "SELECT count(*) FROM account WHERE workspace_id = \(app.workspace.workspace.id) AND name LIKE 'assets:debt:%' AND balance > 0",
                    as: Int.self)
            }
            #expect(try #require(debtors) >= 1)
            let rules = try await app.get("/programs/\(told["programId"].text)/rules", as: key)["data"].list
            #expect(rules.first { $0["level"] == 2 }["name"].text == "1.5 % to the enroller’s enroller")
            let names = try await app.installation.main.read { [vault = app.installation.vault] connection in
                try TeamStore.team(of: app.workspace.workspace.id, on: connection).compactMap { try TeamStore.identity(of: $0.id, vault: vault, on: connection).name }
            }
            #expect(Set(names) == ["Jonas Reuter", "Paula Stern"])
        }
    }

    @Test func fifteenHundredPeopleOfDifferentNames() {
        let random = RandomSource(SeededGenerator(state: 7))
        var people = DemoPeople()
        let names = (0..<1_500).map { _ in people.make(random).name }
        #expect(Set(names).count == names.count)
        for country in ["DE", "AT", "FR", "ES", "PL", "NL"] {
            #expect(IBAN(DemoAccount.iban(country, random))?.country == country)
        }
    }
}
