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

extension MemberRows {
    mutating func intern(_ id: UnsafeBufferPointer<UInt8>) -> Int32 {
        let (number, isNew) = ids.insert(id)
        if isNew { rowOfId.append(-1) }
        return number
    }

    /// The numbers of up to `IdTable.batchMax` ids.
    @inline(__always)
    mutating func intern(_ count: Int, of text: (Int) -> UnsafeBufferPointer<UInt8>, _ take: (Int, Int32) -> Void) {
        var mentioned = 0
        ids.insert(count, of: text) { place, number, isNew in
            if isNew { mentioned += 1 }
            take(place, number)
        }
        for _ in 0..<mentioned { rowOfId.append(-1) }
    }
}
