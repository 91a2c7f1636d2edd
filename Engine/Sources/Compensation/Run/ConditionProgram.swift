import Money

/// A condition as a flat postfix program over columns.
struct ConditionProgram {
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
    private let facts: Facts

    init(_ condition: Condition, state: RunState) throws(RunFailure) {
        facts = state.facts
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
    }

    private mutating func add(leaf: Condition, _ state: RunState) throws(RunFailure) {
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
        var stack: [Bool] = []
        if steps.count == 1 { return test(steps[0], member) }
        stack.reserveCapacity(steps.count)
        for step in steps {
            switch step {
            case .and(let count):
                let result = stack.suffix(count).allSatisfy { $0 }
                stack.removeLast(count)
                stack.append(result)
            case .or(let count):
                let result = stack.suffix(count).contains(true)
                stack.removeLast(count)
                stack.append(result)
            case .not: stack[stack.count - 1].toggle()
            default: stack.append(test(step, member))
            }
        }
        return stack.last ?? false
    }

    @inline(__always)
    private func test(_ step: Step, _ member: Int) -> Bool {
        switch step {
        case .constant(let value): value
        case .column(let base, let bound): base[member] >= bound
        case .status(let mask): mask & (1 << facts.status[member]) != 0
        case .attribute(let base, let code): base[member] == code
        case .flag(let base): base[member] != 0
        case .byteAtLeast(let base, let bound): base[member] >= bound
        case .and, .or, .not: false
        }
    }
}
