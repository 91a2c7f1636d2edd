public import Money

/// rate[rank][level]. Row 0 is for members without a rank; where there are fewer rows, the last one goes on for higher
/// ranks. Level 1 is the first column; levels past a row earn 0.
public struct RateTable: Hashable, Sendable {
    public var rows: [[Rate]]

    public init(rows: [[Rate]]) { self.rows = rows }
    /// The same rates for every rank.
    public init(levels: [Rate]) { rows = [levels] }

    public var depth: Int { rows.reduce(0) { max($0, $1.count) } }

    /// `level` counts from 1.
    public func rate(rank: Int, level: Int) -> Rate {
        guard let row = rank < rows.count ? rows[rank] : rows.last, level >= 1, level <= row.count else { return .zero }
        return row[level - 1]
    }

    /// The highest rate in a level's column.
    public func highest(level: Int) -> Rate {
        rows.reduce(.zero) { max($0, level >= 1 && level <= $1.count ? $1[level - 1] : .zero) }
    }
}

/// A value by rank: entry 0 for no rank; the last entry goes on for higher ranks; empty is `otherwise`.
struct ByRank<Value: Sendable>: Sendable {
    let values: [Value]
    let otherwise: Value
    func callAsFunction(_ rank: Int) -> Value {
        rank < values.count ? values[rank] : values.last ?? otherwise
    }
}

/// From `fromMinor` (included) on, `rate` holds. The first slab starts at 0 or below it; half-open, never x.99.
public struct Slab: Hashable, Sendable {
    public var fromMinor: Int64
    public var rate: Rate
    public init(fromMinor: Int64, rate: Rate) {
        self.fromMinor = fromMinor
        self.rate = rate
    }
}

extension [Slab] {
    /// The rate of the last slab that starts at or below the volume; 0 below the first.
    func rate(at volume: Int64) -> Int64 {
        var found: Int64 = 0
        for slab in self where slab.fromMinor <= volume { found = slab.rate.billionths }
        return found
    }
}
