import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Web

/// One request of a person who is signed in and may see the page: made only by `PageGate`.
struct PageVisit: Sendable {
    let request: Request
    let context: KithContext
    let session: OperatorSession
    let language: PageLanguage
    /// What the workspace calls now.
    let now: Instant
    /// The fields of the address.
    let query: FormFields
    let installation: Installation
    let site: Site

    fileprivate init(_ request: Request, _ context: KithContext, _ session: OperatorSession, _ gate: PageGate) throws {
        self.request = request
        self.context = context
        self.session = session
        installation = gate.installation
        site = gate.site
        now = session.workspace.now(gate.installation.world)
        language = PageLanguage(request, site: gate.site, zone: Zone(session.workspace.timeZone) ?? .utc, now: now)
        query = try FormFields.parse(ByteBuffer(string: request.uri.query ?? ""))
    }

    var workspaceID: WorkspaceID { session.workspace.id }

    func page(
        _ template: String, title: String, current: String?, isNarrow: Bool = false, notice: PageFrame.Notice? = nil,
        status: HTTPResponse.Status = .ok, _ model: PageObject
    ) throws -> Response {
        try site.response(
            frame: .page(title: title, current: current, isNarrow: isNarrow, notice: notice, visit: self), content: template, model, in: language,
            status: status)
    }

    /// A table for spreadsheets. Texts that a spreadsheet would run as a formula begin with an apostrophe.
    func csv(name: String, _ rows: [[CSVCell]]) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8", .contentDisposition: "attachment; filename=\"\(name)\"", .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: CSVCell.text(rows))))
    }

    func seeOther(_ path: String) -> Response { Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"]) }
}

/// Lets people in: session, right, and for forms the proof that they came from a page of ours.
struct PageGate: Sendable {
    let installation: Installation
    let site: Site

    func visit(
        _ request: Request, _ context: KithContext, needs right: Right?, _ handler: (PageVisit) async throws -> Response
    ) async throws -> Response {
        guard let admission = try await SessionDoor(installation).admit(request) else { return signIn(request) }
        let visit = try PageVisit(request, context, admission.session, self)
        var response: Response
        do {
            if let right, !admission.session.may(right) {
                throw Problem.forbidden(code: "missing_right", detail: "This needs the right \(right.rawValue).")
            }
            response = try await handler(visit)
        } catch let problem as Problem where problem.status.code < 500 {
            response = try ProblemModel(problem, request, context.id, visit.language, role: admission.session.role, site: site)
                .response(in: .page(title: "", current: nil, visit: visit), language: visit.language, site: site)
        }
        if let token = admission.newToken {
            response.set(SessionDoor.cookie, value: token.text, maximumAgeSeconds: admission.remainingSeconds)
        }
        return response
    }

    /// A form of a person who is signed in.
    func form(
        _ request: Request, _ context: KithContext, needs right: Right?, _ handler: (PageVisit, FormFields) async throws -> Response
    ) async throws -> Response {
        try await visit(request, context, needs: right) { visit in
            let fields = try await request.form()
            try Self.check(request, installation).verify(
                request, token: visit.session.csrf(installation), submitted: fields[CSRFToken.fieldName] ?? "")
            return try await handler(visit, fields)
        }
    }

    /// Without a base address set, the address that the browser asked counts as ours: a page of another site can't change it.
    static func check(_ request: Request, _ installation: Installation) -> CSRFCheck {
        CSRFCheck(baseURL: installation.settings.baseURL ?? "http://\(request.head.authority ?? "")")
    }

    private func signIn(_ request: Request) -> Response {
        let next = request.method == .get ? LocalPath.encoded(request.uri.string) : ""
        return Response(
            status: .seeOther, headers: [.location: next.isEmpty || next == "%2F" ? "/sign-in" : "/sign-in?next=\(next)", .cacheControl: "no-store"])
    }
}

extension API {
    /// A page that people who are signed in may see with this right.
    mutating func page(
        _ path: String, _ right: Right?, _ gate: PageGate, _ handler: @escaping @Sendable (PageVisit) async throws -> Response
    ) {
        table.note(.get, path)
        router.on(RouterPath(path), method: .get) { request, context in try await gate.visit(request, context, needs: right, handler) }
    }

    /// A form of such a page.
    mutating func form(
        _ path: String, _ right: Right?, _ gate: PageGate, _ handler: @escaping @Sendable (PageVisit, FormFields) async throws -> Response
    ) {
        table.note(.post, path)
        router.on(RouterPath(path), method: .post) { request, context in try await gate.form(request, context, needs: right, handler) }
    }
}

/// A path of this server, as it may stand in an address.
enum LocalPath {
    static let lengthMax = 2_000

    /// The path when it leads nowhere but here; else the home page.
    static func checked(_ path: String?) -> String {
        guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count <= lengthMax, !path.hasPrefix("/sign-in"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return path
    }

    static func encoded(_ text: String) -> String {
        guard text.utf8.count <= lengthMax else { return "" }
        return text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
