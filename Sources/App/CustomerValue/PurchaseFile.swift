import Chronology
import PlanFiles
import Prediction

/// A CSV file of sales (`customer_id,date,amount`; other columns are left alone), gathered by customer.
struct PurchaseFile {
    struct Customer {
        var id: String
        var history: PurchaseHistory
        /// Days with a purchase in the weeks after `until`.
        var laterPurchases: Int
    }

    static let rowsLimit = 10_000_000
    static let customersLimit = 2_000_000
    static let amountLimit = 1e12

    /// Who bought by `until`, in the order of the file.
    private(set) var customers: [Customer] = []
    /// Whether the file goes past `until`, so that what was foretold can be held against what came.
    private(set) var goesPast = false

    /// Throws with the line and the column of what can't be read.
    static func read(_ path: String, until: LocalDay, weeks: Int) throws(PlanFiles.FileFailure) -> PurchaseFile {
        var reader = try PlanFiles.CSVReader(path: path)
        var columns: [Int] = []
        for name in ["customer_id", "date", "amount"] {
            guard let place = reader.header.firstIndex(of: name) else {
                throw PlanFiles.FileFailure(path: path, line: 1, column: name, message: "the column is missing; the first line names the columns")
            }
            columns.append(place)
        }
        var places: [String: Int] = [:]
        var ids: [String] = []
        var rows: [Row] = []
        var days = DayReader()
        while try reader.next() {
            func wrong(_ column: String, _ message: String) -> PlanFiles.FileFailure {
                PlanFiles.FileFailure(path: path, line: reader.line, column: column, message: message)
            }
            guard rows.count < rowsLimit else { throw wrong("", "the file has more than \(rowsLimit) sales") }
            let id = reader.text(columns[0])
            guard !id.isEmpty else { throw wrong("customer_id", "is empty") }
            let dayText = reader.text(columns[1])
            guard let day = days.dayNumber(dayText) else {
                throw wrong("date", "expected a day such as 2026-01-15 or a time such as 2026-01-15T10:00:00Z, found “\(dayText.prefix(40))”")
            }
            let amountText = reader.text(columns[2])
            guard let amount = Self.amount(amountText) else {
                throw wrong("amount", "expected an amount from 0 to \(Int(amountLimit)) such as 29.33, found “\(amountText.prefix(40))”; take refunds off the sales first")
            }
            if places[id] == nil {
                guard ids.count < customersLimit else { throw wrong("customer_id", "the file has more than \(customersLimit) customers") }
                places[id] = ids.count
                ids.append(id)
            }
            rows.append(Row(customer: places[id] ?? 0, purchase: Purchase(dayNumber: day, value: amount)))
        }
        return PurchaseFile(rows, ids, until: until.dayNumber, weeks: weeks)
    }

    private struct Row {
        var customer: Int
        var purchase: Purchase
    }

    private init(_ rows: [Row], _ ids: [String], until: Int64, weeks: Int) {
        goesPast = rows.contains { $0.purchase.dayNumber > until }
        let sorted = rows.sorted { $0.customer < $1.customer }
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count, sorted[end].customer == sorted[start].customer { end += 1 }
            let purchases = sorted[start..<end].map(\.purchase)
            if let history = PurchaseHistory(purchases: purchases, until: until) {
                let later = purchases.lazy.map(\.dayNumber).filter { $0 > until && $0 <= until + Int64(weeks) * 7 }
                customers.append(Customer(id: ids[sorted[start].customer], history: history, laterPurchases: Set(later).count))
            }
            start = end
        }
    }

    /// Digits, and a point with digits where there are parts.
    private static func amount(_ text: String) -> Double? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ part in !part.isEmpty && part.allSatisfy { (48...57).contains($0) } }),
            text.utf8.count <= 40, let amount = Double(text), amount <= amountLimit
        else { return nil }
        return amount
    }
}

/// Reads days; files mostly have the same ones again.
private struct DayReader {
    private var text = ""
    private var number: Int64 = 0

    mutating func dayNumber(_ text: String) -> Int64? {
        if text == self.text { return number }
        if text.utf8.count == 10 {
            guard let day = try? LocalDay(iso8601: text) else { return nil }
            number = day.dayNumber
        } else {
            guard let instant = try? Instant(rfc3339: text), let day = instant.dayInUTC else { return nil }
            number = day.dayNumber
        }
        self.text = text
        return number
    }
}
