import Testing

@testable import App

@Suite struct CSVReaderTests {
    private func rows(_ text: String) throws -> [[String]] {
        let reader = try CSVReader(text: text)
        var rows = [reader.columns]
        while let row = try reader.next() { rows.append(row.fields) }
        return rows
    }

    @Test(arguments: [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
        ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
        ("\u{FEFF}a,b\n1,2", [["a", "b"], ["1", "2"]]),
        ("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", [["a", "b"], ["x,y", "say \"hi\""]]),
        ("a,b\n\"one\ntwo\",\n", [["a", "b"], ["one\ntwo", ""]]),
        ("a,b\n\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a\nÄpfel 🍎\n", [["a"], ["Äpfel 🍎"]]),
    ] as [(String, [[String]])])
    func readsRows(_ text: String, _ expected: [[String]]) throws { #expect(try rows(text) == expected) }

    @Test(arguments: [
        ("", 1), ("a,a\n", 1), ("a,b\n1\n", 2), ("a,b\n1,2\n1,2,3\n", 3), ("a\nx\"y\n", 2), ("a\n\"x\"y\n", 2), ("a\n\"open\n", 2),
        ("a\nx\ry\n", 2),
    ])
    func namesTheLineOfWhatIsNoCSV(_ text: String, _ line: Int) {
        do {
            _ = try rows(text)
            Issue.record("accepted \(text.debugDescription)")
        } catch let malformed as CSVReader.Malformed {
            #expect(malformed.line == line)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func refusesBytesThatAreNoText() throws {
        var pieces: [[UInt8]] = [Array("a\n".utf8) + [0xC3, 0x28]]
        let reader = try CSVReader { pieces.isEmpty ? [] : pieces.removeFirst() }
        #expect(throws: CSVReader.Malformed.self) { try reader.next() }
    }

    @Test func piecesMayEndAnywhere() throws {
        let text = Array("a,b\r\n\"x \"\"y\"\"\",2\r\n".utf8)
        var position = 0
        let reader = try CSVReader {
            guard position < text.count else { return [] }
            position += 1
            return [text[position - 1]]
        }
        #expect(try reader.next()?.fields == ["x \"y\"", "2"])
        #expect(try reader.next()?.fields == nil)
    }

    @Test func namesLinesAfterFieldsOfSeveralLines() throws {
        let reader = try CSVReader(text: "a\n\"1\n2\n3\"\nlast\n")
        #expect(try reader.next()?.line == 2)
        #expect(try reader.next()?.line == 5)
    }
}
