import Chronology
import Compensation
import Persistence
import PlanLanguage
import TestSupport
import Testing
import Web

@testable import App

/// Plans on the same facts, without anybody being paid.
struct LaboratoryTests {
    private static func october() throws -> Period {
        try PlanCalendar().period(containing: LocalDay(iso8601: "2026-10-05"))
    }

    @Test func theSameSeedMakesTheSameOrganisationAndAnotherADifferentOne() throws {
        let period = try Self.october()
        let one = OrganisationGenerator(promoters: 300, seed: 7).facts(period: period, zone: .utc)
        let same = OrganisationGenerator(promoters: 300, seed: 7).facts(period: period, zone: .utc)
        let other = OrganisationGenerator(promoters: 300, seed: 8).facts(period: period, zone: .utc)
        #expect(PartsHash.of(one.parts()) == PartsHash.of(same.parts()))
        #expect(PartsHash.of(one.parts()) != PartsHash.of(other.parts()))
        #expect(one.members.count { $0.isPromoter } == 300 && one.orders.count > 100)
        #expect(try FactsSnapshot(one.parts()).orders == one.orders, "what is stored is read again")
    }

    @Test func winnersAndLosersAddUpToTheDifferenceOfTheTotals() async throws {
        let period = try Self.october()
        let facts = OrganisationGenerator(promoters: 500, seed: 3).facts(period: period, zone: .utc)
        let deep = try Compensation.Plan(text: "plan: deep\nunit: EUR\nbonuses: [{bonus: level, type: unilevel, rates: [5%, 5%, 5%, 5%]}]")
        let flat = try Compensation.Plan(text: "plan: flat\nunit: EUR\nbonuses: [{bonus: level, type: unilevel, rates: [15%]}]")
        let trial = try await LaboratoryTrial.run([("deep", deep), ("flat", flat)], facts: facts, period: period)
        let (first, second) = (trial.entries[0], trial.entries[1])
        #expect(first.totalMinor > 0 && first.gain.people == 0 && first.lose.people == 0)
        #expect(second.totalMinor - first.totalMinor == second.gain.amountMinor - second.lose.amountMinor)
        #expect(second.gain.people > 0 && second.lose.people > 0)
        let doubled = try await LaboratoryTrial.run([("", try PlanSensitivity.scaled(flat, percent: 120))], facts: facts, period: period)
        #expect(doubled.entries[0].totalMinor > second.totalMinor)
    }

    @Test(arguments: Engine.allCases)
    func thePageComparesAndTheTreeIsShownBranchByBranch(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            let browser = try await TeamPerson.make("maker", .admin, in: app).enter(app)
            let compared = try await browser.submit(
                "/laboratory", from: "/laboratory",
                ["plan": line.plan, "members": "300", "seed": "5", "percent": "110", "document": "plan: tried\nunit: EUR\nbonuses: [{bonus: level, type: unilevel, rates: [8%]}]", "replay": "yes"])
            #expect(compared.status == 200 && compared.text.contains("tried"))
            let bad = try await browser.submit("/laboratory", from: "/laboratory", ["plan": line.plan, "document": "plan: x"])
            #expect(bad.status == 422)

            let top = try await browser.get("/genealogy?program=\(line.program)")
            #expect(top.status == 200 && top.text.contains("anna") && !top.text.contains("carla"), "one branch at a time")
            let branch = try await browser.get("/genealogy?program=\(line.program)&member=\(line.anna)")
            #expect(branch.text.contains("berta") && branch.text.contains("carla"))
            let found = try await browser.get("/genealogy?program=\(line.program)&find=carla%40members.test")
            #expect(found.text.contains("carla") && found.text.contains("berta"), "with who stands above")
            try await app.post("/members/\(line.carla)/placements", ["parentId": .text(line.anna), "slot": 2])
            let placed = try await browser.get("/genealogy?program=\(line.program)&tree=placement&member=\(line.anna)")
            #expect(placed.status == 200 && placed.text.contains("carla"))
        }
    }

    @Test(arguments: Engine.allCases)
    func aMadeUpOrganisationInATestWorkspaceIsRunAndAccepted(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await app.moveClock(days: 40)
            let made = try await CommandVerbs.run(
                "generate",
                ["workspace": .text(app.twinID.text), "test": true, "program": .text(line.program), "members": 2_000, "seed": 4, "day": "2026-01-10"],
                app.installation)
            #expect((made["orders"]?.wholeNumber ?? 0) > 200)
            let id = try await line.accept(in: app)
            let run = try await app.get("/runs/\(id)")
            #expect((run["summary"]?["payees"].integer ?? 0) > RunPayable.chunkMax, "more than one chunk")
            let chunks = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM journal_transaction WHERE cause = \(id)", as: Int64.self)
            }
            #expect((chunks ?? 0) > 1)
            let archived = try await app.installation.archive.result(of: RunID(stored: id), in: app.twinID, app.installation)
            #expect(try archived.isSame)
        }
    }
}
