import Hummingbird
import NIOCore
import Web

/// What pages are made of: templates, texts and files, loaded once.
struct Site: Sendable {
    let templates: TemplateLibrary
    let catalogue: MessageCatalogue
    let assets: AssetLibrary

    static func load() throws -> Site {
        Site(
            templates: try TemplateLibrary(Embedded.files(.templates)), catalogue: try MessageCatalogue(Embedded.files(.catalogue)),
            assets: try AssetLibrary(
                Embedded.files(.styles) + Embedded.files(.scripts) + Embedded.files(.images) + Embedded.files(.vendor)))
    }
}

/// Draws problems for people.
struct SiteProblemPage: ProblemPage {
    let site: Site

    func response(for problem: Problem, request: Request, context: KithContext) async -> Response {
        Response(
            status: problem.status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: problem.detail)))
    }
}

enum PageRoutes {
    static func add(to api: inout API, site: Site) {}
}
