import Chronology
import Persistence
import Statistics

/// One depth of the enrolment tree in a period: 1 are those whom nobody introduced.
struct NetworkLevel: Sendable, Hashable {
    struct Amount: Sendable, Hashable {
        var unit: String
        var minor: Int64
    }

    var depth: Int64
    var members: Int64 = 0
    var active: Int64 = 0
    var sellers: Int64 = 0
    /// Those who introduced somebody in the period.
    var recruiters: Int64 = 0
    var joined: Int64 = 0
    var sales: Int64 = 0
    var revenue: [Amount] = []
    var cost: [Amount] = []

    /// What might help where few are active. Rules of thumb: nothing here knows a cause.
    enum Suggestion: String, Sendable, CaseIterable { case welcome, lesson, invite }

    func suggestion(peers: Double) -> Suggestion {
        guard active > 0, Double(active) / Double(members) >= peers / 2 else { return .welcome }
        if sellers * 2 < active { return .lesson }
        return recruiters == 0 ? .invite : .welcome
    }
}

/// A level of which a smaller share was active than of all others, after correction for all levels compared.
struct LevelFinding: Sendable {
    var level: NetworkLevel
    var friction: Friction.Finding<Int64>
    var suggestion: NetworkLevel.Suggestion
}

/// How wide, deep and concentrated a network is, and what share of revenue comes from outside of it.
struct NetworkHealth: Sendable {
    /// Of one currency: nothing is added or converted.
    struct Revenue: Sendable {
        var unit: String
        var all: Int64
        var retail: Int64
        /// What each credited member brought. Nil: more than are looked at.
        var amounts: [Int64]?

        static let largest = 10
        var gini: Double? { amounts.flatMap { Concentration.gini($0) } }
        var largestShare: Double? { amounts.flatMap { Concentration.share(ofLargest: Self.largest, among: $0) } }
    }

    var recruiters: Int64
    var recruits: Int64
    var medianWidth: Double?
    var deepest: Int64?
    var medianDepth: Double?
    /// Below the levels that are looked at.
    var deeper: Int64
    var revenue: [Revenue]

    var meanWidth: Double? { recruiters > 0 ? Double(recruits) / Double(recruiters) : nil }

    /// Of values that stand in order, each as often as it is counted.
    static func median(_ counts: [(value: Int64, count: Int64)]) -> Double? {
        let all = counts.reduce(0) { $0 + $1.count }
        guard all > 0 else { return nil }
        func value(at place: Int64) -> Int64 {
            var passed: Int64 = 0
            for (value, count) in counts {
                passed += count
                if place < passed { return value }
            }
            return 0
        }
        return Double(value(at: (all - 1) / 2) + value(at: all / 2)) / 2
    }
}

/// What is answered of a network for a period.
struct NetworkLevels: Sendable {
    var days: ClosedRange<LocalDay>
    var levels: [NetworkLevel]
    /// How many levels had people enough to be compared.
    var compared: Int
    var findings: [LevelFinding]
    var health: NetworkHealth

    static func find(_ days: ClosedRange<LocalDay>, program: ProgramID?, in workspace: Workspace, on connection: any Connection) throws -> NetworkLevels {
        if let program, try !ProgramStore.exists(program, in: workspace.id, on: connection) { throw Refusal.unknown("program", field: "programId") }
        let scope = LevelStore.Scope(workspace, days, program: program)
        let levels = try LevelStore.levels(scope, on: connection)
        let compared = Friction.compare(levels.map { Friction.Group(scope: 0, name: $0.depth, came: Int($0.members), moved: Int($0.active)) })
        let byDepth = Dictionary(levels.map { ($0.depth, $0) }, uniquingKeysWith: { first, _ in first })
        let findings = compared.compactMap { friction -> LevelFinding? in
            guard friction.difference < 0, friction.adjustedPValue < 0.05, let level = byDepth[friction.group.name] else { return nil }
            return LevelFinding(level: level, friction: friction, suggestion: level.suggestion(peers: friction.peers.rate))
        }
        return NetworkLevels(
            days: days, levels: levels, compared: compared.count, findings: findings, health: try health(levels, scope, on: connection))
    }

    private static func health(_ levels: [NetworkLevel], _ scope: LevelStore.Scope, on connection: any Connection) throws -> NetworkHealth {
        let widths = try LevelStore.widths(scope, on: connection)
        let amounts = try LevelStore.amounts(scope, on: connection)
        let stood = levels.filter { $0.members > 0 }
        let reached = stood.reduce(0) { $0 + $1.members }
        return NetworkHealth(
            recruiters: widths.reduce(0) { $0 + $1.members }, recruits: widths.reduce(0) { $0 + $1.recruits * $1.members },
            medianWidth: NetworkHealth.median(widths.map { ($0.recruits, $0.members) }), deepest: stood.last?.depth,
            medianDepth: NetworkHealth.median(stood.map { ($0.depth, $0.members) }), deeper: try LevelStore.people(scope, on: connection) - reached,
            revenue: try LevelStore.retail(scope, on: connection).map { sum in
                NetworkHealth.Revenue(unit: sum.unit, all: sum.all, retail: sum.retail, amounts: amounts.map { $0[sum.unit] ?? [] })
            })
    }
}
