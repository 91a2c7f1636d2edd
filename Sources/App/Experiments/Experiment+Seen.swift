import Persistence
import Web

extension Experiment {
    /// Notes what somebody saw on a page of ours. Whoever was noted before costs a look, no write. False: an experiment is over by now.
    static func noteSeen(
        _ seen: [(experiment: Experiment, position: Int)], by subject: String, segment: String = "", in workspace: WorkspaceID, _ installation: Installation
    ) async throws -> Bool {
        let hash = subjectHash(subject, workspace, vault: installation.vault)
        let new = try await installation.main.read { connection in
            try seen.filter { try ExposureStore.find(hash, of: $0.experiment.id, on: connection)?.position != $0.position }
        }
        guard !new.isEmpty else { return true }
        do {
            try await installation.write(workspace, actor: .system("experiments")) { write in
                for one in new {
                    _ = try expose(
                        ExposureInput(subject: subject, variant: one.experiment.name(of: one.position), segment: segment), one.experiment.id, in: write)
                }
            }
        } catch let problem as Problem where problem.code == "experiment_not_running" {
            return false
        }
        return true
    }
}
