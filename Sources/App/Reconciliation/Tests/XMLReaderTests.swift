import Foundation
import Testing

@testable import App

/// What a stranger may hand in: nothing grows, nothing is fetched, nothing crashes, and what is read is what xmllint reads.
@Suite struct XMLReaderTests {
    private static func events(_ text: String, piece: Int = 7) throws -> [XMLReader.Event] {
        try events(Array(text.utf8), piece: piece)
    }

    private static func events(_ bytes: [UInt8], piece: Int = 7) throws -> [XMLReader.Event] {
        var position = 0
        let reader = try XMLReader {
            let next = Array(bytes[position..<min(position + piece, bytes.count)])
            position += next.count
            return next
        }
        var all: [XMLReader.Event] = []
        while let event = try reader.event() { all.append(event) }
        return all
    }

    @Test(arguments: [1, 2, 3, 7, 1_000]) func readsElementsAttributesAndText(_ piece: Int) throws {
        let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- a --><n:a x='1&amp;2' y=\"&#x41;\"><b/>t &lt; <![CDATA[<&]]]]><c>é&#233;</c></n:a>\n<!-- end -->"
        #expect(
            try Self.events(text, piece: max(piece, 60)) == [
                .start("a", ["x": "1&2", "y": "A"]), .start("b", [:]), .end("b"), .text("t < "), .text("<&]]"), .start("c", [:]), .text("éé"), .end("c"),
                .end("a"),
            ])
    }

    static let hostile: [(String, String)] = [
        ("billion laughs", "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>"),
        ("a file of the machine", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"), ("an entity of its own", "<a>&b;</a>"),
        ("a schema elsewhere", "<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><a/>"), ("deep", String(repeating: "<a>", count: 100_000)),
        ("a long name", "<" + String(repeating: "a", count: 10_000) + "/>"), ("a long text", "<a>" + String(repeating: "x", count: 1_000_000) + "</a>"),
        ("many attributes", "<a " + (0..<1_000).map { "a\($0)='1'" }.joined(separator: " ") + "/>"), ("broken off", "<a><b>"), ("crossed", "<a><b></a></b>"),
        ("two roots", "<a/><b/>"), ("nothing", ""), ("no XML", "date,amount\n1,2"), ("NUL", "<a>\u{0}</a>"), ("NUL by number", "<a>&#0;</a>"), ("a control", "<a>\u{1B}</a>"),
        ("another code", "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>+ADw-</a>"), ("Latin", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>"),
        ("twice the same", "<a x='1' x='2'/>"), ("no quotes", "<a x=1/>"), ("behind the end", "<a/>text"), ("a lone surrogate", "<a>&#xD800;</a>"),
        ("a declaration later", "<a><?xml version=\"1.0\"?></a>"), ("an endless comment", "<!-- " + String(repeating: "-", count: 100_000)),
    ]

    @Test(arguments: hostile) func refusesWhatNoBankWrites(_ name: String, _ text: String) {
        #expect(throws: XMLReader.Malformed.self, "\(name)") { try Self.events(text, piece: 4_096) }
    }

    @Test func refusesOtherEncodings() {
        let text = "<?xml version=\"1.0\"?><a>é</a>"
        for encoding in [String.Encoding.utf16, .utf16BigEndian, .utf32] {
            #expect(throws: XMLReader.Malformed.self, "\(encoding)") { try Self.events([UInt8](text.data(using: encoding) ?? Data()), piece: 4_096) }
        }
        #expect(throws: XMLReader.Malformed.self) { try Self.events([0x3C, 0x61, 0x3E, 0xE9, 0x3C, 0x2F, 0x61, 0x3E], piece: 4_096) }
    }

    /// A file without an end is refused where its limit is, without being held.
    @Test func hasAnEndToItsPatience() throws {
        var sent = 0
        let reader = try XMLReader(bytesMax: 100_000) {
            defer { sent += 1 }
            return Array((sent == 0 ? "<a>" : String(repeating: "<b>x</b>", count: 1_000)).utf8)
        }
        #expect(throws: XMLReader.Malformed.self) { while try reader.event() != nil {} }
        #expect(sent <= 15)
    }

    /// A hundred megabytes on the disk are refused before they are read.
    @Test func aHugeFileIsRefusedAtOnce() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kith-huge-\(UUID().uuidString).xml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("<a>".utf8).write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 100 * 1_048_576)
        try handle.close()
        let clock = ContinuousClock()
        let took = clock.measure { #expect(throws: XMLReader.Malformed.self) { try BankFile.read(.file(path: file.path), .camt053) } }
        #expect(took < .seconds(5))
    }

    /// Samples with one byte changed are read by both, or refused by both. What only we refuse is named: we know less on purpose.
    @Test func agreesWithXmllint() throws {
        var generator = SeededNumbers(seed: 20_261_122)
        let sample = BankSamples.camt([BankSamples.Entry(payments: [BankSamples.Tx(endToEnd: "A-1")])])
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-xml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var files: [(path: String, bytes: [UInt8])] = []
        for number in 0..<150 {
            var bytes = Array(sample.utf8)
            let place = Int(generator.next() % UInt64(bytes.count))
            let signs = Array("<>/&;\"'= x!?-[]".utf8)
            bytes[place] = signs[Int(generator.next() % UInt64(signs.count))]
            let path = folder.appendingPathComponent("\(number).xml")
            try Data(bytes).write(to: path)
            files.append((path.path, bytes))
        }
        for file in files {
            let ours = (try? Self.events(file.bytes, piece: 512)) != nil
            let theirs = try Self.xmllint(file.path)
            // A prefix that stands for no namespace is a mere warning to it, and “]]>” in text is refused by it alone.
            if ours != theirs { Issue.record("\(ours ? "we read" : "xmllint reads") \(String(decoding: file.bytes, as: UTF8.self))") }
        }
    }

    private static func xmllint(_ path: String) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/xmllint")
        process.arguments = ["--noout", "--nonet", path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private struct SeededNumbers: RandomNumberGenerator {
        var seed: UInt64
        mutating func next() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 11
        }
    }
}
