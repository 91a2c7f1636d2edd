import Money

/// A condition as a flat postfix program over columns, for one member at a time or for all. Used by one task only.
final class ConditionProgram {
    private enum Step {
        case constant(Bool)
        case column(UnsafeMutablePointer<Int64>, Int64)
        case status(UInt8)
        case attribute(UnsafeMutablePointer<Int32>, Int32)
        case flag(UnsafeMutablePointer<UInt8>)
        case byteAtLeast(UnsafeMutablePointer<UInt8>, UInt8)
        case and(Int)
        case or(Int)
        case not
    }
    private var steps: [Step] = []
    /// Keeps the columns behind the pointers.
    private var columns: [AnyObject] = []
    private let status: Column<UInt8>
    private let memberCount: Int
    /// As long as the program; where terms wait for their `and`.
    private var stack: UnsafeMutablePointer<Bool>

    deinit { stack.deallocate() }

    init(_ condition: Condition, state: RunState) throws(RunFailure) {
        status = state.facts.status
        memberCount = state.facts.memberCount
        stack = .allocate(capacity: 1)
        var pending: [(condition: Condition, depth: Int, isOpen: Bool)] = [(condition, 1, false)]
        while let (next, depth, isOpen) = pending.popLast() {
            guard depth <= Condition.depthLimit, steps.count <= Condition.termsLimit else {
                throw .plan(PlanProblem(place: "conditions", reason: .conditionTooDeep))
            }
            switch next {
            case .all(let parts), .any(let parts):
                var isAll = false
                if case .all = next { isAll = true }
                if isOpen {
                    steps.append(isAll ? .and(parts.count) : .or(parts.count))
                } else {
                    pending.append((next, depth, true))
                    for part in parts.reversed() { pending.append((part, depth + 1, false)) }
                }
            case .not(let part):
                if isOpen {
                    steps.append(.not)
                } else {
                    pending.append((next, depth, true))
                    pending.append((part, depth + 1, false))
                }
            default: try add(leaf: next, state)
            }
        }
        stack.deallocate()
        stack = .allocate(capacity: steps.count + 1)
        stack.initialize(repeating: false, count: steps.count + 1)
    }

    private func add(leaf: Condition, _ state: RunState) throws(RunFailure) {
        let facts = state.facts
        switch leaf {
        case .always: steps.append(.constant(true))
        case .never: steps.append(.constant(false))
        case .atLeast(let metric, let bound):
            let column = try state.column(metric, requirement: bound)
            columns.append(column)
            steps.append(.column(column.base, bound))
        case .status(let statuses):
            steps.append(.status(statuses.reduce(0) { $0 | 1 << $1.rawValue }))
        case .attribute(let name, let value):
            guard let place = facts.attributeNames.firstIndex(of: name) else {
                throw .plan(PlanProblem(place: "conditions", reason: .unknownAttribute(name)))
            }
            guard let code = facts.attributeValues.number(of: value) else {
                steps.append(.constant(false))
                return
            }
            columns.append(facts.attributes[place])
            steps.append(.attribute(facts.attributes[place].base, code))
        case .active:
            columns.append(state.active)
            steps.append(.flag(state.active.base))
        case .paidRank(let rank):
            columns.append(state.paidAs)
            steps.append(.byteAtLeast(state.paidAs.base, UInt8(clamping: rank)))
        case .highestRank(let rank):
            columns.append(state.highest)
            steps.append(.byteAtLeast(state.highest.base, UInt8(clamping: rank)))
        case .all, .any, .not: break
        }
    }

    func holds(_ member: Int) -> Bool {
        var top = 0
        for step in steps {
            switch step {
            case .and(let count):
                top -= count
                var result = true
                for place in top..<(top + count) { result = result && stack[place] }
                stack[top] = result
                top += 1
            case .or(let count):
                top -= count
                var result = false
                for place in top..<(top + count) { result = result || stack[place] }
                stack[top] = result
                top += 1
            case .not: stack[top - 1].toggle()
            default:
                stack[top] = test(step, member)
                top += 1
            }
        }
        return stack[0]
    }

    /// The condition of every member, step by step.
    func column() -> Column<UInt8> {
        var open: [Column<UInt8>] = []
        for step in steps {
            switch step {
            case .and(let count):
                let result = count == 0 ? Column<UInt8>(memberCount, repeating: 1) : open[open.count - count]
                for other in open.suffix(max(0, count - 1)) { for member in 0..<memberCount { result[member] &= other[member] } }
                open.removeLast(count)
                open.append(result)
            case .or(let count):
                let result = count == 0 ? Column<UInt8>(memberCount, repeating: 0) : open[open.count - count]
                for other in open.suffix(max(0, count - 1)) { for member in 0..<memberCount { result[member] |= other[member] } }
                open.removeLast(count)
                open.append(result)
            case .not: if let last = open.last { for member in 0..<memberCount { last[member] ^= 1 } }
            default: open.append(leafColumn(step))
            }
        }
        return open.last ?? Column(memberCount, repeating: 0)
    }

    private func leafColumn(_ step: Step) -> Column<UInt8> {
        let result = Column<UInt8>(memberCount, repeating: 0)
        switch step {
        case .column(let base, let bound): for member in 0..<memberCount { result[member] = base[member] >= bound ? 1 : 0 }
        case .flag(let base): for member in 0..<memberCount { result[member] = base[member] != 0 ? 1 : 0 }
        default: for member in 0..<memberCount { result[member] = test(step, member) ? 1 : 0 }
        }
        return result
    }

    @inline(__always)
    private func test(_ step: Step, _ member: Int) -> Bool {
        switch step {
        case .constant(let value): value
        case .column(let base, let bound): base[member] >= bound
        case .status(let mask): mask & (1 << status[member]) != 0
        case .attribute(let base, let code): base[member] == code
        case .flag(let base): base[member] != 0
        case .byteAtLeast(let base, let bound): base[member] >= bound
        case .and, .or, .not: false
        }
    }
}
