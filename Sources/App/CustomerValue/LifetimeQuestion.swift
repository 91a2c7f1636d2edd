import Chronology
import Prediction
import Web

/// What `kith clv` is asked.
struct LifetimeQuestion {
    static let weeksLimit = CustomerValue.weeksLimit
    static let rowsLimit = 10_000

    var transactions: String
    var until: String
    var weeks: Int
    var rows = 20

    func forecast() throws -> LifetimeForecast {
        try fitted { file throws(FitProblem) in try LifetimeForecast(file, weeks: weeks) }
    }

    func comparison() throws -> LifetimeComparison {
        try fitted { file throws(FitProblem) in try LifetimeComparison(file, weeks: weeks) }
    }

    private func fitted<T>(_ work: (PurchaseFile) throws(FitProblem) -> T) throws -> T {
        guard let day = try? LocalDay(iso8601: until) else { throw Problem.unprocessable(code: "until", detail: "--until must be a day such as 2026-06-30.") }
        guard (1...Self.weeksLimit).contains(weeks) else {
            throw Problem.unprocessable(code: "weeks", detail: "--weeks must be a whole number from 1 to \(Self.weeksLimit).")
        }
        guard (0...Self.rowsLimit).contains(rows) else {
            throw Problem.unprocessable(code: "rows", detail: "--rows must be a whole number from 0 to \(Self.rowsLimit).")
        }
        let file = try PurchaseFile.read(transactions, until: day, weeks: weeks)
        do throws(FitProblem) {
            return try work(file)
        } catch {
            throw Problem.unprocessable(code: "clv_data", detail: "\(transactions): \(error.sentence)")
        }
    }
}
