import Compensation
import Money

/// Reads the orders' file into batches, ahead of whoever numbers their ids.
struct OrderFile: ~Copyable {
    private static let columns = ["id", "buyer_id", "occurred_at", "amount", "currency"]
    private static let optionalColumns = ["commission_volume", "qualifying_volume", "sku", "refund_of", "placed_at"]

    private let path: String
    private let unit: UnitCode
    private var reader: CSVReader
    private let id, buyer, occurred, amount, currency: Int
    /// −1: the file has no such column.
    private let commission, qualifying, product, refund, placed: Int
    /// The one currency that orders may have; nil: points say none, and the first order decides.
    private var wanted: [UInt8]?
    private var days = DayMemory()

    init(path: String, unit: UnitCode) throws(FileFailure) {
        self.path = path
        self.unit = unit
        let reader = try CSVReader(path: path)
        let header = reader.header
        let places = try CSVReader.places(of: Self.columns, header, path)
        for name in header where !Self.columns.contains(name) && !Self.optionalColumns.contains(name) {
            throw FileFailure(
                path: path, line: 1, column: name,
                message: "there is no such column; there are \((Self.columns + Self.optionalColumns).joined(separator: ", "))")
        }
        (id, buyer, occurred, amount, currency) = (places[0], places[1], places[2], places[3], places[4])
        let others = Self.optionalColumns.map { header.firstIndex(of: $0) ?? -1 }
        (commission, qualifying, product, refund, placed) = (others[0], others[1], others[2], others[3], others[4])
        switch unit.kind {
        case .currency(let currency), .credit(let currency): wanted = Array(currency.code.utf8)
        case .points: break
        }
        self.reader = reader
    }

    /// The next rows; nil at the end of the file. With a row that can't be read come those before it.
    mutating func next() -> (batch: OrderBatch, failure: FileFailure?)? {
        var batch = OrderBatch()
        do throws(FileFailure) {
            while !batch.isFull, try reader.next() { batch.add(try row()) }
        } catch { return (batch, error) }
        return batch.count == 0 ? nil : (batch, nil)
    }

    private mutating func row() throws(FileFailure) -> OrderBytes {
        try checkCurrency()
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        let occurredMs = try time(occurred)
        let placedMs = try isThere(placed) ? time(placed) : nil
        let amountMinor = try number(amount)
        return OrderBytes(
            row: reader.line, id: reader.cell(id), buyerId: reader.cell(buyer), occurredMs: occurredMs, placedMs: placedMs, amountMinor: amountMinor,
            commissionVolume: try isThere(commission) ? number(commission) : nil,
            qualifyingVolume: try isThere(qualifying) ? number(qualifying) : nil,
            product: product >= 0 ? reader.cell(product) : none, refundOf: refund >= 0 ? reader.cell(refund) : none)
    }

    @inline(__always)
    private func isThere(_ place: Int) -> Bool { place >= 0 && !reader.cell(place).isEmpty }

    @inline(__always)
    private func number(_ place: Int) throws(FileFailure) -> Int64 {
        guard let value = Cells.integer(reader.cell(place)) else { throw wrong(place, "expected a whole number of minor units, found") }
        return value
    }

    @inline(__always)
    private mutating func time(_ place: Int) throws(FileFailure) -> Int64 {
        guard let value = Cells.instantMs(reader.cell(place), &days) else { throw wrong(place, "expected a time such as 2026-01-15T10:00:00Z, found") }
        return value
    }

    private func wrong(_ place: Int, _ message: String) -> FileFailure {
        FileFailure(path: path, line: reader.line, column: reader.header[place], message: "\(message) “\(reader.text(place).prefix(40))”")
    }

    @inline(__always)
    private mutating func checkCurrency() throws(FileFailure) {
        let cell = reader.cell(currency)
        guard let wanted else {
            if !cell.isEmpty { self.wanted = Array(cell) }
            return
        }
        guard cell.count == wanted.count, cell.elementsEqual(wanted) else {
            throw FileFailure(
                path: path, line: reader.line, column: "currency",
                message: "the plan counts in \(unit.code), and this order is in “\(reader.text(currency).prefix(40))”; convert it first, or give another plan")
        }
    }
}
