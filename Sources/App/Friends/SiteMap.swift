import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// What search engines may list: the open join pages of programs. Pages of single people are for whoever was given their address.
enum SiteMap {
    /// Of one sitemap, as the protocol has it at most (sitemaps.org).
    static let pagesMax = 50_000

    static func add(to api: inout API) {
        let installation = api.installation
        for path in ["/robots.txt", "/sitemap.xml"] { api.table.note(.get, path) }
        api.router.get("/robots.txt") { request, context in
            let base = context.company.map { installation.publicURL(of: $0.workspace.id) } ?? installation.baseURL
            let text = """
                User-agent: *
                Allow: /join/
                Allow: /assets/
                Allow: /brand/
                Allow: /f/
                Disallow: /
                Sitemap: \(base)/sitemap.xml

                """
            return file(text, "text/plain; charset=utf-8")
        }
        api.router.get("/sitemap.xml") { _, context in
            let only = context.company?.workspace.id
            let pages = try await installation.main.read { connection in try JoinStore.open(in: only, limit: pagesMax, on: connection) }
            var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"
            for page in pages {
                let address = "\(installation.publicURL(of: page.workspaceID))/join/\(LocalPath.encoded(page.slug))"
                text += "<url><loc>\(escaped(address))</loc><lastmod>\(page.changedAt.rfc3339)</lastmod></url>\n"
            }
            return file(text + "</urlset>\n", "application/xml; charset=utf-8")
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private static func file(_ text: String, _ type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "public, max-age=3600"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
