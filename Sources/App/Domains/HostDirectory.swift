import Chronology
import Foundation
import Logging
import Persistence
import Synchronization
import Web

/// Which hosts are whose, remembered: every request asks. Changes in this process are seen at once, those of others within `freshMs`.
final class HostDirectory: Sendable {
    static let freshMs: Int64 = 5_000
    static let hostsMax = 10_000

    struct Place: Sendable, Hashable {
        var workspace: Workspace
        var host: String
        /// The host that letters and links name.
        var mainHost: String
    }

    private struct State {
        var places: [String: Place] = [:]
        var mainHosts: [WorkspaceID: String] = [:]
        /// The company of the server, where there is but one.
        var onlyCompany: Workspace?
        var origins: [WorkspaceID: [String]] = [:]
        var readAt: Instant?
    }

    private let database: any Database
    private let logger: Logger
    private let state = Mutex(State())

    init(_ database: any Database, logger: Logger) { (self.database, self.logger) = (database, logger) }

    /// Whose host a request was made to; nil for the server's own, and for all that nobody has proved.
    func place(of authority: String?) -> Place? {
        guard let authority, let host = HostName(authority: authority) else { return nil }
        return state.withLock { $0.places[host.text] }
    }

    func isVerified(_ host: HostName) -> Bool { state.withLock { $0.places[host.text] != nil } }
    func mainHost(of workspace: WorkspaceID) -> String? { state.withLock { $0.mainHosts[workspace] } }
    var onlyCompany: Workspace? { state.withLock { $0.onlyCompany } }
    /// Sites that may show this workspace's portal in a frame.
    func origins(of workspace: WorkspaceID) -> [String] { state.withLock { $0.origins[workspace] ?? [] } }

    func forget() { state.withLock { $0.readAt = nil } }

    /// Reads anew what may have changed. While the database does not answer, what was known goes on.
    func refresh(at now: Instant) async {
        let readAt = state.withLock { $0.readAt }
        if let readAt, (0..<Self.freshMs).contains(now.millisecondsClamped(since: readAt)) { return }
        do {
            let fresh = try await database.read { connection -> State in
                var fresh = State()
                let workspaces = try WorkspaceStore.all(on: connection)
                let byID = Dictionary(workspaces.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
                let live = workspaces.filter { !$0.isTest }
                fresh.onlyCompany = live.count == 1 ? live.first : nil
                let domains = try DomainStore.verified(limit: Self.hostsMax, on: connection)
                for domain in domains where domain.isMain { fresh.mainHosts[domain.workspaceID] = domain.host }
                for domain in domains {
                    guard let workspace = byID[domain.workspaceID] else { continue }
                    fresh.places[domain.host] = Place(workspace: workspace, host: domain.host, mainHost: fresh.mainHosts[domain.workspaceID] ?? domain.host)
                }
                fresh.origins = try EmbeddingStore.all(on: connection)
                return fresh
            }
            state.withLock { state in
                state = fresh
                state.readAt = now
            }
        } catch {
            logger.warning("The companies' hosts were not read anew", metadata: ["error": "\(error)"])
        }
    }
}

extension Installation {
    /// The address that a workspace's members and friends know: its main host, else the server's own. Same scheme and port as the server's.
    func publicURL(of workspace: WorkspaceID) -> String {
        guard let host = hosts.mainHost(of: workspace) else { return baseURL }
        return address(ofHost: host)
    }

    func address(ofHost host: String) -> String {
        let scheme = baseURL.lowercased().hasPrefix("https://") ? "https" : "http"
        let port = baseURL.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2).first.flatMap { place in
            place.hasSuffix("]") ? nil : place.split(separator: ":").dropFirst().last
        }
        return "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "")
    }
}
