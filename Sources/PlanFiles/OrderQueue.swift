import Compensation
import Money

/// Batches of orders that were cut out of their file and not taken yet; whoever reads waits when there are too many.
actor OrderQueue {
    typealias Part = (batch: OrderBatch, failure: FileFailure?)

    /// About a million orders of 80 bytes.
    static let partsMax = 128

    private var parts: [Part] = []
    /// Parts before it were taken.
    private var start = 0
    private var isEnded = false
    private var isClosed = false
    private var reader: CheckedContinuation<Void, Never>?
    private var taker: CheckedContinuation<Void, Never>?

    /// Reads the file to its end, to the first row that is wrong, or until nobody wants more.
    nonisolated func fill(from path: String, unit: UnitCode) async {
        do throws(FileFailure) {
            var file = try OrderFile(path: path, unit: unit)
            while let part = file.next() { guard await add(part), part.failure == nil else { break } }
        } catch { _ = await add((OrderBatch(), error)) }
        await end()
    }

    /// The next part; nil when all were taken.
    func next() async -> Part? {
        while start == parts.count, !isEnded { await withCheckedContinuation { taker = $0 } }
        guard start < parts.count else { return nil }
        let part = parts[start]
        parts[start] = (OrderBatch(), nil)
        start += 1
        if start == Self.partsMax {
            parts.removeFirst(start)
            start = 0
        }
        wake(&reader)
        return part
    }

    /// Nothing more is wanted.
    func close() {
        isClosed = true
        wake(&reader)
    }

    /// False: nothing more is wanted.
    private func add(_ part: Part) async -> Bool {
        while parts.count - start >= Self.partsMax, !isClosed { await withCheckedContinuation { reader = $0 } }
        parts.append(part)
        wake(&taker)
        return !isClosed
    }

    private func end() {
        isEnded = true
        wake(&taker)
    }

    private func wake(_ waiting: inout CheckedContinuation<Void, Never>?) {
        waiting?.resume()
        waiting = nil
    }
}
