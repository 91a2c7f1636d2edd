import NIOCore
import Testing

@testable import Web

/// Forms with a file, as browsers send them.
@Suite struct FormPartsTests {
    private static func parse(_ text: String, boundary: String = "x") throws -> FormFields { try FormFields.parse(ByteBuffer(string: text), boundary: boundary) }

    @Test func fieldsAndFilesAreRead() throws {
        let fields = try Self.parse(
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.xml\"\r\nContent-Type: text/xml\r\n\r\n<a>\r\n--y</a>\n\r\n--x--\r\n")
        #expect(fields["a"] == "1")
        #expect(fields.exact("file") == "<a>\r\n--y</a>\n")
        #expect(fields.names == ["a", "file"])
    }

    @Test(arguments: [
        "", "--y\r\n", "--x", "--x\r\n", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "--x\r\n\r\n1\r\n--x--",
        "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\u{0}\r\n--x--",
        String(repeating: "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", count: 501) + "--x--",
        "--x\r\n" + String(repeating: "a", count: 3_000) + "\r\n\r\n1\r\n--x--",
    ])
    func whatIsNoneIsRefused(_ text: String) { #expect(throws: Problem.self) { try Self.parse(text) } }
}
