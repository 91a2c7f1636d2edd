import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite struct APITests {
    private func page(_ query: String) throws -> PageRequest {
        try PageRequest.from(Request(head: HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/list?\(query)"), body: RequestBody(buffer: ByteBuffer())))
    }

    @Test(arguments: [("", 25, nil), ("limit=1", 1, nil), ("limit=100&startingAfter=mem_1", 100, "mem_1")] as [(String, Int, String?)])
    func readsPages(_ query: String, _ limit: Int, _ cursor: String?) throws {
        #expect(try page(query) == PageRequest(limit: limit, startingAfter: cursor))
    }

    @Test(arguments: ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=1.0", "limit=1&limit=2", "startingAfter=", "startingAfter=a%00"])
    func refusesPages(_ query: String) {
        #expect(throws: Problem.self) { try page(query) }
    }

    @Test func cutsPages() {
        var writer = JSONWriter()
        Page(["a", "b", "c"], request: PageRequest(limit: 2), cursor: { $0 }).write(to: &writer) { $0.text($1) }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"data":["a","b"],"hasMore":true,"nextCursor":"b"}"#)
        var last = JSONWriter()
        Page(["a"], request: PageRequest(limit: 2), cursor: { $0 }).write(to: &last) { $0.text($1) }
        #expect(String(decoding: last.bytes, as: UTF8.self) == #"{"data":["a"],"hasMore":false,"nextCursor":null}"#)
    }

    @Test func describesOperations() throws {
        let operations = [
            Operation(.post, "/members", id: "createMember", summary: "Enrols a person", tag: "Members", access: "write",
                body: .object([.required("email", .email), .optional("age", .integer(0...150))]), answer: .reference("Member"), status: 201),
            Operation(.get, "/members/{id}", id: "getMember", summary: "One member", tag: "Members", access: "read", answer: .reference("Gone")),
        ]
        let document = OpenAPIDocument(title: "Test", version: "1", serverURL: "/api/v1", schemas: [("Member", .object([.required("id", .text)]))])
        #expect(document.missingReferences(operations) == ["Gone"])
        let json = document.json(operations) { access in (true, "Needs \(access).") }
        #expect(json["openapi"] == "3.1.0")
        let create = try #require(json["paths"]?["/members"]?["post"])
        #expect(create["responses"]?["201"]?["content"]?["application/json"]?["schema"]?["$ref"] == "#/components/schemas/Member")
        #expect(create["responses"]?["422"] != nil && create["responses"]?["401"] != nil && create["responses"]?["413"] != nil)
        let read = try #require(json["paths"]?["/members/{id}"]?["get"])
        guard case .array(let parameters) = read["parameters"] else { return #expect(Bool(false)) }
        #expect(parameters.first?["in"] == "path" && parameters.first?["name"] == "id")
        #expect(try JSONValue.parse(json.bytes, maximumBytes: 100_000) == json)
    }

    @Test func namesAssetsByHash() throws {
        let library = try AssetLibrary([
            ("page.css", Array("@import 'asset:tokens.css'; a{background:url(asset:icon.svg)}".utf8)), ("tokens.css", Array("x".utf8)), ("icon.svg", Array("<svg/>".utf8)),
        ])
        #expect(library.url(for: "page.css").hasPrefix("/assets/page.") && library.url(for: "page.css").hasSuffix(".css"))
        let request = Request(head: HTTPRequest(method: .get, scheme: "http", authority: "x", path: library.url(for: "page.css")), body: RequestBody(buffer: ByteBuffer()))
        #expect(try library.response(for: request).body.contentLength == "@import ''; a{background:url()}".utf8.count + library.url(for: "tokens.css").utf8.count + library.url(for: "icon.svg").utf8.count)
        #expect(throws: AssetError.unresolved(file: "a.css", names: ["b.css"])) { try AssetLibrary([("a.css", Array("'asset:b.css'".utf8)), ("b.css", Array("'asset:a.css'".utf8))]) }
        #expect(throws: AssetError.duplicate("a")) { try AssetLibrary([("a", []), ("a", [])]) }
    }

    @Test func unpacksEmbeddedFiles() {
        let files = EmbeddedFile.unpack(index: "a.txt\t0\t3\tt\nb.png\t3\t8\tb\nbroken\t9\t9\tt\n", blob: "é!AAH+/w==")
        #expect(files.map(\.name) == ["a.txt", "b.png"])
        #expect(files[0].text == "é!")
        #expect(files[1].bytes == [0, 1, 254, 255])
    }
}
