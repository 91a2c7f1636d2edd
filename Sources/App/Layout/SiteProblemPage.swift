import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Web

/// Draws problems for people.
struct SiteProblemPage: ProblemPage {
    let site: Site
    let hosts: HostDirectory

    func response(for problem: Problem, request: Request, context: KithContext) async -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        do {
            if problem.code == "link_missing" || problem.code == "link_expired" {
                return try missingLink(problem, request, context, PageLanguage(request, site: site, zone: .utc, audience: .friends))
            }
            let company = hosts.place(of: request.askedHost)?.workspace
            if company != nil || Self.isForJoining(request.uri.path) {
                // They don't run the program: its overview and sign-in are nothing to them.
                return try ProblemModel(problem, request, context.id, language, role: nil, home: nil, site: site).response(
                    in: .plain(.public, title: "", company: company, site: site, language: language, nonce: context.scriptNonce), language: language, site: site)
            }
            return try ProblemModel(problem, request, context.id, language, role: nil, site: site).response(
                in: .plain(.bare, title: "", site: site, language: language, nonce: context.scriptNonce), language: language, site: site)
        } catch {
            context.logger.error("A problem's page failed", metadata: ["error": "\(error)", "requestId": "\(context.id)"])
            return Response(
                status: problem.status, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: problem.detail)))
        }
    }

    private static func isForJoining(_ path: String) -> Bool { path.hasPrefix("/join/") || path == "/join-confirmation" }

    private func missingLink(_ problem: Problem, _ request: Request, _ context: KithContext, _ language: PageLanguage) throws -> Response {
        let code = request.uri.path.split(separator: "/").dropFirst().first.map { String($0.prefix(64)) } ?? ""
        return try site.response(
            frame: .plain(.public, title: language("linkMissing.title"), site: site, language: language, nonce: context.scriptNonce),
            content: "link-missing", ["brand": nil, "code": .text(code.removingPercentEncoding ?? code)], in: language, status: problem.status)
    }
}

/// A problem in the reader's words: what happened, what was kept, what to do.
struct ProblemModel: PageModel {
    let page: PageObject
    private let title: String
    private let problem: Problem

    /// `home`: where else to go; nil where the page itself is all there is for the reader.
    init(_ problem: Problem, _ request: Request, _ requestID: String, _ language: PageLanguage, role: Role?, home: String? = "/", site: Site) {
        self.problem = problem
        let name = Self.name(of: problem)
        title = language("problem.\(name).heading")
        let seconds = problem.headers[.retryAfter].flatMap { Int64($0) } ?? 1
        let happened: String
        switch name {
        case "forbidden": happened = language("problem.forbidden.happened", ["role": role.map { language("role.\($0.rawValue)") } ?? "–"])
        case "tooLarge": happened = language("problem.tooLarge.happened", ["limit": language("unit.kilobytes", ["count": language.integer(Int64(BodyLimit.formBytes / 1024))])])
        case "tooMany": happened = language.plural("problem.tooMany.happened", seconds)
        case "notFound" where home == nil: happened = language("problem.missingForMembers.happened")
        default: happened = language("problem.\(name).happened")
        }
        let canRepeat = request.method == .get && ["tooMany", "unavailable", "internal"].contains(name)
        let retry: PageValue =
            switch name {
            case "unauthorized": ["url": "/sign-in", "label": .text(language("problem.signIn"))]
            case "formExpired": ["url": .text(LocalPath.checked(request.uri.path)), "label": .text(language("problem.again"))]
            case _ where home == nil && name != "notFound":
                ["url": .text(LocalPath.checked(request.uri.path)), "label": .text(language("problem.back"))]
            default: canRepeat ? ["url": .text(LocalPath.checked(request.uri.string)), "label": .text(language("problem.again"))] : .nothing
            }
        page = [
            "status": .text(String(problem.status.code)), "heading": .text(title), "happened": .text(happened),
            "kept": ["internal", "unavailable"].contains(name) ? .text(language("problem.\(name).kept")) : nil,
            "errors": problem.errors.isEmpty
                ? nil : ["rows": PageValue(problem.errors.map { ["field": .text($0.field), "message": .text($0.message)] })],
            "retry": retry, "home": PageValue(home.map { PageObject(["url": .text($0), "style": .text(retry == .nothing ? "btn-primary" : "btn-plain")]) }), "requestId": .text(requestID),
        ]
    }

    func response(in frame: PageFrame, language: PageLanguage, site: Site) throws -> Response {
        var frame = frame
        frame.title = title
        var response = try site.response(frame: frame, content: "problem", page, in: language, status: problem.status)
        for field in problem.headers { response.headers[field.name] = field.value }
        return response
    }

    /// The name of a problem in the catalogue.
    private static func name(of problem: Problem) -> String {
        switch problem.status.code {
        case 401: "unauthorized"
        case 403: problem.code == "cross_site_request" ? "formExpired" : problem.code == PlainAddress.code ? "plainAddress" : "forbidden"
        case 404, 405, 410: "notFound"
        case 409: "conflict"
        case 413: "tooLarge"
        case 422: "unprocessable"
        case 429: "tooMany"
        case 503: "unavailable"
        case 400..<500: "badRequest"
        default: "internal"
        }
    }
}
