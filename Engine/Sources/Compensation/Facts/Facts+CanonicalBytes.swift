import Chronology

extension Facts {
    /// Everything that a run reads, as bytes in an order that rows and threads don't change: the input of a run's hash.
    /// Integers are little-endian with 64 bits; texts have their length before them. Comes in chunks of about 64 KiB.
    public func canonicalBytes(_ take: @escaping (UnsafeRawBufferPointer) -> Void) {
        var bytes = ByteGatherer(take: take)
        bytes.add(period.start.dayNumber)
        bytes.add(period.end.dayNumber)
        bytes.add(Int64(memberCount))
        for name in attributeNames { bytes.add(name) }
        for member in 0..<memberCount {
            memberIds.withBytes(Int(memberIdNumber[member])) { bytes.add($0) }
            bytes.add(Int64(kind[member]) | Int64(status[member]) << 8 | Int64(hasEarlierOrders[member]) << 16)
            bytes.add(joinedMs[member])
            for tree in trees {
                bytes.add(Int64(tree.parent[member]))
                bytes.add(Int64(tree.slot[member]))
            }
            for attribute in attributes {
                let value = attribute[member]
                bytes.add(value < 0 ? "" : attributeValues[Int(value)])
            }
        }
        bytes.add(Int64(orderCount))
        for order in 0..<orderCount {
            orderIds.withBytes(Int(orderIdNumber[order])) { bytes.add($0) }
            bytes.add(Int64(buyer[order]))
            bytes.add(orderMs[order])
            bytes.add(amount[order])
            bytes.add(commissionVolume[order])
            bytes.add(qualifyingVolume[order])
            if product[order] >= 0 { products.withBytes(Int(product[order])) { bytes.add($0) } } else { bytes.add(Int64(0)) }
        }
        for refund in lateRefunds {
            bytes.add(Int64(refund.order))
            bytes.add(refund.refundedOrderId)
        }
        for id in nettedOrderIds { bytes.add(id) }
        bytes.flush()
    }
}

private struct ByteGatherer {
    private static let chunkBytes = 1 << 16
    private let take: (UnsafeRawBufferPointer) -> Void
    private var bytes: [UInt8] = []

    init(take: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.take = take
        bytes.reserveCapacity(Self.chunkBytes + 1_024)
    }

    @inline(__always)
    mutating func add(_ value: Int64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        if bytes.count >= Self.chunkBytes { flush() }
    }

    @inline(__always)
    mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
        withUnsafeBytes(of: Int64(text.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text)
        if bytes.count >= Self.chunkBytes { flush() }
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add($0) }
    }

    mutating func flush() {
        guard !bytes.isEmpty else { return }
        bytes.withUnsafeBytes { take($0) }
        bytes.removeAll(keepingCapacity: true)
    }
}
