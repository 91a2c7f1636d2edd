import Mustache

/// All templates of the application. Texts are escaped by Unicode scalar everywhere, in partials too.
public struct TemplateLibrary: Sendable {
    private let library: MustacheLibrary
    private let tagsByTemplate: [String: [TemplateTag]]
    private let prefixByTemplate: [String: String]

    /// Templates by name, for instance `contest-show`. A name that ends in `.text` is plain text, for mails.
    /// - Throws: `TemplateError` for the first template that can't be used, or for a name that exists twice.
    public init(_ templates: [(name: String, text: String)]) throws(TemplateError) {
        _ = SafeHTMLContentType.registered
        var library = MustacheLibrary()
        var tagsByTemplate: [String: [TemplateTag]] = [:]
        var prefixByTemplate: [String: String] = [:]
        for (name, text) in templates {
            guard tagsByTemplate[name] == nil else { throw TemplateError(template: name, line: 1, reason: "this name exists twice") }
            tagsByTemplate[name] = try TemplateTag.all(in: text, template: name)
            prefixByTemplate[name] = Self.prefix(in: text)
            // A partial falls back to the library's own content type, so each template starts with the pragma.
            let contentType = name.hasSuffix(".text") ? "TEXT" : SafeHTMLContentType.name
            do {
                try library.register("{{% CONTENT_TYPE: \(contentType)}}\n" + text, named: name)
            } catch {
                throw TemplateError(template: name, line: 1, reason: "it can't be parsed: \(error)")
            }
        }
        self.library = library
        self.tagsByTemplate = tagsByTemplate
        self.prefixByTemplate = prefixByTemplate
    }

    /// Templates from embedded files; the name is the file's without folder and `.mustache`.
    public init(_ files: [EmbeddedFile]) throws(TemplateError) {
        try self.init(files.map { file in
            let base = file.name.split(separator: "/").last.map(String.init) ?? file.name
            return (base.hasSuffix(".mustache") ? String(base.dropLast(9)) : base, file.text)
        })
    }

    /// The page for a model.
    /// - Throws: `TemplateError` when there is no such template.
    public func render(_ name: String, _ page: PageObject) throws(TemplateError) -> String {
        guard let text = library.render(PageFields(object: page), withTemplate: name) else {
            throw TemplateError(template: name, line: 1, reason: "there is no such template")
        }
        return text
    }

    /// The page for a model.
    public func render(_ name: String, _ model: some PageModel) throws(TemplateError) -> String {
        try render(name, model.page)
    }

    /// The names of all templates, sorted.
    public var names: [String] { tagsByTemplate.keys.sorted() }

    /// Every tag and partial of a template, in order.
    public func tags(of name: String) -> [TemplateTag] { tagsByTemplate[name] ?? [] }

    /// The prefix of the template's texts in the catalogue, which it names in a comment on its first line: `{{! prefix: links }}`.
    public func textPrefix(of name: String) -> String? { prefixByTemplate[name] }

    /// Partials that don't exist and templates that include themselves, which swift-mustache would render as nothing or without end.
    public func faults() -> [TemplateError] {
        var faults: [TemplateError] = []
        for name in names {
            for tag in tags(of: name) where isInclusion(tag) && tagsByTemplate[tag.name] == nil {
                faults.append(TemplateError(template: name, line: tag.line, reason: "there is no partial \(tag.name)"))
            }
            if includes(name, in: name) { faults.append(TemplateError(template: name, line: 1, reason: "it includes itself")) }
        }
        return faults
    }

    private static func prefix(in text: String) -> String? {
        let start = "{{! prefix: "
        guard text.hasPrefix(start) else { return nil }
        return String(text.dropFirst(start.count).prefix { $0 != " " && $0 != "}" })
    }

    private func includes(_ target: String, in start: String) -> Bool {
        var seen: Set<String> = []
        var waiting = [start]
        while let name = waiting.popLast() {
            for tag in tags(of: name) where isInclusion(tag) {
                if tag.name == target { return true }
                if seen.insert(tag.name).inserted { waiting.append(tag.name) }
            }
        }
        return false
    }

    private func isInclusion(_ tag: TemplateTag) -> Bool { tag.kind == .partial || tag.kind == .parent }
}
