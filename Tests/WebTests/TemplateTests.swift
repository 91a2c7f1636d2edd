import Testing

@testable import Web

/// Each trap of swift-mustache 2.1.1 that was seen to bite.
@Suite struct TemplateTests {
    private func render(_ template: String, _ page: PageObject, partials: [(String, String)] = []) throws -> String {
        try TemplateLibrary([("page", template)] + partials.map { ($0.0, $0.1) }).render("page", page)
    }

    @Test(arguments: [
        ("<b>&\"'`", "&lt;b&gt;&amp;&quot;&#39;&#96;"),
        ("x\"\u{301} onload=alert(1)", "x&quot;\u{301} onload=alert(1)"),
        ("<\u{338}script>", "&lt;\u{338}script&gt;"),
        ("\u{301}\"", "\u{301}&quot;"),
        ("'\u{200D}", "&#39;\u{200D}"),
        ("ä 名 😀", "ä 名 😀"),
    ])
    func escapesByScalar(_ value: String, _ expected: String) throws {
        #expect(try render(#"<i title="{{v}}">"#, ["v": .text(value)]).unicodeScalars.elementsEqual("<i title=\"\(expected)\">".unicodeScalars))
    }

    @Test func escapesInPartialsSectionsBlocksAndLists() throws {
        let value: PageValue = "\"\u{301}"
        let expected = "&quot;\u{301}"
        #expect(try render("{{>part}}", ["v": value], partials: [("part", "{{v}}")]) == expected)
        #expect(try render("{{>outer}}{{v}}", ["v": value], partials: [("outer", "{{>inner}}"), ("inner", "{{v}}")]) == expected + expected)
        #expect(try render("{{<frame}}{{$body}}{{v}}{{/body}}{{/frame}}", ["v": value], partials: [("frame", "[{{$body}}{{/body}}]")]) == "[\(expected)]")
        #expect(try render("{{#l}}{{.}}{{/l}}", ["l": [value, value]]) == expected + expected)
        #expect(try render("{{#o}}{{#flag}}{{.v}}{{/flag}}{{/o}}", ["o": ["v": value, "flag": true]]) == expected)
    }

    @Test func valuesAreNeverTemplates() throws {
        #expect(try render("{{v}}", ["v": "{{secret}}", "secret": "x"]) == "{{secret}}")
    }

    @Test func emptyIsFalsyAndDoesNotFallThrough() throws {
        #expect(try render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", ["v": ""]) == "no")
        #expect(try render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", ["v": nil]) == "no")
        #expect(try render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", ["v": false]) == "no")
        #expect(try render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", ["v": []]) == "no")
        #expect(try render("{{#v}}<{{v}}>{{/v}}", ["v": "0"]) == "<0>")
        #expect(try render("{{#o}}[{{v}}]{{/o}}", ["v": "outer", "o": ["v": nil]]) == "[]")
        #expect(try render("{{#o}}[{{#v}}x{{/v}}]{{/o}}", ["v": "outer", "o": ["v": ""]]) == "[]")
        #expect(try render("{{#o}}[{{.v}}]{{/o}}", ["v": "outer", "o": [:]]) == "[]")
    }

    @Test func onlyMarkupFieldsMayBeUnescaped() throws {
        #expect(throws: TemplateError.self) { try TemplateLibrary([("page", "{{{name}}}")]) }
        #expect(throws: TemplateError.self) { try TemplateLibrary([("page", "{{& name }}")]) }
        #expect(try render("{{{bodyHTML}}}", ["bodyHTML": .html(TrustedHTML(markup: "<b>"))]) == "<b>")
        #expect(try render("{{{content}}}", ["content": "<b>"]) == "&lt;b&gt;")
        #expect(try render("{{v}}", ["v": .html(TrustedHTML(markup: "<b>"))]) == "&lt;b&gt;")
    }

    @Test(arguments: ["{{a", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{=<% %>=}}", "{{% CONTENT_TYPE: TEXT}}{{v}}", "{{>*dynamic}}", "{{uppercased(v)}}", "{{ }}"])
    func refusesTags(_ template: String) {
        #expect(throws: TemplateError.self) { try TemplateLibrary([("page", template)]) }
    }

    @Test func inlinePartialsAddNoLines() throws {
        #expect(try render("a{{> part}}b", ["v": "x"], partials: [("part", "{{! comment }}{{v}}")]) == "axb")
        #expect(try render("{{#v}}\nyes\n{{/v}}\n", ["v": true]) == "yes\n")
    }

    @Test func plainTextTemplatesDoNotEscape() throws {
        let library = try TemplateLibrary([("mail.text", "{{v}} & more")])
        #expect(try library.render("mail.text", ["v": "a < b"]) == "a < b & more")
    }

    @Test func listsTagsAndFaults() throws {
        let library = try TemplateLibrary([
            ("page", "{{! prefix: shop }}\n{{#rows}}\n{{.name}}{{>cell}}{{/rows}}{{^rows}}{{t.empty}}{{/rows}}"), ("cell", "{{>gone}}"), ("loop", "{{>loop}}"),
        ])
        #expect(library.textPrefix(of: "page") == "shop")
        #expect(library.tags(of: "page").map(\.name) == ["rows", ".name", "cell", "rows", "t.empty"])
        #expect(library.tags(of: "page")[1] == TemplateTag(kind: .variable, name: ".name", scope: ["rows"], line: 3))
        #expect(library.faults().map(\.description) == ["cell.mustache:1: there is no partial gone", "loop.mustache:1: it includes itself"])
        #expect(throws: TemplateError.self) { try library.render("none", PageObject()) }
    }
}
