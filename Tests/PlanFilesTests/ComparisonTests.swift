import Chronology
import Compensation
import Foundation
import PlanFiles
import Testing

@Suite struct ComparisonTests {
    @Test("Two plans on the same facts: cost, winners, losers and the files that say so")
    func twoPlans() async throws {
        let folder = try Folder()
        let base = "unit: EUR\nbonuses: [{bonus: s, type: unilevel, rates: RATES, orders: {buyer: customer}}]\n"
        let one = try folder.write("one.yaml", "plan: one\n" + base.replacing("RATES", with: "[20%, 5%]"))
        let two = try folder.write("two.yaml", "plan: two\n" + base.replacing("RATES", with: "[18%, 8%]"))
        let result = try await PlanComparison(planPaths: [one, two], files: Gallery.facts("affiliate-two-tier"), outputPath: folder.path + "/out").run()
        // January o1, o2, o3 and February o5, o6 as on the page of the plan; 20/5 gives 9,748 + 1,250.
        #expect(result.plans[0].totalMinor == 10_998)
        // 18 %: ben 1,800 + 1,800, cleo 4,500 − 900, anna 898; 8 %: anna 800 + 800, ben 2,000 − 400.
        #expect(result.plans[1].totalMinor == 11_298)
        let change = result.change(to: 1)
        #expect(change.winners == 2 && change.losers == 1)
        #expect(change.least.first?.member == "cleo" && change.least.first?.beforeMinor == 4_000 && change.least.first?.afterMinor == 3_600)
        #expect(change.gainedMinor - change.lostMinor == 300)
        #expect(result.distribution(of: 0).lorenzPPM.last == 1_000_000)
        let table = try Gallery.text(folder.path + "/out/comparison.csv")
        #expect(table.hasPrefix("member_id,one,2:two,difference\nanna,"))
        let json = try JSONSerialization.jsonObject(with: Data(result.json.utf8)) as? [String: Any]
        #expect((json?["plans"] as? [[String: Any]])?.count == 2)
        #expect(result.table.contains("who loses"))
    }

    @Test("Plans that count in other units or periods are not compared")
    func others() async throws {
        let folder = try Folder()
        let one = try folder.write("one.yaml", "plan: one\nunit: EUR\nbonuses: [{bonus: s, type: unilevel, rates: [5%]}]\n")
        let two = try folder.write("two.yaml", "plan: two\nunit: USD\nbonuses: [{bonus: s, type: unilevel, rates: [5%]}]\n")
        await #expect(throws: PlanCommandFailure.self) {
            try await PlanComparison(planPaths: [one, two], files: Gallery.facts("affiliate-two-tier")).run()
        }
        await #expect(throws: PlanCommandFailure.self) { try await PlanComparison(planPaths: [one], files: Gallery.facts("affiliate-two-tier")).run() }
    }

    @Test("Gini and Lorenz of amounts that can be counted by hand")
    func distribution() async throws {
        let folder = try Folder()
        let plan = "unit: EUR\nbonuses: [{bonus: s, type: direct, terms: [{percent: 100%}], ownPurchases: payBuyer}]\n"
        let one = try folder.write("one.yaml", "plan: one\n" + plan)
        let two = try folder.write("two.yaml", "plan: two\n" + plan)
        let members = "id,kind,enroller_id,joined_at,status\n" + (1...4).map { "m\($0),promoter,,2025-11-03T09:00:00Z,active\n" }.joined()
        // 0, 0, 1 and 3: G = (2 (3·1 + 4·3) − 5·4) ÷ (4·4) = 10 ÷ 16.
        let orders = "id,buyer_id,occurred_at,amount,currency\no1,m3,2026-01-05T10:00:00Z,100,EUR\no2,m4,2026-01-05T10:00:00Z,300,EUR\n"
        let files = FactFiles(members: try folder.write("m.csv", members), orders: try folder.write("o.csv", orders))
        let found = try await PlanComparison(planPaths: [one, two], files: files).run().distribution(of: 1)
        #expect(found.giniPPM == 625_000 && found.lowerHalfPPM == 0 && found.topTenthPPM == 750_000 && found.paidCount == 2)
        #expect(found.quantiles[2] == 5_000)
    }
}
