public enum ConditionOperator: String, Hashable, Sendable, CaseIterable {
    case equal = "eq"
    case notEqual = "ne"
    case isIn = "in"
    case notIn
    case greater = "gt"
    case greaterOrEqual = "gte"
    case less = "lt"
    case lessOrEqual = "lte"
    case contains
    case startsWith
    case exists
}

/// One comparison.
public struct ConditionLeaf: Hashable, Sendable {
    public let field: ConditionField
    public let comparison: ConditionOperator
    public let value: ConditionValue

    /// Throws `.valueOfWrongType` when the operator can't take the value: `in`, `notIn` take a list; `exists` true or false; `gt`,
    /// `gte`, `lt`, `lte` an integer; `contains`, `startsWith` a text; `eq`, `ne` anything but a list. Throws `.valueTooLong`.
    public init(
        _ field: ConditionField, _ comparison: ConditionOperator, _ value: ConditionValue
    ) throws(ConditionFailure) {
        guard Self.accepts(comparison, value) else { throw .valueOfWrongType(field, comparison) }
        guard Self.isShort(value) else { throw .valueTooLong(field) }
        self.field = field
        self.comparison = comparison
        self.value = value
    }

    private static func accepts(_ comparison: ConditionOperator, _ value: ConditionValue) -> Bool {
        switch (comparison, value) {
        case (.isIn, .list), (.notIn, .list), (.exists, .bool): true
        case (.greater, .integer), (.greaterOrEqual, .integer), (.less, .integer), (.lessOrEqual, .integer): true
        case (.contains, .text), (.startsWith, .text): true
        case (.equal, .list), (.notEqual, .list): false
        case (.equal, _), (.notEqual, _): true
        default: false
        }
    }

    private static func isShort(_ value: ConditionValue) -> Bool {
        switch value {
        case .text(let text): text.utf8.count <= ConditionValue.longestTextBytes
        case .integer, .bool: true
        case .list(let scalars):
            scalars.count <= ConditionValue.listLimit
                && scalars.allSatisfy { scalar in
                    guard case .text(let text) = scalar else { return true }
                    return text.utf8.count <= ConditionValue.longestTextBytes
                }
        }
    }
}

/// Why a condition can't be made.
public enum ConditionFailure: Error, Hashable, Sendable {
    case tooDeep
    case tooManyLeaves
    /// `any` of nothing could never hold.
    case emptyAny
    case valueOfWrongType(ConditionField, ConditionOperator)
    case valueTooLong(ConditionField)
}

/// A tree of `all` and `any` over comparisons, kept flat: a node stands before its children, so that nothing here recurses.
public struct Condition: Hashable, Sendable {
    /// A leaf is 1 deep.
    public static let depthLimit = 8
    public static let leavesLimit = 100
    /// Groups may be empty, so they have a limit of their own.
    public static let nodesLimit = 400

    /// Holds always: `all` of nothing.
    public static let always = Condition(nodes: [Node(kind: .all, end: 1)], depth: 1, leafCount: 0)

    let nodes: [Node]
    public let depth: Int
    public let leafCount: Int

    public static func leaf(_ leaf: ConditionLeaf) -> Condition {
        Condition(nodes: [Node(kind: .leaf(leaf), end: 1)], depth: 1, leafCount: 1)
    }

    /// Holds when each child holds; also when there is none. Throws `.tooDeep`, `.tooManyLeaves`.
    public static func all(_ children: [Condition]) throws(ConditionFailure) -> Condition {
        try group(.all, children)
    }

    /// Holds when one child holds. Throws `.emptyAny`, `.tooDeep`, `.tooManyLeaves`.
    public static func any(_ children: [Condition]) throws(ConditionFailure) -> Condition {
        guard !children.isEmpty else { throw .emptyAny }
        return try group(.any, children)
    }

    /// The comparisons in the order they were written.
    public var leaves: [ConditionLeaf] {
        nodes.compactMap { node in
            guard case .leaf(let leaf) = node.kind else { return nil }
            return leaf
        }
    }

    enum Kind: Hashable, Sendable {
        case all
        case any
        case leaf(ConditionLeaf)
    }

    struct Node: Hashable, Sendable {
        let kind: Kind
        /// How many nodes this one and everything below it are.
        let end: Int
    }

    private init(nodes: [Node], depth: Int, leafCount: Int) {
        self.nodes = nodes
        self.depth = depth
        self.leafCount = leafCount
    }

    /// A part of a tree that is known to keep the limits.
    init(existing nodes: [Node]) {
        var depths = Array(repeating: 1, count: nodes.count)
        var leafCount = 0
        for position in nodes.indices.reversed() {
            if case .leaf = nodes[position].kind { leafCount += 1 }
            var child = position + 1
            while child < position + nodes[position].end {
                depths[position] = max(depths[position], depths[child] + 1)
                child += nodes[child].end
            }
        }
        self.init(nodes: nodes, depth: depths.first ?? 1, leafCount: leafCount)
    }

    private static func group(_ kind: Kind, _ children: [Condition]) throws(ConditionFailure) -> Condition {
        let depth = 1 + (children.map(\.depth).max() ?? 0)
        guard depth <= depthLimit else { throw .tooDeep }
        var leafCount = 0
        var nodeCount = 1
        for child in children {
            leafCount += child.leafCount
            nodeCount += child.nodes.count
            guard leafCount <= leavesLimit, nodeCount <= nodesLimit else { throw .tooManyLeaves }
        }
        return Condition(
            nodes: [Node(kind: kind, end: nodeCount)] + children.flatMap(\.nodes), depth: depth, leafCount: leafCount)
    }
}
