import HTTPTypes
import Hummingbird
import Web

/// One request of somebody who is signed in. Only a gate can make one, for only a gate has a `Passed`.
protocol Visit: Sendable {
    associatedtype Entrance: Door

    init(_ passed: Passed<Entrance.Session>) throws

    var session: Entrance.Session { get }

    /// Where people go who are not signed in.
    static func turnAway(_ request: Request) -> Response

    /// A refusal as a page of theirs.
    func answer(_ problem: Problem) throws -> Response
}

/// The proof that somebody came through a gate, with all that a visit is made of.
struct Passed<Session: SignedIn>: Sendable {
    let request: Request
    let context: KithContext
    let session: Session
    let installation: Installation
    let site: Site

    fileprivate init(_ request: Request, _ context: KithContext, _ session: Session, _ installation: Installation, _ site: Site) {
        self.request = request
        self.context = context
        self.session = session
        self.installation = installation
        self.site = site
    }
}

/// Lets people in: session, and for forms the proof that they came from a page of ours.
struct Gate<Visitor: Visit>: Sendable {
    let installation: Installation
    let site: Site

    func visit(_ request: Request, _ context: KithContext, _ handler: (Visitor) async throws -> Response) async throws -> Response {
        guard let admission = try await Visitor.Entrance(installation).admit(request) else { return Visitor.turnAway(request) }
        let visit = try Visitor(Passed(request, context, admission.session, installation, site))
        var response: Response
        do {
            response = try await handler(visit)
        } catch let problem as Problem where problem.status.code < 500 {
            response = try visit.answer(problem)
        }
        if let token = admission.newToken {
            response.set(Visitor.Entrance.cookie, value: token.text, maximumAgeSeconds: admission.remainingSeconds)
        }
        return response
    }

    /// A form of somebody who is signed in. `mayTake` throws when it is not theirs to send.
    func form(
        _ request: Request, _ context: KithContext, maximumBytes: Int = BodyLimit.formBytes, mayTake: (Visitor) throws -> Void = { _ in },
        _ handler: (Visitor, FormFields) async throws -> Response
    ) async throws -> Response {
        try await visit(request, context) { visit in
            try mayTake(visit)
            let fields = try await request.form(maximumBytes: maximumBytes)
            try CSRFCheck(request, installation).verify(
                request, token: visit.session.csrf(installation), submitted: fields[CSRFToken.fieldName] ?? "")
            return try await handler(visit, fields)
        }
    }
}

extension CSRFCheck {
    /// Without a base address set, the address that the browser asked counts as ours: a page of another site can't change it.
    init(_ request: Request, _ installation: Installation) {
        if let place = installation.hosts.place(of: request.askedHost) {
            self.init(baseURL: installation.address(ofHost: place.host))
        } else {
            self.init(baseURL: installation.settings.baseURL ?? "http://\(request.head.authority ?? "")")
        }
    }
}
