/// Texts numbered in the order of their first appearance, kept as one block of bytes. At most Int32.max entries.
struct IdTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Number in the low half (all ones: free), upper half of the hash in the high half.
    private var slots: [UInt64] = Array(repeating: Self.free, count: 1 << 10)
    private static let free = UInt64.max

    var count: Int { ends.count }

    mutating func reserve(_ capacity: Int) {
        ends.reserveCapacity(capacity)
        bytes.reserveCapacity(capacity * 12)
        var size = slots.count
        while size < capacity * 2 { size *= 2 }
        if size != slots.count { rehash(size) }
    }

    /// The number of a text, and whether it is new.
    mutating func insert(_ text: String) -> (number: Int32, isNew: Bool) {
        var text = text
        return text.withUTF8 { insert($0) }
    }

    mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> (number: Int32, isNew: Bool) {
        let hash = Self.hash(text)
        let slot = findSlot(text, hash)
        if slots[slot] != Self.free { return (Int32(truncatingIfNeeded: slots[slot]), false) }
        let number = Int32(ends.count)
        slots[slot] = Self.entry(number, hash)
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        if ends.count * 2 > slots.count { rehash(slots.count * 2) }
        return (number, true)
    }

    func number(of text: String) -> Int32? {
        var text = text
        return text.withUTF8 { bytes in
            let found = slots[findSlot(bytes, Self.hash(bytes))]
            return found == Self.free ? nil : Int32(truncatingIfNeeded: found)
        }
    }

    subscript(_ number: Int) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

    @inline(__always)
    func withBytes<Result>(_ number: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range(number)])) }
    }

    /// The first eight bytes as a number that compares like them; shorter texts end with zeros.
    func prefix(_ number: Int) -> UInt64 {
        withBytes(number) { text in
            var value: UInt64 = 0
            for place in 0..<8 { value = value << 8 | (place < text.count ? UInt64(text[place]) : 0) }
            return value
        }
    }

    /// number → its place when all texts are sorted byte by byte.
    func places() -> [Int32] {
        var entries = (0..<Int32(count)).map { (prefix: prefix(Int($0)), number: $0) }
        entries.sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : precedes(Int($0.number), Int($1.number)) }
        var places = [Int32](repeating: 0, count: count)
        for (place, entry) in entries.enumerated() { places[Int(entry.number)] = Int32(place) }
        return places
    }

    /// Whether one text stands before another byte by byte.
    func precedes(_ one: Int, _ other: Int) -> Bool {
        bytes.withUnsafeBufferPointer { all in
            let a = range(one)
            let b = range(other)
            var i = a.lowerBound
            var j = b.lowerBound
            while i < a.upperBound, j < b.upperBound {
                if all[i] != all[j] { return all[i] < all[j] }
                i += 1
                j += 1
            }
            return a.count < b.count
        }
    }

    private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

    private func findSlot(_ text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let candidate = slots[slot]
            if candidate == Self.free { return slot }
            if candidate >> 32 == hash >> 32 {
                let place = range(Int(candidate & 0xffff_ffff))
                if place.count == text.count, equal(place.lowerBound, text) { return slot }
            }
            slot = (slot + 1) & mask
        }
    }

    private static func entry(_ number: Int32, _ hash: UInt64) -> UInt64 {
        (hash & 0xffff_ffff_0000_0000) | UInt64(UInt32(bitPattern: number))
    }

    private func equal(_ start: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { all in
            for i in 0..<text.count where all[start + i] != text[i] { return false }
            return true
        }
    }

    private mutating func rehash(_ size: Int) {
        slots = Array(repeating: Self.free, count: size)
        bytes.withUnsafeBufferPointer { all in
            for number in 0..<ends.count {
                let hash = Self.hash(UnsafeBufferPointer(rebasing: all[range(number)]))
                var slot = Int(truncatingIfNeeded: hash) & (size - 1)
                while slots[slot] != Self.free { slot = (slot + 1) & (size - 1) }
                slots[slot] = Self.entry(Int32(number), hash)
            }
        }
    }

    /// FNV-1a over 64 bits with a last mix; the table's order never shows, so it needs no secret. Floods of chosen ids
    /// only slow down their own import.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value ^= value >> 29
        value = value &* 0xbf58_476d_1ce4_e5b9
        return value ^ (value >> 32)
    }
}
