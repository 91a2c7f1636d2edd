import Chronology
import Compensation
import Money
import Testing

@testable import PlanLanguage

@Suite struct PlanTextTests {
    static let sample = """
        # A sample with most of the language.
        plan: sample
        version: 3
        unit: EUR
        calendar: {length: week, startsOn: monday, zone: Europe/Berlin}
        active: {metric: personalVolume, of: both, atLeastMinor: 10000}
        ranks:
          - rank: bronze
            condition: active
          - rank: gold
            condition:
              all:
                - active
                - {metric: groupVolume, atLeastMinor: 500000}
                - {metric: legsWithRank, rank: bronze, atLeast: 2}
        trackers:
          - tracker: busy
            condition: active
        bonuses:
          - bonus: retail
            type: direct
            terms:
              - percent: 20%
                orders: {turn: first}
              - flatMinor: [{fromRank: none, amountMinor: 100}, {fromRank: gold, amountMinor: 300}]
            orders: {buyer: customer}
          - bonus: level
            type: unilevel
            rates:
              - {fromRank: bronze, levels: [5%, "0.04"]}
              - {fromRank: gold, levels: [5%, 4%, 2.5%]}
            compression: {mode: removeInactive, keeps: active}
            cap: 100000
            eligibility: {all: [active, {metric: qualifiedPeriods, tracker: busy, withinPeriods: 3, atLeastPeriods: 2}]}
          - bonus: match
            type: matching
            bonuses: [level]
            rates: [10%]
        planCap: 50%
        soldOrUsed: {atLeast: 70%, usedBelowMinor: 0, bonuses: [level, match]}
        """

    @Test("A plan in YAML becomes the value it says")
    func reading() throws {
        let plan = try Plan(text: Self.sample)
        #expect(plan.code == "sample" && plan.version == 3 && plan.unit.code == "EUR")
        #expect(plan.calendar.length == .week(startWeekday: 1) && plan.calendar.zone.name == "Europe/Berlin")
        #expect(plan.active == .atLeast(.personalVolume(.qualifying, of: .both, on: .enroller), 10_000))
        #expect(plan.ranks.map(\.code) == ["bronze", "gold"])
        guard case .unilevel(let rule) = plan.bonuses[1].rule else {
            Issue.record("no unilevel")
            return
        }
        #expect(rule.rates.rows == [[], [try Rate("0.05"), try Rate("0.04")], [try Rate("0.05"), try Rate("0.04"), try Rate("0.025")]])
        #expect(plan.bonuses[1].capMinor == [100_000])
        #expect(plan.planCap == (try Rate("0.5")))
        #expect(plan.soldOrUsed == SoldOrUsedRule(atLeast: try #require(SharePPM(ppm: 700_000)), below: .proRata, usedBelowMinor: 0, bonuses: ["level", "match"]))
        guard case .direct(let direct) = plan.bonuses[0].rule else { return }
        #expect(direct.terms[1].reward == .flat([100, 100, 300]))
    }

    @Test("The canonical bytes don't depend on how the text is written")
    func canonical() throws {
        let plan = try Plan(text: Self.sample)
        let again = try Plan(text: plan.canonicalJSON)
        #expect(again == plan && again.canonicalJSON == plan.canonicalJSON)
        let otherwise = Self.sample.replacing("20%", with: "\"0.20\"").replacing("cap: 100000", with: "cap: [{fromRank: none, amountMinor: 100000}]")
        #expect(try Plan(text: otherwise).canonicalJSON == plan.canonicalJSON)
        #expect(try Plan(text: plan.prettyJSON) == plan)
    }

    @Test("The zone's offsets are those of the summer and the winter")
    func zone() throws {
        let zone = try Plan(text: Self.sample).calendar.zone
        let winter = try Instant(rfc3339: "2026-01-10T23:30:00Z")
        let summer = try Instant(rfc3339: "2026-07-10T22:30:00Z")
        #expect(zone.localDay(of: winter)?.iso8601 == "2026-01-11")
        #expect(zone.localDay(of: summer)?.iso8601 == "2026-07-11")
        #expect(zone.localDay(of: try Instant(rfc3339: "2026-01-10T22:30:00Z"))?.iso8601 == "2026-01-10")
    }

    struct Mistake: CustomTestStringConvertible, Sendable {
        let find: String
        let replace: String
        let line: Int
        let path: String
        let says: String
        var allows: String = ""
        var testDescription: String { replace }
    }

