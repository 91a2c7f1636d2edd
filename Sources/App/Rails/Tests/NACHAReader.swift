import Foundation

/// Reads a file of ACH credits by the published rules alone: positions, sums, hash, blocks. What is wrong is said with its line.
struct NACHAReader {
    struct Entry: Equatable {
        var code: String
        var routing: String
        var account: String
        var cents: Int
        var id: String
        var name: String
        var trace: String
    }

    private(set) var faults: [String] = []
    private(set) var entries: [Entry] = []
    private(set) var effective = ""
    private(set) var company = ""
    private(set) var description = ""

    init(_ text: String) {
        guard text.hasSuffix("\r\n") || text.hasSuffix("\n") else {
            faults.append("the last line does not end")
            return
        }
        let lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        for (number, line) in lines.enumerated() {
            if line.utf8.count != 94 { faults.append("line \(number + 1) has \(line.utf8.count) characters") }
            if !line.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { faults.append("line \(number + 1) has other characters") }
        }
        if lines.count % 10 != 0 { faults.append("\(lines.count) lines are no blocks of ten") }
        guard faults.isEmpty, lines.count >= 10 else { return }
        read(lines)
    }

    private mutating func expect(_ holds: Bool, _ what: String) { if !holds { faults.append(what) } }

    private mutating func read(_ lines: [String]) {
        func cut(_ line: String, _ from: Int, _ to: Int) -> String { String(decoding: Array(line.utf8)[(from - 1)..<to], as: UTF8.self) }
        func isDigits(_ text: String) -> Bool { text.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        let real = lines.prefix { $0 != String(repeating: "9", count: 94) }
        expect(lines.dropFirst(real.count).allSatisfy { $0 == String(repeating: "9", count: 94) }, "something follows the filling")
        expect(lines.count - real.count < 10, "a block is nothing but filling")
        let file = real[0], batch = real[1], batchEnd = real[real.count - 2], fileEnd = real[real.count - 1]
        expect(cut(file, 1, 3) == "101", "file header: record type and priority")
        expect(cut(file, 4, 4) == " " && Self.isRouting(cut(file, 5, 13)), "file header: immediate destination")
        expect(isDigits(cut(file, 24, 33)), "file header: day and time")
        expect(cut(file, 34, 34).first.map { $0.isUppercase || $0.isNumber } == true, "file header: modifier")
        expect(cut(file, 35, 40) == "094101", "file header: record size, blocking, format")
        expect(cut(batch, 1, 4) == "5220", "batch header: credits only")
        expect(cut(batch, 51, 53) == "PPD", "batch header: entry class")
        expect(isDigits(cut(batch, 70, 75)), "batch header: effective day")
        expect(cut(batch, 76, 78) == "   " && cut(batch, 79, 79) == "1", "batch header: settlement day and status")
        company = cut(batch, 5, 20).trimmingCharacters(in: .whitespaces)
        description = cut(batch, 54, 63).trimmingCharacters(in: .whitespaces)
        effective = cut(batch, 70, 75)
        var hash = 0
        var total = 0
        var last = ""
        for line in real[2..<(real.count - 2)] {
            expect(cut(line, 1, 1) == "6", "an entry")
            expect(["22", "32"].contains(cut(line, 2, 3)), "entry: transaction code \(cut(line, 2, 3))")
            expect(Self.isRouting(cut(line, 4, 12)), "entry: routing number \(cut(line, 4, 12))")
            expect(isDigits(cut(line, 30, 39)), "entry: amount")
            expect(cut(line, 79, 79) == "0", "entry: addenda")
            expect(isDigits(cut(line, 80, 94)) && cut(line, 80, 87) == cut(batch, 80, 87), "entry: trace number")
            expect(cut(line, 80, 94) > last, "entry: trace numbers rise")
            last = cut(line, 80, 94)
            hash += Int(cut(line, 4, 11)) ?? 0
            total += Int(cut(line, 30, 39)) ?? 0
            entries.append(
                Entry(
                    code: cut(line, 2, 3), routing: cut(line, 4, 12), account: cut(line, 13, 29).trimmingCharacters(in: .whitespaces),
                    cents: Int(cut(line, 30, 39)) ?? -1, id: cut(line, 40, 54).trimmingCharacters(in: .whitespaces),
                    name: cut(line, 55, 76).trimmingCharacters(in: .whitespaces), trace: cut(line, 80, 94)))
        }
        let hashText = String(String(repeating: "0", count: 10) + String(hash)).suffix(10)
        expect(cut(batchEnd, 1, 4) == "8220" && Int(cut(batchEnd, 5, 10)) == entries.count, "batch control: count")
        expect(cut(batchEnd, 11, 20) == hashText, "batch control: hash")
        expect(Int(cut(batchEnd, 21, 32)) == 0 && Int(cut(batchEnd, 33, 44)) == total, "batch control: sums")
        expect(cut(batchEnd, 45, 54) == cut(batch, 41, 50), "batch control: company id")
        expect(cut(batchEnd, 80, 94) == cut(batch, 80, 94), "batch control: bank and number")
        expect(cut(fileEnd, 1, 7) == "9000001" && Int(cut(fileEnd, 8, 13)) == lines.count / 10, "file control: batches and blocks")
        expect(Int(cut(fileEnd, 14, 21)) == entries.count && cut(fileEnd, 22, 31) == hashText, "file control: count and hash")
        expect(Int(cut(fileEnd, 32, 43)) == 0 && Int(cut(fileEnd, 44, 55)) == total, "file control: sums")
        expect(cut(fileEnd, 56, 94) == String(repeating: " ", count: 39), "file control: reserved")
    }

    private static func isRouting(_ text: String) -> Bool {
        let digits = text.compactMap(\.wholeNumberValue)
        guard digits.count == 9 else { return false }
        let sum = 3 * (digits[0] + digits[3] + digits[6]) + 7 * (digits[1] + digits[4] + digits[7]) + digits[2] + digits[5] + digits[8]
        return sum % 10 == 0
    }
}
