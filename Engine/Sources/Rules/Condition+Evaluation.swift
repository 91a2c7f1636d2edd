extension Condition {
    /// Whether the condition holds for what `fact` answers (nil: the sale has nothing there), and if not, because of which comparisons:
    /// of an `all` the first child that fails, of an `any` every child.
    public func evaluate(_ fact: (ConditionField) -> FactValue?) -> ConditionVerdict {
        var failures: [LeafFailure?] = Array(repeating: nil, count: nodes.count)
        var holds = Array(repeating: true, count: nodes.count)
        // Children stand behind their group, so backwards each group finds its children decided.
        for position in nodes.indices.reversed() {
            switch nodes[position].kind {
            case .leaf(let leaf):
                failures[position] = leaf.failure(found: fact(leaf.field))
                holds[position] = failures[position] == nil
            case .all:
                holds[position] = children(of: position).allSatisfy { holds[$0] }
            case .any:
                holds[position] = children(of: position).contains { holds[$0] }
            }
        }
        guard holds.first == false else { return ConditionVerdict(failures: []) }
        return ConditionVerdict(failures: explanation(holds: holds, failures: failures))
    }

    /// Whether the condition can hold when only some facts are known; comparisons for which `fact` answers `.unknown` count as held.
    public func canHold(_ fact: (ConditionField) -> KnownFact) -> Bool {
        folded { leaf in
            guard case .known(let value) = fact(leaf.field) else { return true }
            return leaf.failure(found: value) == nil
        } group: { isAll, children in
            isAll ? children.allSatisfy { $0 } : children.contains(true)
        } ?? true
    }

    private func explanation(holds: [Bool], failures: [LeafFailure?]) -> [LeafFailure] {
        var explained: [LeafFailure] = []
        var open = [0]
        while let position = open.popLast() {
            switch nodes[position].kind {
            case .leaf:
                if let failure = failures[position] { explained.append(failure) }
            case .all:
                if let failed = children(of: position).first(where: { !holds[$0] }) { open.append(failed) }
            case .any:
                open.append(contentsOf: children(of: position).reversed())
            }
        }
        return explained
    }

    /// Where the children of a group begin.
    func children(of position: Int) -> [Int] {
        var children: [Int] = []
        var child = position + 1
        while child < position + nodes[position].end {
            children.append(child)
            child += nodes[child].end
        }
        return children
    }
}

/// A fact before everything is known: of what is not known yet nothing is judged.
public enum KnownFact: Hashable, Sendable {
    case unknown
    /// Nil: there is nothing.
    case known(FactValue?)
}

/// The outcome of a condition.
public struct ConditionVerdict: Hashable, Sendable {
    /// Empty when the condition holds.
    public let failures: [LeafFailure]

    public var holds: Bool { failures.isEmpty }
}

/// A comparison that did not hold.
public struct LeafFailure: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// The comparison is false.
        case unequal
        /// The sale has nothing in the field.
        case missing
        /// The sale has something of another type there.
        case typeMismatch
    }

    public let leaf: ConditionLeaf
    public let found: FactValue?
    public let kind: Kind
}

extension ConditionLeaf {
    /// Nil when the comparison holds. A missing fact fails every comparison but `exists`; so does one of another type.
    /// A field with a value for each item holds when one of them does, and for `ne` and `notIn` when each does.
    func failure(found: FactValue?) -> LeafFailure? {
        if comparison == .exists {
            return value == .bool(found != nil) ? nil : failure(found, .unequal)
        }
        // A coupon is both a code and whether there was one.
        if field == .couponUsed, case .bool(let expected) = value {
            let isUsed = comparison == .equal ? expected : !expected
            return isUsed == (found != nil) ? nil : failure(found, .unequal)
        }
        guard let found else { return failure(nil, .missing) }
        let outcomes = found.scalars.map { compare($0) }
        guard !outcomes.isEmpty else { return failure(nil, .missing) }
        let needsEach = comparison == .notEqual || comparison == .notIn
        let holds = needsEach ? outcomes.allSatisfy { $0 == true } : outcomes.contains(true)
        guard !holds else { return nil }
        return failure(found, outcomes.contains(nil) ? .typeMismatch : .unequal)
    }

    private func failure(_ found: FactValue?, _ kind: LeafFailure.Kind) -> LeafFailure {
        LeafFailure(leaf: self, found: found, kind: kind)
    }

    /// Nil when the types don't meet.
    private func compare(_ found: ConditionScalar) -> Bool? {
        switch (comparison, value) {
        case (.equal, _): value.scalar.flatMap { found.equals($0) }
        case (.notEqual, _): value.scalar.flatMap { found.equals($0) }.map { !$0 }
        case (.isIn, .list(let list)): list.contains { found.equals($0) == true }
        case (.notIn, .list(let list)): !list.contains { found.equals($0) == true }
        case (_, .integer(let expected)): compare(found, expected)
        case (_, .text(let expected)): compare(found, expected)
        default: nil
        }
    }

    private func compare(_ found: ConditionScalar, _ expected: Int64) -> Bool? {
        guard case .integer(let found) = found else { return nil }
        return switch comparison {
        case .greater: found > expected
        case .greaterOrEqual: found >= expected
        case .less: found < expected
        case .lessOrEqual: found <= expected
        default: nil
        }
    }

    private func compare(_ found: ConditionScalar, _ expected: String) -> Bool? {
        guard case .text(let found) = found else { return nil }
        return switch comparison {
        case .startsWith: found.utf8.starts(with: expected.utf8)
        case .contains: containsBytes(Array(found.utf8), Array(expected.utf8))
        default: nil
        }
    }
}

extension ConditionScalar {
    /// Byte by byte, as databases compare; nil when the types differ.
    fileprivate func equals(_ other: ConditionScalar) -> Bool? {
        switch (self, other) {
        case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
        case (.integer(let one), .integer(let other)): one == other
        case (.bool(let one), .bool(let other)): one == other
        default: nil
        }
    }
}

extension ConditionValue {
    fileprivate var scalar: ConditionScalar? {
        switch self {
        case .text(let text): .text(text)
        case .integer(let integer): .integer(integer)
        case .bool(let bool): .bool(bool)
        case .list: nil
        }
    }
}

extension FactValue {
    fileprivate var scalars: [ConditionScalar] {
        switch self {
        case .text(let text): [.text(text)]
        case .integer(let integer): [.integer(integer)]
        case .bool(let bool): [.bool(bool)]
        case .texts(let texts): texts.map { .text($0) }
        }
    }
}

private func containsBytes(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
}
