import Chronology
import Money
import Statistics
import Web

extension Experiment {
    /// Shares are decimal texts, as in other answers.
    private func share(_ ppm: Int64) -> JSONValue { .text((try? Rate(billionths: ppm * 1_000).text) ?? "0") }

    var members: [JSONMember] {
        [
            JSONMember("id", .text(id.text)), JSONMember("programId", .text(programID.text)), JSONMember("name", .text(name)), JSONMember("kind", .text(kind.rawValue)),
            JSONMember("metric", .text(metric.rawValue)), JSONMember("state", .text(state.rawValue)), JSONMember("holdoutShare", share(Int64(holdoutPPM))),
            JSONMember("layer", layer.isEmpty ? .null : .text(layer)),
            JSONMember("layerShare", share(Int64(buckets.count) * Self.ppm / Int64(VariantAllocation.bucketsOfLayer))),
            JSONMember("minimumEffect", share(effectPPM)),
            JSONMember(
                "guards",
                [
                    "refunds": share(guards.refundPPM), "fraud": share(guards.fraudPPM),
                    "cost": guards.costMinor.map { .integer($0) } ?? .null,
                ]),
            JSONMember("variants", .array(variants.map(\.json))), JSONMember("chosen", chosen.map { .text(name(of: $0)) } ?? .null),
            JSONMember("startedAt", startedAt.map { .text($0.rfc3339) } ?? .null), JSONMember("endedAt", endedAt.map { .text($0.rfc3339) } ?? .null),
            JSONMember("createdAt", .text(createdAt.rfc3339)),
        ]
    }

    var json: JSONValue { .object(members) }

    func json(_ assignment: ExperimentAssignment) -> JSONValue {
        let position = assignment.position
        let reason =
            switch (assignment, state) {
            case (_, .concluded): "concluded"
            case (_, .stopped): "stopped"
            case (.variant, _): "assigned"
            case (.holdout, _): "holdout"
            case (.outside, _): "outside"
            case (.notStarted, _): "notStarted"
            }
        return [
            "experimentId": .text(id.text), "variant": position.map { .text(name(of: $0)) } ?? .null, "position": position.flatMap { $0 >= 0 ? .integer(Int64($0)) : nil } ?? .null,
            "holdout": .boolean(assignment == .holdout), "reason": .text(reason),
            "content": position.flatMap { variants.indices.contains($0) ? variants[$0].contentJSON : nil } ?? .object([]),
        ]
    }
}

extension Experiment.Variant {
    var contentJSON: JSONValue { .object(content.map { JSONMember($0.name, .text($0.text)) }) }
    var json: JSONValue { ["name": .text(name), "weight": .integer(Int64(weight)), "content": contentJSON] }
}

extension ExperimentAnalysis {
    func json(sentence: String) -> JSONValue {
        let counts = counts
        return .object(
            experiment.members + [
                JSONMember(
                    "analysis",
                    [
                        "decision": .text(decision.code), "verdict": .text(sentence), "until": .text(until.rfc3339), "days": .integer(Int64(course.days)),
                        "looks": .integer(Int64(course.looks.count)), "minimumEffect": .decimal(course.effect),
                        "variants": .array(zip(experiment.variants, course.variants).map { variant, tally in variantJSON(variant, tally) }),
                        "tired": .array(tired.sorted().map { .text(experiment.name(of: $0)) }),
                        "comparisons": .array(
                            experiment.variants.enumerated().dropFirst().map { position, variant in comparison(variant, counts.first ?? nil, counts[position], course.tests[position - 1]) }),
                        "sampleRatio": [
                            "alwaysValidPValue": .decimal(course.ratioPValue), "alarm": .boolean(hasRatioAlarm), "mismatched": .integer(Int64(facts.mismatched)),
                            "crossed": .integer(Int64(facts.crossed)),
                        ], "holdout": holdoutJSON, "guards": .array(guards.map(guardJSON)), "segments": .array(segments.map(segmentJSON)), "cuped": cupedJSON,
                        "isCut": .boolean(facts.isCut),
                    ])
            ])
    }

