import Chronology
import Compensation
import Foundation
import PlanFiles
import PlanLanguage
import Testing

@Suite struct GalleryTests {
    @Test func ten() { #expect(Gallery.names.count == 10) }

    @Test("Each plan of the gallery gives the lines and statements that stand beside it, and its page shows them", arguments: Gallery.names)
    func figures(name: String) async throws {
        let folder = try Folder()
        let summaries = try await PlanComputation(
            planPath: Gallery.plan(name), files: Gallery.facts(name), periods: .all, outputPath: folder.path + "/out").run()
        #expect(!summaries.isEmpty)
        let page = try Gallery.text(Gallery.root.appendingPathComponent(name + ".md").path)
        let expected = Gallery.root.appendingPathComponent("facts/\(name)/expected")
        #expect(try FileManager.default.contentsOfDirectory(atPath: expected.path).sorted() == summaries.map { $0.period.start.iso8601 })
        for summary in summaries {
            let period = summary.period.start.iso8601
            for file in ["lines.csv", "statements.csv"] {
                let written = try Gallery.text("\(folder.path)/out/\(period)/\(file)")
                #expect(written == (try Gallery.text(expected.appendingPathComponent("\(period)/\(file)").path)), "\(name) \(period) \(file)")
            }
            #expect(page.contains(try Gallery.text("\(folder.path)/out/\(period)/lines.csv")), "plans/\(name).md does not show \(period)")
        }
    }

    @Test("Neither the order of rows nor threads nor the way a plan is written show in a byte", arguments: Gallery.names)
    func sameBytes(name: String) async throws {
        let folder = try Folder()
        let facts = Gallery.facts(name)
        func turned(_ path: String) throws -> String {
            let lines = try Gallery.text(path).split(separator: "\n")
            return ([lines[0]] + lines.dropFirst().reversed()).joined(separator: "\r\n")
        }
        let other = FactFiles(members: try folder.write("members.csv", try turned(facts.members)), orders: try folder.write("orders.csv", try turned(facts.orders)))
        let plan = try folder.write("plan.json", try Plan(text: Gallery.text(Gallery.plan(name))).canonicalJSON)
        let one = try await PlanComputation(planPath: Gallery.plan(name), files: facts, periods: .all, threads: 1, outputPath: folder.path + "/one").run()
        let two = try await PlanComputation(planPath: plan, files: other, periods: .all, threads: 3, outputPath: folder.path + "/two").run()
        #expect(one.map(\.hash) == two.map(\.hash) && one.map(\.json) == two.map(\.json))
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/one") where file.contains(".") {
            #expect(FileManager.default.contents(atPath: "\(folder.path)/one/\(file)") == FileManager.default.contents(atPath: "\(folder.path)/two/\(file)"), "\(file)")
        }
    }

    @Test("Period by period with the carry gives what all periods in one command give", arguments: Gallery.names)
    func chain(name: String) async throws {
        let folder = try Folder()
        let facts = Gallery.facts(name)
        let all = try await PlanComputation(planPath: Gallery.plan(name), files: facts, periods: .all, outputPath: folder.path + "/all").run()
        let orders = try Gallery.text(facts.orders).split(separator: "\n").map(String.init)
        let calendar = try Plan(text: Gallery.text(Gallery.plan(name))).calendar
        var carry: String?
        for summary in all {
            let start = summary.period.start
            let own = try orders.dropFirst().filter { line in
                let time = try Instant(rfc3339: String(line.split(separator: ",", omittingEmptySubsequences: false)[2]))
                return calendar.zone.localDay(of: time).map { summary.period.contains($0) } ?? false
            }
            let file = try folder.write("orders-\(start.iso8601).csv", ([orders[0]] + own).joined(separator: "\n"))
            let out = "\(folder.path)/one-\(start.iso8601)"
            _ = try await PlanComputation(
                planPath: Gallery.plan(name), files: FactFiles(members: facts.members, orders: file), periods: .one(start: start), carryPath: carry,
                outputPath: out).run()
            for name in ["lines.csv", "statements.csv", "carry.json"] {
                #expect(try Gallery.text("\(out)/\(name)") == Gallery.text("\(folder.path)/all/\(start.iso8601)/\(name)"), "\(start) \(name)")
            }
            carry = out + "/carry.json"
        }
    }

    @Test("What a statement says is the sum of the lines", arguments: Gallery.names)
    func sums(name: String) async throws {
        let expected = Gallery.root.appendingPathComponent("facts/\(name)/expected")
        for period in try FileManager.default.contentsOfDirectory(atPath: expected.path) {
            var sums: [String: Int64] = [:]
            for line in try Gallery.text(expected.appendingPathComponent("\(period)/lines.csv").path).split(separator: "\n").dropFirst() {
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                sums[String(cells[0]), default: 0] += try #require(Int64(cells[6]))
            }
            for line in try Gallery.text(expected.appendingPathComponent("\(period)/statements.csv").path).split(separator: "\n").dropFirst() {
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                #expect(Int64(cells[5]) == sums[String(cells[0]), default: 0], "\(period) \(line)")
            }
        }
    }
}
