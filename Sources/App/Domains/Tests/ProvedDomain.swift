import Persistence

@testable import App

extension AppHarness {
    /// Gives a workspace, else the test twin, a host as if its proof had been found.
    func prove(_ host: String, in workspace: WorkspaceID? = nil) async throws {
        guard let name = HostName(typed: host) else { throw Unexpected(description: "\(host) is no host") }
        try await installation.write(workspace ?? twinID, actor: .system("test")) { [ownHost = installation.ownHost] write in
            if try DomainStore.find(name.text, in: write.workspace.id, on: write.connection) == nil { _ = try CompanyDomain.add(name, ownHost: ownHost, in: write) }
            var finding = DomainFinding()
            finding.proof = .record
            _ = try CompanyDomain.note(finding, of: name.text, in: write)
        }
        installation.hosts.forget()
        await installation.hosts.refresh(at: installation.world.now())
    }
}
