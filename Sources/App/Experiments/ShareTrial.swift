import Persistence
import Web

/// What experiments give a member who shares: a sentence to say, and offers that rules make to friends of theirs. Both are seen on the page
/// where members share.
struct ShareTrial: Sendable {
    /// The name of a variant's text that is the sentence.
    static let textName = "text"

    private(set) var texts: [ProgramID: String] = [:]
    private var seen: [(experiment: Experiment, position: Int)] = []

    static func load(of member: MemberID, in programs: [Program], on connection: any Connection) throws -> ShareTrial {
        var trial = ShareTrial()
        for program in programs {
            if let found = try Experiment.variant(for: member.text, kind: .shareText, program: program.id, on: connection),
                let position = found.assignment.position
            {
                if found.experiment.state == .running { trial.seen.append((found.experiment, position)) }
                if found.experiment.variants.indices.contains(position) {
                    trial.texts[program.id] = found.experiment.variants[position].content.first { $0.name == textName }?.text
                }
            }
            for experiment in try ExperimentStore.begun(kinds: RewardExperiments.kinds, program: program.id, on: connection) where experiment.state == .running {
                if let position = experiment.assignment(of: member.text).position { trial.seen.append((experiment, position)) }
            }
        }
        return trial
    }

    func note(_ member: MemberID, in workspace: WorkspaceID, _ installation: Installation) async throws {
        if !seen.isEmpty { _ = try await Experiment.noteSeen(seen, by: member.text, in: workspace, installation) }
    }
}
