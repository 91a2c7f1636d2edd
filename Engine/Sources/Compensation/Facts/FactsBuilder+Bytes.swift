/// One order as a file has it: texts as bytes, times in milliseconds since 1970. Nothing is kept of the bytes themselves.
public struct OrderBytes {
    public var row: Int
    public var id: UnsafeBufferPointer<UInt8>
    public var buyerId: UnsafeBufferPointer<UInt8>
    public var occurredMs: Int64
    public var placedMs: Int64?
    public var amountMinor: Int64
    /// Nil: the amount.
    public var commissionVolume: Int64?
    public var qualifyingVolume: Int64?
    /// Empty: none.
    public var product: UnsafeBufferPointer<UInt8>
    public var refundOf: UnsafeBufferPointer<UInt8>

    public init(
        row: Int, id: UnsafeBufferPointer<UInt8>, buyerId: UnsafeBufferPointer<UInt8>, occurredMs: Int64, placedMs: Int64?,
        amountMinor: Int64, commissionVolume: Int64?, qualifyingVolume: Int64?, product: UnsafeBufferPointer<UInt8>,
        refundOf: UnsafeBufferPointer<UInt8>
    ) {
        self.row = row
        self.id = id
        self.buyerId = buyerId
        self.occurredMs = occurredMs
        self.placedMs = placedMs
        self.amountMinor = amountMinor
        self.commissionVolume = commissionVolume
        self.qualifyingVolume = qualifyingVolume
        self.product = product
        self.refundOf = refundOf
    }
}

extension FactsBuilder {
    /// As `add(OrderRow)`, for readers of files with millions of rows.
    public mutating func add(_ row: OrderBytes) throws(FactsFailure) {
        func failure(_ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .orders, row: row.row, column: column, reason: reason)
        }
        guard !row.id.isEmpty else { throw failure("id", .emptyId) }
        guard orders.rows.count < Self.rowsLimit else { throw failure("id", .tooManyRows) }
        let (number, isNew) = orders.ids.insert(row.id)
        guard isNew else { throw failure("id", .duplicateId) }
        let commission = row.commissionVolume ?? row.amountMinor
        let qualifying = row.qualifyingVolume ?? row.amountMinor
        let limit = UInt64(Self.volumeLimit)
        guard row.amountMinor.magnitude <= limit else { throw failure("amount", .volumeTooLarge) }
        guard commission.magnitude <= limit else { throw failure("commission_volume", .volumeTooLarge) }
        guard qualifying.magnitude <= limit else { throw failure("qualifying_volume", .volumeTooLarge) }
        if !row.refundOf.isEmpty {
            guard row.amountMinor <= 0 else { throw failure("amount", .refundNotNegative) }
            guard commission <= 0 else { throw failure("commission_volume", .refundNotNegative) }
            guard qualifying <= 0 else { throw failure("qualifying_volume", .refundNotNegative) }
            orders.refunds.append((number, String(decoding: row.refundOf, as: UTF8.self)))
        }
        orders.rows.append(row.row)
        orders.buyers.append(members.intern(row.buyerId))
        orders.times.append(
            calendar.orderTime == .placed && row.refundOf.isEmpty ? row.placedMs ?? row.occurredMs : row.occurredMs)
        orders.amounts.append(row.amountMinor)
        orders.commissions.append(commission)
        orders.qualifyings.append(qualifying)
        orders.products.append(row.product.isEmpty ? -1 : orders.productNames.insert(row.product).number)
    }
}

extension MemberRows {
    mutating func intern(_ id: UnsafeBufferPointer<UInt8>) -> Int32 {
        let (number, isNew) = ids.insert(id)
        if isNew { rowOfId.append(-1) }
        return number
    }
}
