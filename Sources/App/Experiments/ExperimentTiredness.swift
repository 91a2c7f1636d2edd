import Chronology
import Statistics

/// Which variants have lost their pull: of those who saw one in a week, how many did what is measured within the week after, against the same
/// variant's first four weeks.
enum ExperimentTiredness {
    static let weekMs: Int64 = 7 * 86_400_000

    /// Positions of variants. Weeks whose people have not had a week yet are left out.
    static func tired(_ experiment: Experiment, _ facts: ExperimentFacts, until: Instant) -> Set<Int> {
        guard let start = facts.subjects.map(\.at).min() else { return [] }
        let weeks = Int(until.millisecondsClamped(since: start) / weekMs) - 1
        guard weeks >= Tiredness.standardWeeks + Tiredness.weeksInARow else { return [] }
        var moved: Set<Int> = []
        for outcome in facts.outcomes {
            let after = outcome.at.millisecondsClamped(since: facts.subjects[outcome.subject].at)
            if (0..<weekMs).contains(after) { moved.insert(outcome.subject) }
        }
        var seen = Array(repeating: Array(repeating: (views: 0, clicks: 0), count: weeks), count: experiment.variants.count)
        for (number, subject) in facts.subjects.enumerated() {
            let week = Int(subject.at.millisecondsClamped(since: start) / weekMs)
            guard seen.indices.contains(subject.position), week < weeks else { continue }
            seen[subject.position][week].views += 1
            if moved.contains(number) { seen[subject.position][week].clicks += 1 }
        }
        return Set(
            seen.indices.filter { position in
                Tiredness.isTired(seen[position].compactMap { Tiredness.Week(views: $0.views, clicks: $0.clicks) })
            })
    }
}
