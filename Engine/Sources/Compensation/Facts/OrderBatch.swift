/// Orders as a file has them, many at once and in its order, so that one thread reads the file and another numbers ids.
public struct OrderBatch: Sendable {
    /// About a megabyte.
    public static let rowsMax = 8_192

    struct Row: Sendable {
        var row: Int
        /// Nil: as `occurredMs`.
        var placedMs: Int64?
        var occurredMs: Int64
        var amountMinor: Int64
        var commission: Int64
        var qualifying: Int64
        /// Where the id starts in `texts`, and where id, buyer, product and refunded order end; they follow each other.
        var idStart: UInt32
        var idEnd: UInt32
        var buyerEnd: UInt32
        var productEnd: UInt32
        var refundEnd: UInt32
    }

    private(set) var texts: [UInt8] = []
    private(set) var rows: [Row] = []

    public init() {
        rows.reserveCapacity(Self.rowsMax)
        texts.reserveCapacity(Self.rowsMax * 24)
    }

    public var count: Int { rows.count }
    /// A row is at most one megabyte of text, so that 32 bits are enough.
    public var isFull: Bool { rows.count >= Self.rowsMax || texts.count >= 1 << 24 }

    public mutating func add(_ order: OrderBytes) {
        let idStart = UInt32(texts.count)
        texts.append(contentsOf: order.id)
        let idEnd = UInt32(texts.count)
        texts.append(contentsOf: order.buyerId)
        let buyerEnd = UInt32(texts.count)
        if !order.product.isEmpty { texts.append(contentsOf: order.product) }
        let productEnd = UInt32(texts.count)
        if !order.refundOf.isEmpty { texts.append(contentsOf: order.refundOf) }
        rows.append(
            Row(
                row: order.row, placedMs: order.placedMs, occurredMs: order.occurredMs, amountMinor: order.amountMinor,
                commission: order.commissionVolume ?? order.amountMinor, qualifying: order.qualifyingVolume ?? order.amountMinor,
                idStart: idStart, idEnd: idEnd, buyerEnd: buyerEnd, productEnd: productEnd, refundEnd: UInt32(texts.count)))
    }
}

extension FactsBuilder {
    /// Adds the rows in turn. After a failure the builder is of no use any more.
    public mutating func add(_ batch: OrderBatch) throws(FactsFailure) {
        var failure: FactsFailure?
        batch.texts.withUnsafeBufferPointer { texts in
            var start = 0
            while start < batch.rows.count, failure == nil {
                let end = min(start + IdTable.batchMax, batch.rows.count)
                do throws(FactsFailure) { try add(batch.rows[start..<end], texts) } catch { failure = error }
                start = end
            }
        }
        if let failure { throw failure }
    }

    private mutating func add(_ rows: ArraySlice<OrderBatch.Row>, _ texts: UnsafeBufferPointer<UInt8>) throws(FactsFailure) {
        func text(_ from: UInt32, _ to: UInt32) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: texts[Int(from)..<Int(to)]) }
        let first = rows.startIndex
        let before = orders.entries.count
        guard before + rows.count <= Self.rowsLimit else { throw FactsFailure(file: .orders, row: rows[first].row, column: "id", reason: .tooManyRows) }
        var doubled = rows.endIndex
        orders.ids.insert(rows.count, of: { text(rows[first + $0].idStart, rows[first + $0].idEnd) }) { place, _, isNew in
            if !isNew { doubled = min(doubled, first + place) }
        }
        var buyers = [Int32](repeating: 0, count: rows.count)
        members.intern(rows.count, of: { text(rows[first + $0].idEnd, rows[first + $0].buyerEnd) }) { buyers[$0] = $1 }
        for (place, row) in rows.enumerated() {
            orders.entries.append(
                OrderEntry(
                    row: row.row, time: row.occurredMs, amount: row.amountMinor, commission: row.commission, qualifying: row.qualifying,
                    buyer: buyers[place], product: -1))
        }
        let limit = UInt64(Self.volumeLimit)
        for place in rows.indices {
            let row = rows[place]
            func failure(_ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
                FactsFailure(file: .orders, row: row.row, column: column, reason: reason)
            }
            guard row.idStart < row.idEnd else { throw failure("id", .emptyId) }
            guard place < doubled else { throw failure("id", .duplicateId) }
            guard row.amountMinor.magnitude <= limit else { throw failure("amount", .volumeTooLarge) }
            guard row.commission.magnitude <= limit else { throw failure("commission_volume", .volumeTooLarge) }
            guard row.qualifying.magnitude <= limit else { throw failure("qualifying_volume", .volumeTooLarge) }
            let number = before + place - first
            if row.productEnd < row.refundEnd {
                guard row.amountMinor <= 0 else { throw failure("amount", .refundNotNegative) }
                guard row.commission <= 0 else { throw failure("commission_volume", .refundNotNegative) }
                guard row.qualifying <= 0 else { throw failure("qualifying_volume", .refundNotNegative) }
                orders.refunds.append((Int32(number), String(decoding: text(row.productEnd, row.refundEnd), as: UTF8.self)))
            } else if calendar.orderTime == .placed, let placed = row.placedMs {
                orders.entries[number].time = placed
            }
            if row.buyerEnd < row.productEnd { orders.entries[number].product = orders.productNames.insert(text(row.buyerEnd, row.productEnd)).number }
        }
    }
}
