import Compensation
import Money
import Testing

/// Each limit of the legal audit, at its edge, and countries with limits of their own.
struct LegalCountryTests {
    private static let bonus = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: [.tenth, .tenth]))))

    /// A stands above B, who stands above C; each may have a country.
    private static func scene(_ countries: String?...) -> Scene {
        var scene = Scene("A B<A C<B")
        scene.attributes = ["country"]
        for (row, country) in countries.enumerated() { scene.members[row].attributes = [country] }
        return scene
    }

    private static func failing(_ findings: [AuditFinding], _ check: AuditFinding.Check) -> [AuditFinding] {
        findings.filter { $0.check == check && $0.outcome == .fails }
    }

    @Test(arguments: [(20_001, true), (20_000, false)]) func whatANewParticipantPaysInTheFirstWeekInTheUnitedKingdom(_ paid: Int64, _ fails: Bool) async throws {
        var scene = Self.scene("GB", "GB", "DE")
        scene.order("B", paid - 1_000, day: 0)
        scene.order("B", 1_000, day: 6)
        // The eighth day is no first day any more, and Germany has no such limit.
        scene.order("B", 50_000, day: 7)
        scene.order("C", 90_000, day: 1)
        let result = try await scene.run(Self.bonus)
        let found = Self.failing(result.audit(countries: LegalLimits.countries(unit: "GBP")), .earlyPayments)
        #expect(found.count == (fails ? 1 : 0))
        #expect(found.allSatisfy { $0.part == paid && $0.whole == 20_000 && $0.isHard && $0.member.map(result.facts.memberId) == "B" })
        #expect(Self.failing(result.audit(countries: LegalLimits.countries(unit: "EUR")), .earlyPayments).isEmpty, "£200 says nothing about euros")
    }

    @Test func chinaPaysOneLevelAndThirtyHundredthsOfOwnSales() async throws {
        var scene = Self.scene("CN", "CN", "DE")
        scene.add("K<C", kind: .customer)
        scene.members[3].attributes = [nil]
        scene.order("K", 100_000)
        let result = try await scene.run(Self.bonus)
        let found = result.audit(countries: LegalLimits.countries(unit: "CNY"))
        // C is paid 10,000 on level 1, in Germany; B on level 2 without sales of their own, in China.
        #expect(Self.failing(found, .payPerOwnSales).map { result.facts.memberId($0.member ?? -1) } == ["B"])
        #expect(Self.failing(found, .levels).map { result.facts.memberId($0.member ?? -1) } == ["B"])
        #expect(Self.failing(result.audit(), .levels).isEmpty, "other countries have no such limit")
    }

    @Test(arguments: [(28_571, true), (28_570, false)]) func seventyOfAHundredIsSoldOrUsed(_ bought: Int64, _ fails: Bool) async throws {
        // 199.99 counts as used: 70 % of 285.70.
        var scene = Self.scene("US", "US", "US")
        scene.order("C", bought)
        let result = try await scene.run(Self.bonus)
        let found = Self.failing(result.audit(), .soldOrUsed)
        #expect(found.count == (fails ? 1 : 0))
        if let first = found.first { #expect(first.part == 19_999 && first.whole == bought && first.isHard) }
        // What customers of theirs bought is sold.
        var sold = scene
        sold.add("K<C", kind: .customer)
        sold.members[3].attributes = [nil]
        sold.order("K", 100)
        #expect(Self.failing(try await sold.run(Self.bonus).audit(), .soldOrUsed).isEmpty)
    }

    @Test func whatTheCompanyPromisesIsCompared() async throws {
        var scene = Self.scene("GB", "US", "US")
        scene.order("C", 1_000)
        let result = try await scene.run(Self.bonus)
        func company(_ terms: LegalTerms, _ check: AuditFinding.Check, _ country: String? = nil) -> CheckOutcome? {
            result.audit(countries: LegalLimits.countries(unit: "EUR"), terms: terms).first { $0.check == check && $0.country == country }?.outcome
        }
        #expect(company(LegalTerms(), .buyBack) == .nothingToJudge, "nobody has said what is promised")
        #expect(company(LegalTerms(buyBack: try Rate("0.9"), buyBackMonths: 12), .buyBack) == .passes)
        #expect(company(LegalTerms(buyBack: try Rate("0.899"), buyBackMonths: 12), .buyBack) == .fails)
        #expect(company(LegalTerms(buyBack: try Rate("1"), buyBackMonths: 11), .buyBack) == .fails)
        #expect(company(LegalTerms(), .cancellation, "GB") == .nothingToJudge)
        #expect(company(LegalTerms(cancellationDays: 14), .cancellation, "GB") == .passes)
        #expect(company(LegalTerms(cancellationDays: 13), .cancellation, "GB") == .fails)
        #expect(company(LegalTerms(cancellationDays: 13), .cancellation) == nil, "only where there is such a right")
    }

    @Test func aCountryIsJudgedByItsOwnSales() async throws {
        var scene = Self.scene("US", "US", "DE")
        scene.add("K<C", kind: .customer)
        scene.members[3].attributes = [nil]
        scene.order("B", 50_000)
        scene.order("K", 950_000)
        let result = try await scene.run(Self.bonus)
        let found = result.audit(countries: ["US": LegalLimits()])
        let shares = found.filter { $0.check == .endUserShare }
        #expect(shares.map(\.country) == [nil, "US"])
        #expect(shares.map(\.outcome) == [.passes, .fails], "in the United States all was bought by participants")
    }

    @Test func everyCheckHasASource() {
        for check in AuditFinding.Check.allCases {
            #expect(LegalSource.all.contains { $0.check == check && !$0.source.isEmpty }, "\(check)")
        }
        for source in LegalSource.all {
            guard let country = source.country else { continue }
            #expect(LegalLimits.countries(unit: "GBP")[country] != nil, "\(country) has limits")
        }
    }
}

extension Rate {
    fileprivate static var tenth: Rate { (try? Rate("0.1")) ?? .zero }
}