    private func variantJSON(_ variant: Experiment.Variant, _ tally: ExperimentCourse.Tally) -> JSONValue {
        let counts = tally.counts(variant.name)
        return [
            "name": .text(variant.name), "users": .integer(Int64(tally.users)), "conversions": .integer(Int64(tally.conversions)), "rate": .decimal(counts?.people.rate),
            "interval": counts?.people.wilson().json ?? .null, "mean": isByValue ? .decimal(counts?.values?.mean) : .null,
        ]
    }

    private func comparison(_ variant: Experiment.Variant, _ control: VariantCounts?, _ treatment: VariantCounts?, _ test: SequentialTest?) -> JSONValue {
        let both = control.flatMap { control in treatment.map { TwoProportions(control: control.people, treatment: $0.people) } }
        let means = control?.values.flatMap { first in treatment?.values.flatMap { TwoMeans(first: first, second: $0) } }
        let z = both?.pooledZ()
        let welch = means?.welch()
        return [
            "variant": .text(variant.name), "difference": .decimal(isByValue ? means?.estimate.value : both?.difference),
            "z": .decimal(isByValue ? welch?.statistic : z?.statistic), "pValue": .decimal(isByValue ? welch?.pValue : z?.pValue),
            "interval": (isByValue ? means?.welchInterval() : both?.newcombe())?.json ?? .null,
            "relativeLift": .decimal(isByValue ? means.flatMap { $0.first.mean > 0 ? $0.estimate.value / $0.first.mean : nil } : both?.relativeLift),
            "probabilityBetter": .decimal(both.map(BetaComparison.probabilityBetter)), "alwaysValidPValue": .decimal(test?.pValue ?? 1),
            "alwaysValidInterval": test?.interval.map { $0.isEmpty ? .null : $0.json } ?? .null,
        ]
    }

    private var holdoutJSON: JSONValue {
        guard let heldOut else { return .null }
        return [
            "users": .integer(Int64(heldOut.people.users)), "conversions": .integer(Int64(heldOut.people.conversions)), "rate": .decimal(heldOut.people.rate),
            "incremental": .decimal(incrementality?.conversions), "interval": incrementality?.interval.json ?? .null, "cost": .integer(costMinor),
            "costEach": .decimal(costEach),
        ]
    }

    private func guardJSON(_ guarded: Guarded) -> JSONValue {
        [
            "variant": .text(guarded.variant), "name": .text(guarded.guardMetric.name), "state": .text(guarded.guardMetric.state.rawValue),
            "margin": .decimal(guarded.guardMetric.margin), "control": .decimal(guarded.control), "treatment": .decimal(guarded.treatment),
            "interval": guarded.guardMetric.test.interval?.json ?? .null,
        ]
    }

    private func segmentJSON(_ segment: Segment) -> JSONValue {
        func side(_ counts: VariantCounts) -> JSONValue {
            ["users": .integer(Int64(counts.people.users)), "conversions": .integer(Int64(counts.people.conversions)), "rate": .decimal(counts.people.rate), "mean": isByValue ? .decimal(counts.values?.mean) : .null]
        }
        return ["segment": .text(segment.name), "variant": .text(segment.variant), "control": side(segment.control), "treatment": side(segment.treatment), "pValue": .decimal(segment.pValue)]
    }

    private var cupedJSON: JSONValue {
        guard !sharpened.isEmpty else { return .null }
        return [
            "varianceReduction": .decimal(varianceReduction),
            "comparisons": .array(
                sharpened.map { one in
                    ["variant": .text(one.variant), "difference": .decimal(one.difference), "alwaysValidInterval": one.interval?.json ?? .null, "alwaysValidPValue": .decimal(one.pValue)]
                }),
        ]
    }
}
