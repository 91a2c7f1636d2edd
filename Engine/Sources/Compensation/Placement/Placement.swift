public import Chronology

/// Where a new member goes. Each rule is a pure function of the tree as it stands; two enrolments at once are decided one
/// after the other, in the order of the members (joined_at, then id), each on the tree with the one before.
public struct PlacementTree: Hashable, Sendable {
    public struct Node: Hashable, Sendable {
        public let id: String
        /// Nil below the company.
        public let parent: Int?
        /// 1…width.
        public let slot: Int
        /// What `weaker` and `stronger` compare: the volume of the member's whole group.
        public var groupVolume: Int64
    }
    public enum Failure: Error, Hashable, Sendable {
        case slotTaken
        case slotOutOfRange
        case unknownNode
        /// No free slot down to `depth`.
        case full
    }
    public let width: Int
    /// Levels below a member in which places are looked for; nil: without end.
    public let depth: Int?
    public private(set) var nodes: [Node] = []
    /// node × width + slot − 1 → child, −1: free
    private var children: [Int32] = []

    public init(width: Int, depth: Int? = nil) {
        self.width = max(1, width)
        self.depth = depth
    }

    @discardableResult
    public mutating func add(_ id: String, below parent: Int?, slot: Int = 1, groupVolume: Int64 = 0) throws(Failure) -> Int {
        if let parent {
            guard nodes.indices.contains(parent) else { throw .unknownNode }
            guard (1...width).contains(slot) else { throw .slotOutOfRange }
            guard children[parent * width + slot - 1] < 0 else { throw .slotTaken }
            children[parent * width + slot - 1] = Int32(nodes.count)
        }
        nodes.append(Node(id: id, parent: parent, slot: parent == nil ? 0 : slot, groupVolume: groupVolume))
        children.append(contentsOf: repeatElement(-1, count: width))
        return nodes.count - 1
    }

    public func child(of node: Int, slot: Int) -> Int? {
        let child = children[node * width + slot - 1]
        return child < 0 ? nil : Int(child)
    }

    public func freeSlot(of node: Int) -> Int? { (1...width).first { child(of: node, slot: $0) == nil } }
    public func childCount(of node: Int) -> Int { (1...width).count { child(of: node, slot: $0) != nil } }
}

public struct Place: Hashable, Sendable {
    public let parent: Int
    public let slot: Int
    public init(parent: Int, slot: Int) {
        self.parent = parent
        self.slot = slot
    }
}

public enum PlacementRule: Hashable, Sendable {
    /// Breadth-first, left to right, the first free slot below the sponsor.
    case firstEmpty
    /// From the sponsor down: among the members of a level who have a free slot the least filled, ties leftmost; the first level with one.
    case leastFilled
    /// Down one outside leg: the slot of the sponsor, then the same slot of whoever stands there.
    case outside(slot: Int)
    /// Down the inside: the slot of the sponsor once, then always the opposite outermost slot.
    case inside(slot: Int)
    /// Into the leg with less or more group volume, then down its outside; ties: the lower slot.
    case weaker
    case stronger
    /// Into the leg with fewer members, then breadth-first; ties: the lower slot.
    case balanced

    public var code: String {
        switch self {
        case .firstEmpty: "firstEmpty"
        case .leastFilled: "leastFilled"
        case .outside: "outside"
        case .inside: "inside"
        case .weaker: "weaker"
        case .stronger: "stronger"
        case .balanced: "balanced"
        }
    }
}

extension PlacementTree {
    /// The place for a new member below `sponsor`.
    public func place(below sponsor: Int, _ rule: PlacementRule) throws(Failure) -> Place {
        guard nodes.indices.contains(sponsor) else { throw .unknownNode }
        switch rule {
        case .firstEmpty: return try breadthFirst(sponsor, leastFilled: false)
        case .leastFilled: return try breadthFirst(sponsor, leastFilled: true)
        case .outside(let slot): return try down(sponsor, first: slot, then: slot)
        case .inside(let slot): return try down(sponsor, first: slot, then: slot == 1 ? width : 1)
        case .weaker, .stronger:
            let slots = (1...width).map { slot in (slot: slot, volume: child(of: sponsor, slot: slot).map { nodes[$0].groupVolume } ?? 0) }
            var best = slots[0]
            for next in slots.dropFirst() where rule == .weaker ? next.volume < best.volume : next.volume > best.volume { best = next }
            return try down(sponsor, first: best.slot, then: best.slot)
        case .balanced:
            let sizes = (1...width).map { slot in (slot: slot, size: child(of: sponsor, slot: slot).map(size) ?? 0) }
            var best = sizes[0]
            for next in sizes.dropFirst() where next.size < best.size { best = next }
            guard let head = child(of: sponsor, slot: best.slot) else { return Place(parent: sponsor, slot: best.slot) }
            return try breadthFirst(head, leastFilled: false)
        }
    }

