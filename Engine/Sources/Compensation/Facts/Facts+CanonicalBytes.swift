import Chronology

extension Facts {
    /// Everything that a run reads, as bytes in an order that rows and threads don't change: the input of a run's hash.
    /// Integers are little-endian with 64 bits; texts have their length before them. Comes in chunks of about 64 KiB.
    public func canonicalBytes(_ take: @escaping (UnsafeRawBufferPointer) -> Void) {
        let bytes = ByteGatherer(take: take)
        let places = trees.map { (parent: $0.parent, slot: $0.slot) }
        bytes.add(period.start.dayNumber)
        bytes.add(period.end.dayNumber)
        bytes.add(Int64(memberCount))
        for name in attributeNames { bytes.add(name) }
        for member in 0..<memberCount {
            memberIds.withBytes(Int(memberIdNumber[member])) { bytes.add($0) }
            bytes.add(Int64(kind[member]) | Int64(status[member]) << 8 | Int64(hasEarlierOrders[member]) << 16)
            bytes.add(joinedMs[member])
            for tree in places.indices {
                bytes.add(Int64(places[tree].parent[member]))
                bytes.add(Int64(places[tree].slot[member]))
            }
            for attribute in attributes {
                let value = attribute[member]
                bytes.add(value < 0 ? "" : attributeValues[Int(value)])
            }
        }
        bytes.add(Int64(orderCount))
        for first in stride(from: 0, to: orderCount, by: IdTable.batchMax) {
            orderIds.withBytes(min(IdTable.batchMax, orderCount - first), of: { Int(orderIdNumber[first + $0]) }) { place, id in
                let order = first + place
                bytes.add(id)
                bytes.add(Int64(buyer[order]))
                bytes.add(orderMs[order])
                bytes.add(amount[order])
                bytes.add(commissionVolume[order])
                bytes.add(qualifyingVolume[order])
                if product[order] >= 0 { products.withBytes(Int(product[order])) { bytes.add($0) } } else { bytes.add(Int64(0)) }
            }
        }
        for refund in lateRefunds {
            bytes.add(Int64(refund.order))
            bytes.add(refund.refundedOrderId)
        }
        for id in nettedOrderIds { bytes.add(id) }
        bytes.flush()
    }
}

/// Numbers and texts, handed on in chunks. A class, as its block of memory has one owner.
private final class ByteGatherer {
    private static let chunkBytes = 1 << 16
    private let take: (UnsafeRawBufferPointer) -> Void
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 8)
    private var count = 0

    init(take: @escaping (UnsafeRawBufferPointer) -> Void) { self.take = take }

    deinit { block.deallocate() }

    @inline(__always)
    func add(_ value: Int64) {
        if count + 8 > Self.chunkBytes { flush() }
        block.storeBytes(of: value.littleEndian, toByteOffset: count, as: Int64.self)
        count += 8
    }

    @inline(__always)
    func add(_ text: UnsafeBufferPointer<UInt8>) {
        add(Int64(text.count))
        if count + text.count > Self.chunkBytes { flush() }
        if text.count > Self.chunkBytes {
            take(UnsafeRawBufferPointer(text))
        } else {
            UnsafeMutableRawBufferPointer(rebasing: block[count..<(count + text.count)]).copyBytes(from: text)
            count += text.count
        }
    }

    func add(_ text: String) {
        var text = text
        text.withUTF8 { add($0) }
    }

    func flush() {
        guard count > 0 else { return }
        take(UnsafeRawBufferPointer(rebasing: block[..<count]))
        count = 0
    }
}
