/// Orders of lines.
enum LineOrder {
    /// Counting sort by member; inside a member in the order of the chunks, which is the order of buyers and orders.
    static func byMember(_ chunks: [[Line]], memberCount: Int) -> [Line] {
        let count = chunks.reduce(0) { $0 + $1.count }
        var starts = [Int](repeating: 0, count: memberCount + 1)
        for chunk in chunks { for line in chunk { starts[Int(line.member) + 1] += 1 } }
        for member in 0..<memberCount { starts[member + 1] += starts[member] }
        return [Line](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { LargePages.advise(base, byteCount: count * MemoryLayout<Line>.stride) }
            for chunk in chunks {
                for line in chunk {
                    buffer.initializeElement(at: starts[Int(line.member)], to: line)
                    starts[Int(line.member)] += 1
                }
            }
            filled = count
        }
    }
}
