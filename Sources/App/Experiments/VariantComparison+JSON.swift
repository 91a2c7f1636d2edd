import Statistics
import Web

extension Interval {
    var json: JSONValue { .array([.decimal(lower), .decimal(upper)]) }
}

extension VariantComparison {
    /// As `kith experiment analyze --json` prints it.
    func json(sentence: String) -> JSONValue {
        [
            "variants": .array(variants.map(Self.json)),
            "comparisons": .array(variants.dropFirst().map(comparison)),
            "sampleRatio": sampleRatio.map { ratio in
                let test = ratio.chiSquared()
                return ["chiSquare": .decimal(test.statistic), "pValue": .decimal(test.pValue), "alarm": .boolean(test.pValue < SampleRatio.alarmBelow)]
            } ?? .null,
            "metric": .text(isByValue ? "value" : "conversion"), "minimumEffect": .decimal(effect), "decision": .text(decision.code), "verdict": .text(sentence),
        ]
    }

    private static func json(_ variant: VariantCounts) -> JSONValue {
        var members = [
            JSONMember("name", .text(variant.name)), JSONMember("users", .integer(Int64(variant.people.users))),
            JSONMember("conversions", .integer(Int64(variant.people.conversions))), JSONMember("rate", .decimal(variant.people.rate)),
            JSONMember("interval", variant.people.wilson().json), JSONMember("intervalExact", variant.people.clopperPearson().json),
        ]
        if let values = variant.values {
            members += [JSONMember("mean", .decimal(values.mean)), JSONMember("variance", .decimal(values.variance))]
        }
        return .object(members)
    }

    private func comparison(_ variant: VariantCounts) -> JSONValue {
        guard let control = variants.first else { return .null }
        let both = TwoProportions(control: control.people, treatment: variant.people)
        let z = both.pooledZ()
        let test = test(of: variant, isByValue: false)
        var members = [
            JSONMember("variant", .text(variant.name)), JSONMember("difference", .decimal(both.difference)), JSONMember("z", .decimal(z.statistic)),
            JSONMember("pValue", .decimal(z.pValue)), JSONMember("interval", both.newcombe().json), JSONMember("relativeLift", .decimal(both.relativeLift)),
            JSONMember("probabilityBetter", .decimal(BetaComparison.probabilityBetter(both))),
            JSONMember("alwaysValidPValue", .decimal(test?.pValue ?? 1)), JSONMember("alwaysValidInterval", test?.interval?.json ?? .null),
            JSONMember("tests", Self.tests(both)),
        ]
        if let first = control.values, let second = variant.values, let means = TwoMeans(first: first, second: second) {
            members.append(JSONMember("means", self.means(means, variant)))
        }
        return .object(members)
    }

    /// The other tests of the same table, for those who compare with another program.
    private static func tests(_ both: TwoProportions) -> JSONValue {
        func json(_ result: TestResult) -> JSONValue { ["statistic": .decimal(result.statistic), "pValue": .decimal(result.pValue)] }
        return [
            "zUnpooled": json(both.unpooledZ()), "chiSquare": json(both.chiSquared()), "chiSquareYates": json(both.chiSquaredYates()),
            "logLikelihoodRatio": json(both.logLikelihoodRatio()), "fisher": ["oddsRatio": .decimal(both.oddsRatio), "pValue": .decimal(both.fisherExact())],
            "intervalWald": both.wald().json, "intervalAgrestiCaffo": both.agrestiCaffo().json,
        ]
    }

    private func means(_ means: TwoMeans, _ variant: VariantCounts) -> JSONValue {
        let (welch, student) = (means.welch(), means.student())
        let test = test(of: variant, isByValue: true)
        return [
            "difference": .decimal(means.estimate.value), "t": .decimal(welch.statistic), "degreesOfFreedom": .decimal(means.welchDegreesOfFreedom),
            "pValue": .decimal(welch.pValue), "interval": means.welchInterval().json,
            "student": ["statistic": .decimal(student.statistic), "pValue": .decimal(student.pValue)],
            "relativeLift": .decimal(means.first.mean == 0 ? nil : means.estimate.value / means.first.mean), "alwaysValidPValue": .decimal(test?.pValue ?? 1),
            "alwaysValidInterval": test?.interval?.json ?? .null,
        ]
    }
}
