import Foundation
import Prediction
import Testing

/// The customers of `cdnow.csv`, and what `clv.json` says of them.
struct CDNOW {
    let histories: [PurchaseHistory]
    /// Days with a purchase in the 39 weeks after.
    let later: [Int]

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "cdnow", withExtension: "csv"))
        let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst(2).map { $0.split(separator: ",").compactMap { Int($0) } }
        histories = rows.map { row in
            PurchaseHistory(
                frequency: row[0], recency: Double(row[1]) / 7, age: Double(row[2]) / 7, averageValue: row[0] == 0 ? 0 : Double(row[3]) / 100 / Double(row[0]),
                firstValue: Double(row[4]) / 100)
        }
        later = rows.map { $0[5] }
    }
}

struct Reference: Decodable {
    struct Conditional: Decodable {
        let x: Int
        let t_x: Double
        let T: Double
        let p_alive: Double
        let exp_39: Double
        let exp_10: Double
    }

    struct Purchases: Decodable {
        let params: [String: Double]
        let loglik_original_time: Double
        let expected_purchases_39w_new: [String: Double]
        let conditional: [Conditional]
    }

    struct Values: Decodable {
        let params: [String: Double]
        let population_mean_pv_over_q_minus_1: Double
    }

    struct Holdout: Decodable {
        let actual_repeat_transactions: Double
        let predicted: Double
        let mae: Double
        let naive_rate_baseline: Naive
    }

    struct Naive: Decodable {
        let predicted: Double
        let mae: Double
    }

    let bgnbd: Purchases
    let gammagamma: Values
    let holdout_39_weeks: Holdout

    static func read() throws -> Reference {
        let url = try #require(Bundle.module.url(forResource: "clv", withExtension: "json"))
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }
}

/// Equal to so many digits that count.
func expect(_ value: Double, _ reference: Double, digits: Double = 3, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect((value - reference).magnitude <= reference.magnitude * pow(10, -digits) / 2, "\(value) is not \(reference)", sourceLocation: sourceLocation)
}
