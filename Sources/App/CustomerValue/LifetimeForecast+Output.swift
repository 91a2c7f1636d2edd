import Prediction
import Web

extension LifetimeForecast {
    /// One document, as the contract names its fields; time in weeks.
    var jsonBytes: [UInt8] {
        let model = purchases.model
        let bgnbd: JSONValue = [
            "r": .decimal(model.r), "alpha": .decimal(model.alpha), "a": .decimal(model.a), "b": .decimal(model.b),
            "logLikelihood": .decimal(purchases.logLikelihood),
        ]
        var gammaGamma = JSONValue.null
        if case .success(let fit) = values { gammaGamma = ["p": .decimal(fit.model.p), "q": .decimal(fit.model.q), "v": .decimal(fit.model.v)] }
        var totals: [JSONMember] = [JSONMember("expectedPurchases", .decimal(expectedPurchases))]
        if let outcome {
            totals.append(JSONMember("actualPurchases", .integer(Int64(outcome.purchases))))
            totals.append(JSONMember("meanAbsoluteError", .decimal(outcome.meanAbsoluteError)))
        }
        let head: JSONValue = ["bgnbd": bgnbd, "gammaGamma": gammaGamma, "totals": .object(totals)]
        var bytes = Array(head.bytes.dropLast()) + Array(#","customers":["#.utf8)
        for (place, row) in rows.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            let value: JSONValue = [
                "customerId": .text(row.id), "frequency": .integer(Int64(row.history.frequency)), "recency": .decimal(row.history.recency),
                "age": .decimal(row.history.age), "probabilityAlive": .decimal(row.probabilityAlive),
                "expectedPurchases": .decimal(row.expectedPurchases), "expectedAverageValue": .decimal(row.expectedAverageValue),
            ]
            bytes += value.bytes
        }
        return bytes + Array("]}".utf8)
    }

    /// For people: what is expected of all, how good that was, and the customers of whom most is expected.
    func table(rowsMax: Int) -> String {
        var lines = ["\(rows.count) customers are expected to buy \(Self.plain(expectedPurchases, 1)) times in the next \(weeks) weeks."]
        if let outcome {
            lines.append(
                "They bought \(outcome.purchases) times; for a customer the forecast is off by \(Self.plain(outcome.meanAbsoluteError, 3)) on average.")
        }
        let model = purchases.model
        lines.append(
            "BG/NBD: r \(Self.plain(model.r, 4)), alpha \(Self.plain(model.alpha, 4)), a \(Self.plain(model.a, 4)), b \(Self.plain(model.b, 4)), log-likelihood \(Self.plain(purchases.logLikelihood, 2))")
        switch values {
        case .success(let fit):
            lines.append(
                "Gamma-Gamma: p \(Self.plain(fit.model.p, 4)), q \(Self.plain(fit.model.q, 4)), v \(Self.plain(fit.model.v, 4)), from \(fit.customerCount) customers")
        case .failure(let problem): lines.append("No Gamma-Gamma: \(problem.sentence)")
        }
        let best = rows.sorted { $0.rank == $1.rank ? $0.id < $1.id : $0.rank > $1.rank }.prefix(rowsMax)
        var cells = [["customer", "bought again", "weeks since", "still there", "purchases", "each", "value"]]
        for row in best {
            cells.append([
                row.id, "\(row.history.frequency)", Self.plain(row.history.age - row.history.recency, 1), Self.plain(row.probabilityAlive * 100, 0) + " %",
                Self.plain(row.expectedPurchases, 2), row.expectedAverageValue.map { Self.plain($0, 2) } ?? "-", row.expectedValue.map { Self.plain($0, 2) } ?? "-",
            ])
        }
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        lines.append("")
        for row in cells {
            let padded = row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }
            lines.append(padded.joined(separator: "  "))
        }
        if rows.count > best.count { lines.append("and \(rows.count - best.count) more; --json has them all") }
        return lines.joined(separator: "\n")
    }

    /// A number with so many decimals.
    static func plain(_ value: Double, _ places: Int) -> String { OverviewChart.decimal(value, places: places) }
}
