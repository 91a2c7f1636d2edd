import HTTPTypes
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
            templates: try TemplateLibrary(Embedded.files(.templates)), catalogue: try MessageCatalogue(Embedded.files(.catalogue), audiences: TextAudience.ours),
            assets: try AssetLibrary(
                Embedded.files(.styles) + Embedded.files(.scripts) + Embedded.files(.images) + Embedded.files(.vendor)))
    }

    /// A template with its model and the fixed texts that it names.
    func render(_ template: String, _ page: PageObject, in language: PageLanguage) throws -> String {
        var fields = page
        fields["t"] = .object(templates.textPrefix(of: template).map { language.messages.texts(prefix: $0) } ?? PageObject())
        fields["frame"] = .object(language.messages.texts(prefix: "frame"))
        return try templates.render(template, fields)
    }

    /// A whole page: the content's template inside a frame's.
    func response(
        frame: PageFrame, content template: String, _ page: PageObject, in language: PageLanguage, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        var fields = frame.page
        fields["contentHTML"] = .html(TrustedHTML(markup: try render(template, page, in: language)))
        let markup = try render(frame.kind.rawValue, fields, in: language)
        return Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: markup)))
    }
}
