import Compensation
import SeededRandom
import Testing

@testable import PlanLanguage

@Suite struct SchemaTests {
    private func shapeProblems(_ document: PlanJSON) -> [PlanTextProblem] {
        do throws(PlanTextFailure) {
            _ = try Plan(text: document.compact)
            return []
        } catch {
            return error.problems.filter { $0.kind != .meaning }
        }
    }

    @Test("Documents made from the schema are taken by schema and reader, spoiled ones by both or neither", arguments: 0..<40)
    func schemaAndReaderAgree(seed: Int) {
        let schema = schemaValue()
        let check = SchemaCheck(root: schema)
        var maker = DocumentMaker(root: schema, random: SplitMix64(seed: UInt64(seed)))
        var refusals = 0
        for _ in 0..<40 {
            let document = maker.document()
            #expect(check.accepts(document), "seed \(seed): \(document.compact)")
            let problems = shapeProblems(document)
            #expect(problems.isEmpty, "seed \(seed): \(document.compact): \(problems)")
            for _ in 0..<8 {
                var spoiled = maker.spoiled(document)
                if maker.below(3) == 0 { spoiled = maker.spoiled(spoiled) }
                let accepts = check.accepts(spoiled)
                if !accepts { refusals += 1 }
                #expect(accepts == shapeProblems(spoiled).isEmpty, "seed \(seed), schema \(accepts): \(spoiled.compact): \(shapeProblems(spoiled))")
            }
        }
        #expect(refusals > 100)
    }

    @Test("Reading what was written gives the same plan and the same bytes", arguments: 0..<40)
    func writingAndReading(seed: Int) throws {
        var maker = DocumentMaker(root: schemaValue(), random: SplitMix64(seed: 1_000 + UInt64(seed)))
        for _ in 0..<60 {
            let document = maker.document()
            let root = try PlanNodeReader.read(document.compact)
            // Ranks that the document names are made up, so that nothing refers to what is not there.
            var reading = Reading(rankCodes: ["a", "level-1", "Gold_2", "gold", String(repeating: "x", count: 64)])
            guard let parts = Grammar.standard.plan.read(root, &reading) else { continue }
            let writing = Writing(rankCodes: reading.rankCodes)
            let written = try #require(Grammar.standard.plan.write(parts, writing))
            #expect(SchemaCheck(root: schemaValue()).accepts(written), "seed \(seed): \(written.compact)")
            var again = Reading(rankCodes: reading.rankCodes)
            let other = try #require(Grammar.standard.plan.read(try PlanNodeReader.read(written.pretty), &again), "seed \(seed): \(again.problems)")
            #expect(other.plan == parts.plan, "seed \(seed): \(document.compact)")
            #expect(Grammar.standard.plan.write(other, writing)?.compact == written.compact)
        }
    }

    @Test("Every bonus, metric and condition has a place in the schema")
    func complete() throws {
        let schema = schemaValue()
        let text = schema.compact
        for code in [
            "direct", "unilevel", "fastStart", "tiered", "slab", "differential", "rankDifferential", "breakaway", "generation", "infinity",
            "binary", "matrix", "matching", "pool", "rankAdvancement", "milestone", "personalVolume", "groupVolume", "limitedGroupVolume",
            "groupVolumeOutside", "outsideVolume", "largestLeg", "legsWithVolume", "legsWithRank", "activeLegs", "enrolledActive",
            "enrolledActiveInLeg", "customers", "tenureMonths", "consecutivePeriods", "qualifiedPeriods",
        ] { #expect(text.contains("{\"const\":\"\(code)\""), "\(code)") }
    }
}
