import Statistics
import Web

/// The answer's words: the same on the page and for programs.
struct LevelWords: Sendable {
    var language: PageLanguage

    func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String { language("levels.\(key)", values) }

    func definition(_ figure: String) -> String { self("definition.\(figure)") }

    /// The finding in one sentence.
    func sentence(_ finding: LevelFinding, compared: Int) -> String {
        let friction = finding.friction
        return self(
            "finding",
            [
                "level": language.integer(finding.level.depth), "active": language.integer(finding.level.active), "members": language.integer(finding.level.members),
                "own": percent(finding.level.active, finding.level.members), "peers": percent(Int64(friction.peers.conversions), Int64(friction.peers.users)),
                "lower": points(friction.interval.lower), "upper": points(friction.interval.upper), "p": p(friction.adjustedPValue), "count": language.integer(Int64(compared)),
            ])
    }

    func percent(_ part: Int64, _ whole: Int64) -> String { whole > 0 ? language.percent(ppm: Share.ppm(part, of: whole), decimals: 1) : "–" }
    func percent(_ share: Double) -> String { language.percent(ppm: Int64((share * 1_000_000).rounded()), decimals: 1) }
    private func points(_ share: Double) -> String { percent(share) }
    func p(_ value: Double) -> String { value < 0.001 ? self("p.small") : self("p.value", ["value": "\((value * 1_000).rounded() / 1_000)"]) }
}
