import Foundation
import Testing
import Web

@testable import App

/// What `kith experiment analyze` says of a file.
@Suite struct ExperimentFileTests {
    private func analyse(_ text: String, weights: [Int]? = nil, isByValue: Bool = false) throws -> JSONValue {
        let comparison = VariantComparison(try ExperimentFile.read(try CSVReader(text: text), weights: weights), isByValue: isByValue)
        let language = PageLanguage(messages: try MessageCatalogue(Embedded.files(.catalogue)).messages(for: "en"), zone: .utc)
        let sentence = DecisionSentence(metric: isByValue ? .value : .rate, control: "control", language: language)
        let json = comparison.json(sentence: sentence(comparison.decision))
        // As it is printed and read again.
        return try JSONValue.parse(json.bytes, maximumBytes: 100_000)
    }

    /// Every figure of the reference file that a file of counts can give, to 1e-6.
    @Test func figuresAreTheReferences() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appendingPathComponent("Engine/Tests/StatisticsTests/experiments.json"))
        let reference = try JSONValue.parse(Array(data), maximumBytes: 1_000_000)
        for row in reference["two_proportions"].list {
            let (control, treatment) = (row["control"].list.compactMap(\.integerValue), row["treat"].list.compactMap(\.integerValue))
            let answer = try analyse("variant,users,conversions\ncontrol,\(control[1]),\(control[0])\nB,\(treatment[1]),\(treatment[0])\n")
            let comparison = try #require(answer["comparisons"].list.first)
            expect(comparison["difference"], row["diff"])
            #expect(abs(abs(number(comparison["z"])) - abs(number(row["z_pooled"]))) < 1e-6 && number(comparison["z"]) > 0)
            expect(comparison["pValue"], row["p_two_sided"])
            for (place, bound) in comparison["interval"].list.enumerated() { expect(bound, row["ci_newcombe"].list[place]) }
            let tests = comparison["tests"]
            for (place, bound) in tests["intervalWald"].list.enumerated() { expect(bound, row["ci_wald"].list[place]) }
            for (place, bound) in tests["intervalAgrestiCaffo"].list.enumerated() { expect(bound, row["ci_agresti_caffo"].list[place]) }
            expect(tests["chiSquare"]["statistic"], row["chi2"])
            expect(tests["chiSquareYates"]["pValue"], row["chi2_yates_p"])
            expect(tests["logLikelihoodRatio"]["pValue"], row["g_p"])
            expect(tests["fisher"]["pValue"], row["fisher_p"])
            for (place, bound) in answer["variants"].list[0]["interval"].list.enumerated() { expect(bound, row["wilson_control"].list[place]) }
        }
        for row in reference["bayes_prob_B_gt_A"].list {
            let (a, b) = (row["A"].list.compactMap(\.integerValue), row["B"].list.compactMap(\.integerValue))
            let answer = try analyse("variant,users,conversions\ncontrol,\(a[1]),\(a[0])\nB,\(b[1]),\(b[0])\n")
            expect(answer["comparisons"].list[0]["probabilityBetter"], row["p"])
        }
        let seen = reference["srm"]["observed"].list.compactMap { $0.integerValue }
        let ratio = try analyse("variant,users,conversions\ncontrol,\(seen[0]),1\nB,\(seen[1]),1\n")
        expect(ratio["sampleRatio"]["chiSquare"], reference["srm"]["chi2"])
        expect(ratio["sampleRatio"]["pValue"], reference["srm"]["p"])
        #expect(ratio["sampleRatio"]["alarm"] == false)
        let samples = ["a", "b"].map { name in (reference["means"]?[name]).list.map { number($0) } }
        let lines = samples.map { "\($0.count),0,\($0.reduce(0, +)),\($0.reduce(0) { $0 + $1 * $1 })" }
        let means = try analyse("variant,users,conversions,sum,sum_squares\ncontrol,\(lines[1])\na,\(lines[0])\n", isByValue: true)["comparisons"].list[0]["means"]
        expect(means["t"], reference["means"]["welch_t"])
        expect(means["pValue"], reference["means"]["welch_p"])
        expect(means["student"]["pValue"], reference["means"]["student_p"])
    }

    @Test func theAnswerIsASentence() throws {
        let better = try analyse("variant,users,conversions\ncontrol,10000,1000\nB,10000,1300\n")
        #expect(better["decision"].text == "use" && better["verdict"].text.hasPrefix("Use B: it is better than control by 3"), "\(better["verdict"].text)")
        #expect(number(better["comparisons"].list[0]["alwaysValidPValue"]) < 0.05)
        let worse = try analyse("variant,users,conversions\ncontrol,10000,1300\nB,10000,1000\n")
        #expect(worse["decision"].text == "keepControl")
        let open = try analyse("variant,users,conversions\ncontrol,1000,100\nB,1000,105\n")
        #expect(open["decision"].text == "goOn")
        let few = try analyse("variant,users,conversions\ncontrol,100,1\nB,100,9\n")
        #expect(few["decision"].text == "doNotDecide" && few["comparisons"].list[0]["alwaysValidPValue"] == .decimal(1))
        let skewed = try analyse("variant,users,conversions\ncontrol,10000,1000\nB,12000,1600\n")
        #expect(skewed["decision"].text == "doNotDecide" && skewed["sampleRatio"]["alarm"] == true)
        #expect(try analyse("variant,users,conversions\ncontrol,10000,1000\nB,12000,1600\n", weights: [5, 6])["decision"].text == "use")
        let nobody = try analyse("variant,users,conversions\r\ncontrol,100,0\r\n\"B, new\",100,0\r\n")
        #expect(nobody["comparisons"].list[0]["relativeLift"] == .null && nobody["comparisons"].list[0]["variant"].text == "B, new")
    }

    @Test(arguments: [
        "", "variant,users\na,1\n", "variant,users,conversions\na,10,1\n", "variant,users,conversions\na,10,1\na,10,1\n", "variant,users,conversions\na,10,11\nb,10,1\n",
        "variant,users,conversions\na,0,0\nb,10,1\n", "variant,users,conversions\na,1e3,1\nb,10,1\n", "variant,users,conversions\n,10,1\nb,10,1\n",
        "variant,users,conversions\na,-1,-1\nb,10,1\n", "variant,users,conversions,sum\na,10,1,2\nb,10,1,2\n", "variant,users,conversions,colour\na,10,1,x\nb,10,1,y\n",
        "variant,users,conversions,sum,sum_squares\na,10,1,100,1\nb,10,1,2,2\n", "variant,users,conversions,sum,sum_squares\na,10,1,nan,inf\nb,10,1,2,2\n",
        "variant,users,conversions\na,10\nb,10,1\n",
    ])
    func whatIsNoTableIsRefused(_ text: String) { #expect(throws: (any Error).self) { try analyse(text) } }

    private func number(_ value: JSONValue?) -> Double { if case .number(let number)? = value { Double(number.token) ?? .nan } else { .nan } }

    private func expect(_ value: JSONValue?, _ wanted: JSONValue?, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(abs(number(value) - number(wanted)) <= 1e-6, "\(number(value)) is not \(number(wanted))", sourceLocation: sourceLocation)
    }
}
