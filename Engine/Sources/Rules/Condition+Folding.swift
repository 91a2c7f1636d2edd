extension Condition {
    /// Makes one thing of the whole tree, from the leaves up and without recursion: what `leaf` gives for each comparison, then what `group`
    /// gives for the children of each group, in the order they were written. `isAll` is false for a group of which one child is enough.
    public func folded<Part>(leaf: (ConditionLeaf) -> Part, group: (_ isAll: Bool, _ children: [Part]) -> Part) -> Part? {
        var parts: [Part?] = Array(repeating: nil, count: nodes.count)
        for position in nodes.indices.reversed() {
            switch nodes[position].kind {
            case .leaf(let comparison): parts[position] = leaf(comparison)
            case .all: parts[position] = group(true, children(of: position).compactMap { parts[$0] })
            case .any: parts[position] = group(false, children(of: position).compactMap { parts[$0] })
            }
        }
        return parts.first ?? nil
    }

    /// What must hold together: the children of an `all`, or else the condition itself. Empty when it holds always.
    public var conjuncts: [Condition] {
        guard case .all? = nodes.first?.kind else { return [self] }
        return children(of: 0).map { part(at: $0) }
    }

    /// The comparison, when the condition is nothing else.
    public var onlyLeaf: ConditionLeaf? {
        guard nodes.count == 1, case .leaf(let leaf)? = nodes.first?.kind else { return nil }
        return leaf
    }

    /// The node at a position with all below it.
    private func part(at position: Int) -> Condition {
        let own = Array(nodes[position..<position + nodes[position].end])
        return Condition(existing: own)
    }
}

extension Condition {
    /// Whether it has to be known which groups members are in.
    public var asksForGroups: Bool { leaves.contains { $0.field == .memberGroup } }
    /// Whether it has to be known which tiers members have reached.
    public var asksForTiers: Bool { leaves.contains { $0.field == .memberTier } }
    /// Whether it has to be known what experiments give members.
    public var asksForVariants: Bool { leaves.contains { $0.field == .memberVariant } }
}
