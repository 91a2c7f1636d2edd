import Chronology
import Foundation
import PlanFiles
import Prediction
import Testing
import Web

@testable import App

/// `kith clv` on real sales and on files that are wrong.
struct LifetimeCommandTests {
    /// The sales of CDNOW as the command reads them; nil before `bin/setup --test` brought them.
    private static let shop: String? = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../.build-data/CDNOW_sample.txt")
        guard let text = try? String(contentsOf: file.standardized, encoding: .utf8) else { return nil }
        var csv = "customer_id,date,amount\n"
        for line in text.split(whereSeparator: \.isNewline) {
            let cells = line.split(separator: " ")
            guard cells.count == 5 else { continue }
            let day = cells[2]
            csv += "\(cells[0]),\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.suffix(2)),\(cells[4])\n"
        }
        return csv
    }()

    @Test(.enabled(if: shop != nil)) func realSales() throws {
        let forecast = try run(#require(Self.shop))
        let answer = try JSONValue.parse(forecast.jsonBytes, maximumBytes: 10_000_000)
        func number(_ group: String, _ name: String) throws -> Double { try #require(answer[group]?[name]?.double) }
        for (name, value) in ["r": 0.242593, "alpha": 4.413532, "a": 0.792886, "b": 2.425752] {
            #expect(try (number("bgnbd", name) / value - 1).magnitude < 5e-4)
        }
        #expect(try (number("bgnbd", "logLikelihood") + 9_582.4256).magnitude < 0.01)
        for (name, value) in ["p": 6.248802, "q": 3.744588, "v": 15.447748] { #expect(try (number("gammaGamma", name) / value - 1).magnitude < 5e-4) }
        #expect(try (number("totals", "expectedPurchases") - 1_653.42).magnitude < 0.5)
        #expect(answer["totals"]?["actualPurchases"] == 1_882)
        #expect(try (number("totals", "meanAbsoluteError") - 0.7855).magnitude < 5e-4)
        #expect(answer["customers"]?.elements.count == 2_357)
        let first = try #require(answer["customers"]?.elements.first)
        #expect(first["customerId"]?.string == "00004" && first["frequency"] == 2)
        #expect(try (#require(first["recency"]?.double) - 30.43).magnitude < 0.01)
        #expect(try (#require(first["age"]?.double) - 38.86).magnitude < 0.01)
        #expect(try (#require(first["expectedPurchases"]?.double) - 1.226).magnitude < 1e-3)
        let table = forecast.table(rowsMax: 3)
        #expect(table.contains("2357 customers are expected to buy 1653.4 times in the next 39 weeks."))
        #expect(table.contains("They bought 1882 times") && table.contains("and 2354 more"))
    }

    /// The figures of docs/clv.md.
    @Test(.enabled(if: shop != nil)) func otherModels() throws {
        let comparison = try ask(#require(Self.shop)) { try $0.comparison() }
        #expect(comparison.actualPurchases == 1_882)
        let page = try String(contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../docs/clv.md").standardized, encoding: .utf8)
        for line in comparison.table.split(separator: "\n") { #expect(page.contains(line)) }
        #expect(comparison.rows.count == 4 && comparison.json["models"]?.elements.count == 4)
        let (plain, better) = (comparison.rows[0], comparison.rows[2])
        #expect(try #require(better.logLikelihood) > #require(plain.logLikelihood))
        #expect(try #require(better.meanAbsoluteError) < #require(plain.meanAbsoluteError))
        #expect(try #require(better.rootMeanSquareError) < #require(plain.rootMeanSquareError))
    }

    @Test func withoutWhatComesLater() throws {
        let forecast = try run(Self.regulars(customers: 40, lastDay: 28))
        let answer = try JSONValue.parse(forecast.jsonBytes, maximumBytes: 1_000_000)
        #expect(answer["totals"]?["actualPurchases"] == nil)
        #expect(answer["gammaGamma"] == .null, "everybody spends the same")
        #expect(answer["customers"]?.elements.first?["expectedAverageValue"]?.double == 20)
        #expect(forecast.table(rowsMax: 1).contains("All customers spend the same"))
    }

    /// Some bought again, each at another distance.
    private static func regulars(customers: Int, lastDay: Int) -> String {
        var csv = "date,amount,note,customer_id\n"
        for customer in 0..<customers {
            csv += "1997-01-01,20.00,\"a, b\",c\(customer)\n"
            if customer % 2 == 0 { csv += "1997-0\(1 + customer % 8)-\(10 + customer % (lastDay - 10))T10:00:00Z,20,,c\(customer)\n" }
        }
        return csv
    }

    @Test(arguments: [
        ("customer_id,date,amount\na,1997-01-01,-3\n", "line 2, column amount"),
        ("customer_id,date,amount\na,1997-01-01,3\nb,1997-02-30,3\n", "line 3, column date"),
        ("customer_id,date,amount\na,01/02/1997,3\n", "line 2, column date"),
        ("customer_id,date,amount\na,1997-01-01,NaN\n", "line 2, column amount"),
        ("customer_id,date,amount\na,1997-01-01,1e3\n", "line 2, column amount"),
        ("customer_id,date,amount\na,1997-01-01,\n", "line 2, column amount"),
        ("customer_id,date,amount\n,1997-01-01,1\n", "line 2, column customer_id"),
        ("customer_id,date\na,1997-01-01\n", "line 1, column amount"),
        ("customer_id,date,amount\na,1997-01-01\n", "line 2"),
    ])
    func wrongFiles(_ text: String, _ place: String) throws {
        let failure = #expect(throws: PlanFiles.FileFailure.self) { _ = try run(text) }
        #expect(try #require(failure).description.contains(place))
    }

    @Test(arguments: [
        ("customer_id,date,amount\n", "Nobody bought"),
        ("customer_id,date,amount\na,1998-01-01,3\n", "Nobody bought"),
        ("customer_id,date,amount\na,1997-01-01,3\n", "1 customers; at least 20"),
    ])
    func tooLittle(_ text: String, _ reason: String) throws {
        let problem = #expect(throws: Problem.self) { _ = try run(text) }
        #expect(try #require(problem).detail.contains(reason))
    }

    @Test func wrongOptions() throws {
        for (until, weeks, rows) in [("1997-09-30", 0, 20), ("1997-09-30", 521, 20), ("1997-09-30", 39, -1), ("1997-9-30", 39, 20), ("1997-02-29", 39, 20)] {
            let question = LifetimeQuestion(transactions: "none.csv", until: until, weeks: weeks, rows: rows)
            #expect(throws: Problem.self) { _ = try question.forecast() }
        }
        #expect(throws: PlanFiles.FileFailure.self) {
            _ = try LifetimeQuestion(transactions: "/no/such.csv", until: "1997-09-30", weeks: 39).forecast()
        }
    }

    private func run(_ csv: String) throws -> LifetimeForecast { try ask(csv) { try $0.forecast() } }

    private func ask<T>(_ csv: String, _ work: (LifetimeQuestion) throws -> T) throws -> T {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("clv-\(UUID().uuidString).csv").path
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try work(LifetimeQuestion(transactions: path, until: "1997-09-30", weeks: 39))
    }
}

private extension JSONValue {
    var double: Double? { if case .number(let number) = self { Double(number.token) } else { nil } }
}
