import HTTPTypes
import NIOCore
import Testing

@testable import Web

@Suite struct JSONReaderTests {
    enum Colour: String, CaseIterable { case red, green }

    private func reader(_ text: String) throws -> JSONReader { try JSONReader(ByteBuffer(string: text), maximumBytes: 10_000) }

    private func errors(_ text: String, _ fields: (JSONReader) throws -> Void) -> [FieldError] {
        do {
            try JSONReader.read(ByteBuffer(string: text), maximumBytes: 10_000) { try fields($0) }
            return []
        } catch {
            return (error as? Problem)?.errors ?? []
        }
    }

    @Test func readsEveryKindOfField() throws {
        let body = try reader(
            #"{"name":"Ada","count":7,"on":true,"colour":"green","refs":["a","b"],"part":{"x":1},"items":[{"sku":"s"}],"nothing":null,"own":"5"}"#)
        #expect(body.text("name", maximumLength: 10) == "Ada")
        #expect(body.integer("count", in: 0...10) == 7)
        #expect(body.boolean("on"))
        #expect(try body.oneOf("colour", Colour.self) == .green)
        #expect(body.textList("refs", maximumCount: 2, maximumLength: 1) == ["a", "b"])
        #expect(try body.object("part") { $0.integer("x") } == 1)
        #expect(body.array("items", count: 0...5) { $0.text("sku", maximumLength: 5) } == ["s"])
        #expect(body.isNull("nothing"))
        #expect(body.optionalText("missing", maximumLength: 1) == nil)
        let own = try body.custom("own") { value -> JSONReader.Reading<Int> in
            if case .text(let text) = value, let number = Int(text) { .accepted(number) } else { .refused("Must be digits.") }
        }
        #expect(own == 5)
        try body.finish()
    }

    @Test func gathersEveryMistakeWithItsPath() {
        let found = errors(#"{"name":"","count":1.0,"items":[{"sku":1,"more":2}],"extra":1}"#) { body in
            _ = body.text("name", maximumLength: 5)
            _ = body.integer("count")
            _ = body.array("items", count: 1...3) { $0.text("sku", maximumLength: 5) }
            _ = body.boolean("on")
            _ = try body.object("part") { $0.text("inner", maximumLength: 3) }
        }
        #expect(found.map(\.field) == ["name", "count", "items[0].sku", "items[0].more", "on", "part", "extra"])
        #expect(found.first?.message == "Must be a text of 1 to 5 characters.")
    }

    @Test(arguments: ["1.0", "1e2", "1E0", "9223372036854775808", "\"1\"", "true", "100.0000000000000001", "[1]", "null"])
    func refusesWhatIsNoWholeNumber(_ token: String) {
        #expect(errors("{\"amount\":\(token)}") { _ = $0.integer("amount") }.map(\.field) == ["amount"])
    }

    @Test func namesAreComparedByBytes() {
        #expect(errors("{\"\u{212A}\":1}") { _ = $0.optionalInteger("K") }.count == 1)
    }

    @Test(arguments: ["[]", "1", "\"x\"", "null"])
    func aBodyMustBeAnObject(_ text: String) {
        #expect(throws: Problem.self) { try reader(text) }
    }

    @Test func malformedBodiesAreBadRequests() {
        let problem = #expect(throws: Problem.self) { try reader("{\"a\":01}") }
        #expect(problem?.status == .badRequest)
        #expect(problem?.code == "malformed_json")
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "a"), (#"{"b":{"a":1},"a":2,"b":3}"#, "b"), (#"{"m":{"x":1,"y":{"z":1,"z":1}}}"#, "m.y.z"),
        (#"{"items":[{"sku":"a"},{"sku":"b","amount":1,"sku":"c"}]}"#, "items[1].sku"), (#"{"a":1,"\u0061":2}"#, "a"),
    ])
    func aFieldThatStandsTwiceIsNamed(_ text: String, _ field: String) {
        let problem = #expect(throws: Problem.self) { try reader(text) }
        #expect(problem?.status == .unprocessableContent)
        #expect(problem?.errors.map(\.field) == [field])
    }

    @Test func writesMembersInOrderAndEscapes() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("b", "q\"\\\u{1}\n")
            writer.field("a", Int64.min)
            writer.array("list") { writer in
                writer.integer(1)
                writer.object { _ in }
                writer.null()
            }
            writer.field("none", nil as String?)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"b":"q\"\\\u0001\n","a":-9223372036854775808,"list":[1,{},null],"none":null}"#)
    }
}
