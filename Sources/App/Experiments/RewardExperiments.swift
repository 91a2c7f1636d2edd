import Chronology
import Persistence

/// Experiments of what is given: rules ask for the variant that experiments give the member who shares (`memberVariant`).
enum RewardExperiments {
    static let kinds: [Experiment.Kind] = [.offer, .rewardAmount, .rewardSide]

    /// What each member has at an instant, as conditions name it. Who is outside of all has no entry.
    static func variants(of people: [MemberID], in program: ProgramID, at instant: Instant, on connection: any Connection) throws -> [String: [String]] {
        guard !people.isEmpty else { return [:] }
        var found: [String: [String]] = [:]
        for experiment in try ExperimentStore.begun(kinds: kinds, program: program, on: connection) {
            for member in people {
                guard let position = experiment.assignment(of: member.text, at: instant).position else { continue }
                found[member.text, default: []].append(experiment.reference(to: position))
            }
        }
        return found
    }
}

extension Experiment {
    /// What a subject has at an instant: what it was assigned while the experiment ran, and afterwards what was chosen.
    func assignment(of subject: String, at instant: Instant) -> ExperimentAssignment {
        guard let startedAt, startedAt <= instant else { return .notStarted }
        var then = self
        if let endedAt, instant < endedAt { then.state = .running }
        return then.assignment(of: subject)
    }

    /// As conditions of rules name a variant.
    func reference(to position: Int) -> String { "\(id.text):\(name(of: position))" }
}

extension Experiment.Kind {
    /// Which of a variant's texts our own pages show: the headline of the friend's page, or the sentence that a member shares.
    var textName: String { FriendTrial.kinds.contains(self) ? "headline" : ShareTrial.textName }
}
