import Hummingbird
import Logging
import NIOCore
import Web

/// What travels with a request.
struct KithContext: RequestContext, PageContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    var scriptNonce = ""
    let remoteAddress: SocketAddress?
    /// Set when the request was made to a company's host.
    var company: HostDirectory.Place?
    /// Set for pages of people who are signed in.
    var session: OperatorSession?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Whether a request may be about this workspace: a company's host answers for no other one.
    func isOf(_ workspace: WorkspaceID) -> Bool { company.map { $0.workspace.id == workspace } ?? true }

    /// A checked id in the path; an id of another kind is simply not there.
    func id<Kind>(_ kind: Kind.Type = Kind.self, named name: String = "id") throws -> Identifier<Kind> {
        guard let text = parameters.get(name), let id = Identifier<Kind>(text) else { throw Problem.notFound() }
        return id
    }
}
