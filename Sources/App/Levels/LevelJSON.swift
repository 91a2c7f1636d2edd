import Chronology
import Statistics
import Web

/// The answer as JSON.
struct LevelJSON {
    var found: NetworkLevels
    var words: LevelWords

    /// Counts of a level: what is divided by what.
    static let counts: [(name: String, numerator: @Sendable (NetworkLevel) -> Int64, denominator: (@Sendable (NetworkLevel) -> Int64)?)] = [
        ("members", { $0.members }, nil), ("activeMembers", { $0.active }, nil), ("activeShare", { $0.active }, { $0.members }),
        ("sellerShare", { $0.sellers }, { $0.members }), ("newMembers", { $0.joined }, nil), ("recruiters", { $0.recruiters }, nil), ("sales", { $0.sales }, nil),
    ]

    var json: JSONValue {
        let low = Set(found.findings.map(\.level.depth))
        return [
            "from": .text(found.days.lowerBound.iso8601), "to": .text(found.days.upperBound.iso8601),
            "levels": .array(found.levels.map { level($0, isLow: low.contains($0.depth)) }), "levelsCompared": .integer(Int64(found.compared)),
            "findings": .array(found.findings.map(finding)), "health": health,
        ]
    }

    private func figure(_ name: String, _ numerator: Int64, _ denominator: Int64? = nil, value: Double?? = nil) -> JSONValue {
        var result: JSONValue = .integer(numerator)
        if let value {
            result = value.map { .decimal($0) } ?? .null
        } else if let denominator {
            result = denominator > 0 ? .decimal(Double(numerator) / Double(denominator)) : .null
        }
        return [
            "value": result, "numerator": .integer(numerator), "denominator": denominator.map { .integer($0) } ?? .null,
            "definition": .text(words.definition(name)), "reason": result == .null ? .text(words("noValue")) : .null,
        ]
    }

    private func money(_ name: String, _ amounts: [NetworkLevel.Amount]) -> JSONValue {
        [
            "definition": .text(words.definition(name)),
            "amounts": .array(amounts.map { ["currency": .text($0.unit), "value": .integer($0.minor)] }),
        ]
    }

    private func level(_ level: NetworkLevel, isLow: Bool) -> JSONValue {
        var parts = [JSONMember("depth", .integer(level.depth)), JSONMember("isUnderPerforming", .boolean(isLow))]
        for count in Self.counts { parts.append(JSONMember(count.name, figure(count.name, count.numerator(level), count.denominator?(level)))) }
        parts.append(JSONMember("revenue", money("revenue", level.revenue)))
        parts.append(JSONMember("commissionCost", money("commissionCost", level.cost)))
        return .object(parts)
    }

    private func finding(_ finding: LevelFinding) -> JSONValue {
        let friction = finding.friction
        return [
            "depth": .integer(finding.level.depth), "activeShare": .decimal(Double(finding.level.active) / Double(max(1, finding.level.members))),
            "peersActiveShare": .decimal(friction.peers.rate), "difference": .decimal(friction.difference),
            "interval": ["lower": .decimal(friction.interval.lower), "upper": .decimal(friction.interval.upper)], "pValue": .decimal(friction.pValue),
            "adjustedPValue": .decimal(friction.adjustedPValue), "sentence": .text(words.sentence(finding, compared: found.compared)),
            "suggestion": .text(finding.suggestion.rawValue), "suggestionText": .text(words("suggestion.\(finding.suggestion.rawValue)")),
        ]
    }

    private var health: JSONValue {
        let health = found.health
        let all = found.levels.reduce(0) { $0 + $1.members }
        return [
            "recruitsMedian": figure("recruitsMedian", health.recruits, health.recruiters, value: health.medianWidth),
            "recruitsMean": figure("recruitsMean", health.recruits, health.recruiters),
            "deepestLevel": figure("deepestLevel", health.deepest ?? 0, nil, value: health.deepest.map { Double($0) }),
            "medianLevel": figure("medianLevel", all, nil, value: health.medianDepth), "membersDeeper": figure("membersDeeper", health.deeper),
            "byCurrency": .array(
                health.revenue.map { revenue in
                    let credited = revenue.amounts?.reduce(0, +) ?? 0
                    let largest = revenue.amounts?.sorted(by: >).prefix(NetworkHealth.Revenue.largest).reduce(0, +) ?? 0
                    return [
                        "currency": .text(revenue.unit), "gini": figure("gini", credited, Int64(revenue.amounts?.count ?? 0), value: revenue.gini),
                        "largestTenShare": figure("largestTenShare", largest, credited, value: revenue.largestShare),
                        "retailShare": figure("retailShare", revenue.retail, revenue.all),
                    ]
                }),
        ]
    }
}
