import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Web

/// One request of an operator who is signed in.
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

    init(_ passed: Passed<OperatorSession>) throws {
        request = passed.request
        context = passed.context
        session = passed.session
        installation = passed.installation
        site = passed.site
        now = session.workspace.now(installation.world)
        language = PageLanguage(request, site: site, zone: Zone(session.workspace.timeZone) ?? .utc, now: now)
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

typealias PageGate = Gate<PageVisit>

extension PageVisit: Visit {
    typealias Entrance = SessionDoor

    static func turnAway(_ request: Request) -> Response {
        let next = request.method == .get ? LocalPath.encoded(request.uri.string) : ""
        return Response(
            status: .seeOther, headers: [.location: next.isEmpty || next == "%2F" ? "/sign-in" : "/sign-in?next=\(next)", .cacheControl: "no-store"])
    }

    func answer(_ problem: Problem) throws -> Response {
        try ProblemModel(problem, request, context.id, language, role: session.role, site: site)
            .response(in: .page(title: "", current: nil, visit: self), language: language, site: site)
    }

    fileprivate func must(_ right: Right?) throws {
        if let right, !session.may(right) {
            throw Problem.forbidden(code: "missing_right", detail: "This needs the right \(right.rawValue).")
        }
    }
}

extension API {
    /// A page that people who are signed in may see with this right.
    mutating func page(
        _ path: String, _ right: Right?, _ gate: PageGate, _ handler: @escaping @Sendable (PageVisit) async throws -> Response
    ) {
        table.note(.get, path)
        router.on(RouterPath(path), method: .get) { request, context in
            try await gate.visit(request, context) { visit in
                try visit.must(right)
                return try await handler(visit)
            }
        }
    }

    /// A form of such a page.
    mutating func form(
        _ path: String, _ right: Right?, _ gate: PageGate, maximumBytes: Int = BodyLimit.formBytes,
        _ handler: @escaping @Sendable (PageVisit, FormFields) async throws -> Response
    ) {
        table.note(.post, path)
        router.on(RouterPath(path), method: .post) { request, context in
            try await gate.form(request, context, maximumBytes: maximumBytes, mayTake: { visit in try visit.must(right) }, handler)
        }
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
