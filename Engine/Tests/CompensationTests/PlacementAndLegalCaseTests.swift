import Chronology
import Compensation
import Money
import Testing

@Suite struct PlacementAndLegalCaseTests {
    @Test func powerLine() throws {
        let worked = try WorkedCase("genelet-autoplacement")
        var tree = PlacementTree(width: 2)
        let john = try tree.add("John", below: nil)
        let henry = try tree.place(below: john, .outside(slot: 1))
        let expected = try object(worked.expected["henry"])
        #expect(tree.nodes[henry.parent].id == expected["parent"] as? String)
        #expect(henry.slot == 1)
        let placed = try tree.add("Henry", below: henry.parent, slot: henry.slot)
        let next = try tree.place(below: john, .outside(slot: 1))
        #expect(next == Place(parent: placed, slot: 1))
        #expect(tree.nodes[next.parent].id == (try object(worked.expected["next_auto"])["under"] as? String))
    }

    @Test func leastFilledLeftmost() throws {
        let worked = try WorkedCase("matrix-4wide-least-filled")
        let names = try list(worked.inputs["level1"]).compactMap { $0 as? String }
        func parent(_ counts: [Int]) throws -> String {
            var tree = PlacementTree(width: try integer(worked.inputs["width"]))
            let sponsor = try tree.add("S", below: nil)
            let heads = try names.enumerated().map { try tree.add($0.element, below: sponsor, slot: $0.offset + 1) }
            for (head, count) in zip(heads, counts) { for slot in 0..<count { try tree.add("x", below: head, slot: slot + 1) } }
            return tree.nodes[try tree.place(below: sponsor, .leastFilled).parent].id
        }
        #expect(try parent(try list(worked.inputs["counts"]).compactMap { $0 as? Int }) == worked.expected["parent"] as? String)
        for count in 0..<4 { #expect(try parent([count, count, count, count]) == "A") }
    }

    @Test func holdingTankThursday() throws {
        // US Central is UTC − 6 in winter; 1970-01-05 was a Monday.
        let central = ZoneOffsets(name: "America/Chicago", changes: [.init(from: .earliest, offsetMs: -21_600_000)])
        let tank = HoldingTank(deadline: .weekly(weekday: 4, timeOfDayMs: (22 * 60 + 59) * 60_000), zone: central)
        let monday = day(4, hour: 18)
        let thursday2300 = day(8, hour: 5)
        #expect(try tank.isDue(enrolledAt: monday, now: thursday2300))
        #expect(try !tank.isDue(enrolledAt: monday, now: thursday2300.adding(milliseconds: -120_000)))
        #expect(try !tank.isDue(enrolledAt: thursday2300, now: thursday2300.adding(milliseconds: 86_400_000)))
        let late = HoldingTank(deadline: .dayOfNextMonth(3))
        #expect(try late.flushesAt(enrolledAt: day(10)) == day(33))
        #expect(try HoldingTank(deadline: .afterMs(172_800_000)).flushesAt(enrolledAt: day(1)) == day(3))
    }

    @Test func theOtherPlacements() throws {
        var tree = PlacementTree(width: 2, depth: 2)
        let root = try tree.add("root", below: nil)
        #expect(try tree.place(below: root, .firstEmpty) == Place(parent: root, slot: 1))
        let left = try tree.add("left", below: root, slot: 1, groupVolume: 10)
        let right = try tree.add("right", below: root, slot: 2, groupVolume: 20)
        #expect(try tree.place(below: root, .firstEmpty) == Place(parent: left, slot: 1))
        #expect(try tree.place(below: root, .weaker) == Place(parent: left, slot: 1))
        #expect(try tree.place(below: root, .stronger) == Place(parent: right, slot: 2))
        #expect(try tree.place(below: root, .inside(slot: 1)) == Place(parent: left, slot: 2))
        try tree.add("leftmost", below: left, slot: 1)
        #expect(try tree.place(below: root, .balanced) == Place(parent: right, slot: 1))
        #expect(throws: PlacementTree.Failure.slotTaken) { try tree.add("again", below: left, slot: 1) }
        try tree.add("a", below: left, slot: 2)
        try tree.add("b", below: right, slot: 1)
        try tree.add("c", below: right, slot: 2)
        #expect(throws: PlacementTree.Failure.full) { try tree.place(below: root, .firstEmpty) }
    }

    @Test func seventyPercentRule() throws {
        let worked = try WorkedCase("amway-70-rule")
        let (sold, bought) = (try cents(worked.inputs["sold"]), try cents(worked.inputs["purchased"]))
        let share = try Rate("0.7")
        #expect((LegalChecks.seventyPercentRule(soldOrUsed: sold, bought: bought, atLeast: share) == .passes) == worked.expected["compliant"] as? Bool)
        #expect(try LegalChecks.seventyPercentBonus(cents(worked.inputs["bonus_full"]), soldOrUsed: sold, bought: bought, atLeast: share) == cents(worked.expected["bonus_paid"]))
    }

    @Test func thresholds() throws {
        for id in ["dac7-1", "dac7-3"] {
            let worked = try WorkedCase(id)
            let reportable = LegalChecks.isReportable(sales: Int64(try integer(worked.inputs["transactions"])), considerationMinor: try cents(worked.inputs["gross_eur"]))
            #expect(reportable == worked.expected["reportable"] as? Bool)
        }
        #expect(!LegalChecks.isReportable(sales: 29, considerationMinor: 200_000))
        #expect(LegalChecks.isReportable(sales: 30, considerationMinor: 1))
        #expect(LegalChecks.endUserShare(retail: 79, consumption: 0, revenue: 100, atLeast: try Rate("0.8")) == .fails)
        #expect(LegalChecks.endUserShare(retail: 70, consumption: 10, revenue: 100, atLeast: try Rate("0.8")) == .passes)
        #expect(LegalChecks.endUserShare(retail: 0, consumption: 0, revenue: 0, atLeast: try Rate("0.8")) == .nothingToJudge)
        let consumption = try WorkedCase("herbalife-200")
        #expect(LegalChecks.countableConsumption(try cents(consumption.inputs["personal"]), below: try cents(consumption.expected["rewardable_max_below"])) == 19_999)
        let uk = try WorkedCase("uk-200")
        #expect(LegalChecks.isEarly(daysSinceContract: Int64(try integer(uk.inputs["days_since_contract"])), days: 7))
        #expect((LegalChecks.earlyPayments(total: try cents(uk.inputs["total_paid_gbp"]), atMost: 20_000) == .passes) == uk.expected["ok"] as? Bool)
        #expect(!LegalChecks.isEarly(daysSinceContract: 7, days: 7))
        #expect(LegalChecks.internalShare(internal: 1, rewarded: 3, atMost: 1, over: 3) == .passes)
        #expect(LegalChecks.nonParticipantShare(nonParticipants: 50, total: 100, above: try Rate("0.5")) == .fails)
        #expect(Disclosure.quantile([0, 100], percent: 50) == 5_000)
    }
}
