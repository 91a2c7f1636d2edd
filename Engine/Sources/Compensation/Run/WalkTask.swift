/// One task's part of an `OrderWalk`: the orders of a range of buyers.
///
/// `@unchecked Sendable`: the columns that are written (commissions and tags by order, totals of its own) are touched
/// only at the orders of the task's own buyers.
struct WalkTask<Finder: PathFinder>: @unchecked Sendable {
    let facts: Facts
    let base: Column<Int64>
    let test: OrderTest
    let window: OrderWalk<Finder>.Window?
    let finder: Finder
    let bonus: Int16
    let rounding: RoundingMode
    let commissions: Column<Int64>?
    let tags: Column<UInt32>
    let tag: UInt32
    let marksUnpaid: Bool
    let wantsLines: Bool
    let linesLimit: Int
    /// Amounts come later, so that lines of nothing may still get a unit.
    let isPeriodScoped: Bool
    /// Whether no product of a base and a rate leaves Int64, as checked before the loops.
    let isSmall: Bool

    /// Most lines that a task makes room for beforehand.
    private static var reservedLines: Int { 32_000_000 }

    func run(_ buyers: Range<Int>) -> WalkPart {
        var part = WalkPart(totals: Column(facts.memberCount, repeating: 0))
        var path = Path()
        if wantsLines {
            let orderCount = Int(facts.firstOrder[buyers.upperBound] - facts.firstOrder[buyers.lowerBound])
            part.lines.reserveLarge(min(orderCount * finder.stepsHint, Self.reservedLines))
        }
        let totals = part.totals.base
        // Plain pointers: references would be counted by every task at once.
        let firstOrder = facts.firstOrder.base
        let base = base.base
        let takesAll = test.isTrivial
        for buyer in buyers {
            let orders = Int(firstOrder[buyer])..<Int(firstOrder[buyer + 1])
            if orders.isEmpty { continue }
            var isFound = false
            var broken: Int64 = 0
            for order in orders {
                guard takesAll || test.passes(order) else { continue }
                if let window, !window.holds(order: order, buyer: buyer) { continue }
                if !isFound {
                    isFound = true
                    path.clear()
                    finder.find(buyer, &path)
                }
                let volume = base[order]
                broken &+= volume
                if tag != 0, marksUnpaid || !path.steps.isEmpty { tags[order] |= tag }
                part.lineCount &+= path.steps.count
                if path.hasRepeats {
                    payGroups(order, volume, path, &part)
                    continue
                }
                if isSmall, !wantsLines, commissions == nil {
                    path.steps.withUnsafeBufferPointer { steps in
                        for step in steps {
                            totals[Int(step.payee)] &+= rounded(small: volume &* step.rate, rounding)
                        }
                    }
                    continue
                }
                var commission: Int64 = 0
                for step in path.steps {
                    guard let amount = rounded(volume, step.rate, rounding) else {
                        part.overflowed = true
                        return part
                    }
                    totals[Int(step.payee)] &+= amount
                    commission &+= amount
                    if wantsLines, amount != 0 || isPeriodScoped { part.append(step, order, volume, amount, bonus) }
                }
                if let commissions { commissions[order] = commission }
            }
            if isFound, path.nobodyRate != 0 || path.unqualifiedRate != 0 {
                part.nobody += Int128(broken) * Int128(path.nobodyRate)
                part.unqualified += Int128(broken) * Int128(path.unqualifiedRate)
            }
            if part.lineCount > linesLimit {
                part.isTooLong = true
                return part
            }
        }
        return part
    }

    /// Several levels of one order for one payee are one rounding group.
    private func payGroups(_ order: Int, _ volume: Int64, _ path: Path, _ part: inout WalkPart) {
        var commission: Int64 = 0
        for (place, step) in path.steps.enumerated()
        where !path.steps[..<place].contains(where: { $0.payee == step.payee }) {
            let group = path.steps.filter { $0.payee == step.payee }.sorted { $0.level < $1.level }
            guard let amounts = roundedGroup(group.map { Int128(volume) * Int128($0.rate) }, rounding) else {
                part.overflowed = true
                return
            }
            for (member, amount) in zip(group, amounts) {
                part.totals[Int(member.payee)] &+= amount
                commission &+= amount
                if wantsLines, amount != 0 || isPeriodScoped { part.append(member, order, volume, amount, bonus) }
            }
        }
        if let commissions { commissions[order] = commission }
    }
}

struct WalkPart: Sendable {
    let totals: Column<Int64>
    var lines: [Line] = []
    var nobody: Int128 = 0
    var unqualified: Int128 = 0
    var lineCount = 0
    var overflowed = false
    var isTooLong = false

    init(totals: Column<Int64>) { self.totals = totals }

    @inline(__always)
    mutating func append(_ step: PathStep, _ order: Int, _ base: Int64, _ amount: Int64, _ bonus: Int16) {
        lines.append(
            Line(
                member: step.payee, order: Int32(truncatingIfNeeded: order), bonus: Int(bonus), level: Int(step.level),
                reason: step.reason, base: base, rate: step.rate, amount: amount))
    }
}

/// Parts by number. `@unchecked Sendable`: each task stores once, at its own place.
final class WalkResults: @unchecked Sendable {
    private let parts: UnsafeMutablePointer<WalkPart?>
    private let count: Int

    init(parts count: Int) {
        self.count = count
        parts = .allocate(capacity: count)
        parts.initialize(repeating: nil, count: count)
    }

    deinit {
        parts.deinitialize(count: count)
        parts.deallocate()
    }

    func store(_ part: WalkPart, at place: Int) { parts[place] = part }
    var all: [WalkPart] { (0..<count).compactMap { parts[$0] } }
}
