/// Texts numbered in the order of their first appearance, kept as one block of bytes. At most Int32.max entries.
struct IdTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var slots: [Slot] = Array(repeating: .free, count: 1 << 10)
    private var lastSeen: UInt32 = 0

    /// 16 bytes, so that a look-up of a short text reads one line of memory: with a million members every further read is
    /// one from far away.
    private struct Slot: BitwiseCopyable {
        static let free = Slot(number: -1, tag: 0, start: 0)
        var number: Int32
        var tag: UInt32
        /// The first eight bytes.
        var start: UInt64

        var isFree: Bool { number < 0 }
    }

    /// What is asked of the table about a text, made once.
    private struct Key {
        let text: UnsafeBufferPointer<UInt8>
        let hash: UInt64
        /// 24 bits of the hash, and the length up to 255.
        let tag: UInt32
        let start: UInt64

        @inline(__always)
        init(_ text: UnsafeBufferPointer<UInt8>) {
            self.text = text
            hash = IdTable.hash(text)
            tag = UInt32(truncatingIfNeeded: hash >> 40) << 8 | UInt32(min(text.count, 255))
            start = IdTable.word(text, 0)
        }
    }

    var count: Int { ends.count }

    mutating func reserve(_ capacity: Int) {
        ends.reserveLarge(capacity)
        bytes.reserveLarge(capacity * 12)
        var size = slots.count
        while Self.isFull(capacity, of: size) { size *= 2 }
        if size != slots.count { rehash(size) }
    }

    /// The number of a text, and whether it is new.
    mutating func insert(_ text: String) -> (number: Int32, isNew: Bool) {
        var text = text
        return text.withUTF8 { insert($0) }
    }

    mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> (number: Int32, isNew: Bool) { insert(Key(text)) }

    @inline(__always)
    private mutating func insert(_ key: Key) -> (number: Int32, isNew: Bool) {
        let slot = findSlot(key)
        if !slots[slot].isFree { return (slots[slot].number, false) }
        let number = Int32(ends.count)
        slots[slot] = Slot(number: number, tag: key.tag, start: key.start)
        bytes.append(contentsOf: key.text)
        ends.append(bytes.count)
        if Self.isFull(ends.count, of: slots.count) { rehash(slots.count * 2) }
        return (number, true)
    }

    /// Texts that are looked for at once.
    static let batchMax = 64

    /// The same for up to `batchMax` texts at once; `take` gets each one's place among them, its number and whether it is new.
    /// The slots of all are asked for before the first is looked at: what is far away comes at the same time.
    @inline(__always)
    mutating func insert(_ count: Int, of text: (Int) -> UnsafeBufferPointer<UInt8>, _ take: (Int, Int32, Bool) -> Void) {
        withUnsafeTemporaryAllocation(of: Key.self, capacity: Self.batchMax) { keys in
            var seen: UInt32 = 0
            slots.withUnsafeBufferPointer { slots in
                for place in 0..<count {
                    let key = Key(text(place))
                    keys.initializeElement(at: place, to: key)
                    seen |= slots[Int(truncatingIfNeeded: key.hash) & (slots.count - 1)].tag
                }
            }
            // Read once, so that the reads above stay.
            lastSeen = seen
            for place in 0..<count {
                let (number, isNew) = insert(keys[place])
                take(place, number, isNew)
            }
        }
    }

    func number(of text: String) -> Int32? {
        var text = text
        return text.withUTF8 { bytes in
            let found = slots[findSlot(Key(bytes))]
            return found.isFree ? nil : found.number
        }
    }

    subscript(_ number: Int) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

    @inline(__always)
    func withBytes<Result>(_ number: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range(number)])) }
    }

    /// The same for up to `batchMax` numbers at once, in turn; what is far away comes at the same time.
    @inline(__always)
    func withBytes(_ count: Int, of number: (Int) -> Int, _ body: (Int, UnsafeBufferPointer<UInt8>) -> Void) {
        withUnsafeTemporaryAllocation(of: Range<Int>.self, capacity: Self.batchMax) { ranges in
            ends.withUnsafeBufferPointer { ends in
                for place in 0..<count {
                    let number = number(place)
                    ranges.initializeElement(at: place, to: (number == 0 ? 0 : ends[number - 1])..<ends[number])
                }
            }
            bytes.withUnsafeBufferPointer { bytes in
                var seen: UInt8 = 0
                for place in 0..<count where !ranges[place].isEmpty { seen |= bytes[ranges[place].lowerBound] }
                withExtendedLifetime(seen) {
                    for place in 0..<count { body(place, UnsafeBufferPointer(rebasing: bytes[ranges[place]])) }
                }
            }
        }
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

    private func findSlot(_ key: Key) -> Int {
        slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var place = Int(truncatingIfNeeded: key.hash) & mask
            while true {
                let slot = slots[place]
                if slot.isFree || (slot.tag == key.tag && slot.start == key.start && isRest(Int(slot.number), key.text)) { return place }
                place = (place + 1) & mask
            }
        }
    }

    /// Whether an entry, which begins with the same bytes, is the text to its end.
    @inline(__always)
    private func isRest(_ number: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.count <= 8 { return true }
        let place = range(number)
        guard place.count == text.count else { return false }
        return bytes.withUnsafeBufferPointer { all in
            for i in 8..<text.count where all[place.lowerBound + i] != text[i] { return false }
            return true
        }
    }

    private mutating func rehash(_ size: Int) {
        slots = Array(large: size, repeating: .free)
        bytes.withUnsafeBufferPointer { all in
            for number in 0..<ends.count {
                let key = Key(UnsafeBufferPointer(rebasing: all[range(number)]))
                var place = Int(truncatingIfNeeded: key.hash) & (size - 1)
                while !slots[place].isFree { place = (place + 1) & (size - 1) }
                slots[place] = Slot(number: Int32(number), tag: key.tag, start: key.start)
            }
        }
    }

    private static func isFull(_ count: Int, of slots: Int) -> Bool { count > slots / 4 * 3 }

    /// Eight bytes a step, mixed by multiplication; the table's order never shows, so it needs no secret. Floods of chosen
    /// ids only slow down their own import.
    @inline(__always)
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var value = 0x9e37_79b9_7f4a_7c15 ^ UInt64(text.count)
        var place = 0
        while place < text.count {
            value = mixed(value ^ word(text, place))
            place += 8
        }
        return mixed(value)
    }

    /// The last mix of SplitMix64 (Steele, Lea and Flood 2014).
    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// Up to eight bytes from a place on, as a number; what is missing is zero.
    @inline(__always)
    private static func word(_ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> UInt64 {
        if place + 8 <= text.count { return UnsafeRawPointer(text.baseAddress.unsafelyUnwrapped + place).loadUnaligned(as: UInt64.self) }
        var value: UInt64 = 0
        for i in place..<max(place, text.count) { value = value << 8 | UInt64(text[i]) }
        return value
    }
}