    @Test(
        "A mistake is named by its line, its place and what is allowed",
        arguments: [
            Mistake(find: "version: 3", replace: "version: three", line: 3, path: "version", says: "whole number"),
            Mistake(find: "version: 3", replace: "version: 0", line: 3, path: "version", says: "within 1 to 1000000"),
            Mistake(find: "version: 3", replace: "version: 1.5", line: 3, path: "version", says: "the number 1.5"),
            Mistake(find: "version: 3", replace: "version:", line: 3, path: "version", says: "found nothing"),
            Mistake(find: "unit: EUR", replace: "unit: EUX", line: 4, path: "unit", says: "no currency"),
            Mistake(find: "unit: EUR", replace: "unit: EUR\nunit: USD", line: 4, path: "", says: "twice"),
            Mistake(find: "unit: EUR", replace: "unti: EUR", line: 4, path: "unti", says: "unknown key", allows: "unit"),
            Mistake(find: "startsOn: monday", replace: "startsOn: 1", line: 5, path: "calendar.startsOn", says: "word", allows: "tuesday"),
            Mistake(find: "Europe/Berlin", replace: "Europe/Bärlin", line: 5, path: "calendar.zone", says: "time zone"),
            Mistake(find: "Europe/Berlin", replace: "Europe/Atlantis", line: 5, path: "calendar.zone", says: "no time zone"),
            Mistake(find: "length: week", replace: "length: wek", line: 5, path: "calendar.length", says: "no length", allows: "fortnight"),
            Mistake(find: "atLeastMinor: 10000}", replace: "atLeast: 10000}", line: 6, path: "active.atLeast", says: "unknown key", allows: "atLeastMinor"),
            Mistake(find: "atLeastMinor: 10000}", replace: "}", line: 6, path: "active", says: "“atLeastMinor” is missing"),
            Mistake(find: "active: {metric: personalVolume", replace: "active: {metric: persnalVolume", line: 6, path: "active.metric", says: "no metric", allows: "personalVolume"),
            Mistake(find: "condition: active\n  - rank: gold", replace: "condition: actve\n  - rank: gold", line: 9, path: "ranks[0].condition", says: "actve", allows: "active"),
            Mistake(find: "rank: bronze, atLeast: 2", replace: "rank: silver, atLeast: 2", line: 15, path: "ranks[1].condition.all[2].rank", says: "no rank “silver”", allows: "bronze"),
            Mistake(find: "type: unilevel", replace: "type: unilvel", line: 27, path: "bonuses[1].type", says: "no type", allows: "unilevel"),
            Mistake(find: "levels: [5%, \"0.04\"]", replace: "levels: [5%, 0.04]", line: 29, path: "bonuses[1].rates[0].levels[1]", says: "the number 0.04"),
            Mistake(find: "levels: [5%, \"0.04\"]", replace: "levels: [5 %]", line: 29, path: "bonuses[1].rates[0].levels[0]", says: "expected a rate"),
            Mistake(find: "- {fromRank: gold, levels", replace: "- {fromRank: none, levels", line: 29, path: "bonuses[1].rates", says: "order of the ranks"),
            Mistake(find: "mode: removeInactive", replace: "mode: dynamic", line: 31, path: "bonuses[1].compression.mode", says: "no mode", allows: "rollUp"),
            Mistake(find: "cap: 100000", replace: "cap: -1", line: 32, path: "bonuses[1].cap", says: "-1"),
            Mistake(find: "cap: 100000", replace: "cap: [{fromRank: gold, amountMinor: 5}]", line: 32, path: "bonuses[1].cap", says: "none"),
            Mistake(find: "tracker: busy, within", replace: "tracker: bussy, within", line: 33, path: "bonuses[1].eligibility.all[1].tracker", says: "no tracker", allows: "busy"),
            Mistake(find: "bonuses: [level]", replace: "bonuses: [levels]", line: 36, path: "bonuses[2].bonuses", says: "no bonus “levels”", allows: "level"),
            Mistake(find: "bonuses: [level]", replace: "bonuses: [match]", line: 36, path: "bonuses[2].bonuses", says: "must stand before"),
            Mistake(find: "bonuses: [level]", replace: "bonuses: [level, level]", line: 36, path: "bonuses[2].bonuses", says: "twice"),
            Mistake(find: "bonus: match", replace: "bonus: level", line: 34, path: "bonuses[2].bonus", says: "twice"),
            Mistake(find: "  - rank: gold\n", replace: "  - rank: none\n    condition: active\n  - rank: gold\n", line: 7, path: "ranks", says: "no name for a rank"),
            Mistake(find: "planCap: 50%", replace: "planCap: 50", line: 38, path: "planCap", says: "the number 50"),
            Mistake(find: "atLeast: 70%, used", replace: "atLeast: 170%, used", line: 39, path: "soldOrUsed.atLeast", says: "expected a share"),
            Mistake(find: "atLeast: 70%, used", replace: "atLeast: 0.7, used", line: 39, path: "soldOrUsed.atLeast", says: "the number 0.7"),
            Mistake(find: "{atLeast: 70%, used", replace: "{used", line: 39, path: "soldOrUsed", says: "“atLeast” is missing"),
            Mistake(find: "usedBelowMinor: 0", replace: "below: most", line: 39, path: "soldOrUsed.below", says: "word", allows: "proRata"),
            Mistake(find: "usedBelowMinor: 0", replace: "usedBelowMinor: -1", line: 39, path: "soldOrUsed.usedBelowMinor", says: "-1"),
            Mistake(find: "usedBelowMinor: 0", replace: "usedBelow: 0", line: 39, path: "soldOrUsed.usedBelow", says: "unknown key", allows: "usedBelowMinor"),
            Mistake(find: "bonuses: [level, match]", replace: "bonuses: [level, mach]", line: 39, path: "soldOrUsed.bonuses", says: "no bonus “mach”", allows: "match"),
            Mistake(find: "bonuses: [level, match]", replace: "bonuses: []", line: 39, path: "soldOrUsed.bonuses", says: "0 entries"),
        ])
    func mistakes(mistake: Mistake) throws {
        #expect(Self.sample.contains(mistake.find))
        let failure = #expect(throws: PlanTextFailure.self) { try Plan(text: Self.sample.replacing(mistake.find, with: mistake.replace)) }
        let problem = try #require(failure?.problems.first { $0.path == mistake.path && $0.message.contains(mistake.says) }, "\(failure?.description ?? "taken")")
        #expect(abs(problem.line - mistake.line) <= 1 && problem.column > 0, "\(problem)")
        if !mistake.allows.isEmpty { #expect(problem.allowed.contains(mistake.allows), "\(problem)") }
    }

    @Test(
        "Hostile texts are refused at once",
        arguments: [
            ("empty", ""), ("null", "null"), ("a number", "5"), ("a list", "[]"), ("binary", "\u{0}\u{1}\u{2}"), ("tab", "\tplan: x"),
            ("unclosed", "plan: [1, 2"), ("two documents", "plan: a\n---\nplan: b"),
            ("laughs", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"), ("anchor after a quoted text", "a: [\"#\", &a 1]"),
            ("anchor in a key", "{&a b: 1, *a : 2}"), ("merge", "a: &x {b: 1}\nc: {<<: *x}"),
            ("anchor after a hidden quote", "[foo\n \"bar, &x [1], *x]"), ("tag", "plan: !!binary aGk="), ("own tag", "plan: !python/object x"),
            ("tagged map", "!!set {a, b}"), ("list as key", "? [1, 2]\n: 3"), ("map as key", "{{a: 1}: 2}"),
            ("deep lists", String(repeating: "[", count: 900)), ("very deep lists", String(repeating: "[", count: 100_000)),
            ("deep and closed", String(repeating: "[", count: 900) + String(repeating: "]", count: 900)),
            ("deep blocks", String(repeating: "- ", count: 900) + "x"), ("deep maps", String(repeating: "{a: ", count: 500) + "1" + String(repeating: "}", count: 500)),
            ("long", String(repeating: "#", count: PlanNodeReader.bytesLimit + 1)), ("long key", "\(String(repeating: "k", count: 100)): 1"),
            ("many values", "a: [" + String(repeating: "1,", count: 120_000) + "1]"), ("surrogate", #"plan: "\ud800""#),
            ("directive", "%YAML 3.0\n---\nplan: a"), ("carriage return only", "plan: a\rplan: b"),
        ])
    func hostile(name: String, text: String) {
        let clock = ContinuousClock()
        let began = clock.now
        let failure = #expect(throws: PlanTextFailure.self) { try Plan(text: text) }
        #expect(clock.now - began < .seconds(60))
        #expect(failure?.problems.isEmpty == false && (failure?.problems.count ?? 0) <= PlanTextFailure.problemsLimit)
    }

    @Test("Many mistakes are told up to a limit, and deep conditions are refused")
    func limits() throws {
        let many = "plan: x\nunit: EUR\nbonuses: []\n" + (0..<500).map { "key\($0): 1\n" }.joined()
        let failure = #expect(throws: PlanTextFailure.self) { try Plan(text: many) }
        #expect(failure?.problems.count == PlanTextFailure.problemsLimit)
        let deep = Self.sample.replacing("condition: active\ntrackers", with: "x").replacing(
            "eligibility: {all", with: "eligibility: \(String(repeating: "{not: ", count: 50))active\(String(repeating: "}", count: 50))\n    x: {all")
        #expect(throws: PlanTextFailure.self) { try Plan(text: deep) }
    }

    @Test("Words that other YAML takes for truth values are texts here")
    func norway() throws {
        let text = Self.sample.replacing("eligibility: {all: [active,", with: "eligibility: {all: [{attribute: country, equals: NO},")
        let plan = try Plan(text: text)
        guard case .all(let terms) = plan.bonuses[1].eligibility else { return }
        #expect(terms[0] == .attribute("country", equals: "NO"))
    }
}
