/// One value per member or order, without bounds checks in release builds.
///
/// `@unchecked Sendable`: while tasks run beside each other each writes only its own range of places, and nobody reads a
/// place that another task may still write.
final class Column<Element: BitwiseCopyable>: @unchecked Sendable {
    let count: Int
    let base: UnsafeMutablePointer<Element>

    init(_ count: Int, repeating value: Element) {
        self.count = count
        base = .allocate(capacity: max(count, 1))
        LargePages.advise(base, byteCount: count * MemoryLayout<Element>.stride)
        base.initialize(repeating: value, count: count)
    }

    convenience init(_ values: [Element], else filler: Element) {
        self.init(values.count, repeating: filler)
        for (place, value) in values.enumerated() { base[place] = value }
    }

    convenience init(copying other: Column<Element>, else filler: Element) {
        self.init(other.count, repeating: filler)
        for place in 0..<count { base[place] = other.base[place] }
    }

    deinit { base.deallocate() }

    @inline(__always) subscript(place: Int) -> Element {
        get {
            assert(place >= 0 && place < count)
            return base[place]
        }
        set {
            assert(place >= 0 && place < count)
            base[place] = newValue
        }
    }

    var array: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