    private func down(_ sponsor: Int, first: Int, then: Int) throws(Failure) -> Place {
        guard (1...width).contains(first) else { throw .slotOutOfRange }
        var node = sponsor
        var slot = first
        while let next = child(of: node, slot: slot) {
            node = next
            slot = then
        }
        return Place(parent: node, slot: slot)
    }

    private func breadthFirst(_ sponsor: Int, leastFilled: Bool) throws(Failure) -> Place {
        var level = [sponsor]
        var depthLeft = depth ?? Int.max
        while !level.isEmpty, depthLeft > 0 {
            var best: (node: Int, count: Int)?
            for node in level {
                let count = childCount(of: node)
                guard count < width else { continue }
                if !leastFilled || best == nil || count < (best?.count ?? 0) { best = (node, count) }
                if !leastFilled { break }
            }
            if let best, let slot = freeSlot(of: best.node) { return Place(parent: best.node, slot: slot) }
            level = level.flatMap { node in (1...width).compactMap { child(of: node, slot: $0) } }
            depthLeft -= 1
        }
        throw .full
    }

    private func size(_ head: Int) -> Int {
        var pending = [head]
        var count = 0
        while let node = pending.popLast() {
            count += 1
            for slot in 1...width { if let child = child(of: node, slot: slot) { pending.append(child) } }
        }
        return count
    }
}

/// Members wait for their sponsor's decision until a deadline.
public struct HoldingTank: Hashable, Sendable {
    public enum Deadline: Hashable, Sendable {
        /// So long after enrolment.
        case afterMs(Int64)
        /// Each week on this ISO weekday at this local time of day; a member enrolled at that very instant waits a week.
        case weekly(weekday: Int, timeOfDayMs: Int64)
        /// At the start of this local day of the month after the one of enrolment.
        case dayOfNextMonth(Int)
    }
    public var deadline: Deadline
    public var zone: ZoneOffsets
    public init(deadline: Deadline, zone: ZoneOffsets = .utc) {
        self.deadline = deadline
        self.zone = zone
    }

    /// When a member enrolled at this instant is placed by the sponsor's preference. Throws `.outOfRange` at the ends of
    /// the calendar.
    public func flushesAt(enrolledAt: Instant) throws(ChronologyFailure) -> Instant {
        switch deadline {
        case .afterMs(let wait): return try enrolledAt.adding(milliseconds: wait)
        case .weekly(let weekday, let time):
            guard let day = zone.localDay(of: enrolledAt) else { throw .outOfRange }
            let ahead = (weekday - day.weekday + 7) % 7
            let due = try instant(try day.adding(days: Int64(ahead)), time)
            return due > enrolledAt ? due : try instant(try day.adding(days: Int64(ahead) + 7), time)
        case .dayOfNextMonth(let number):
            guard let day = zone.localDay(of: enrolledAt), let first = LocalDay(year: day.year, month: day.month, day: 1)
            else { throw .outOfRange }
            let next = try first.adding(months: 1)
            return try instant(try next.adding(days: Int64(min(number, LocalDay.dayCount(year: next.year, month: next.month)) - 1)), 0)
        }
    }

    public func isDue(enrolledAt: Instant, now: Instant) throws(ChronologyFailure) -> Bool {
        try flushesAt(enrolledAt: enrolledAt) <= now
    }

    /// Local time to an instant; the offset is that of the guess, corrected once for a change in between.
    private func instant(_ day: LocalDay, _ timeOfDayMs: Int64) throws(ChronologyFailure) -> Instant {
        let local = day.startInUTC.millisecondsSince1970 + timeOfDayMs
        var guess = local
        for _ in 0..<2 { guess = local - zone.offsetMs(at: guess) }
        return Instant(millisecondsSince1970: guess)
    }
}
