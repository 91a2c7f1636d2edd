/// A tree as of the end of the period. Members are dense numbers; −1 is the company.
public struct Tree: Sendable {
    public let code: TreeCode
    /// The parent, or the enroller where there is no place.
    let parent: Column<Int32>
    /// 0: none.
    let slot: Column<Int32>
    /// The nearest promoter strictly above, of members of both kinds.
    let above: Column<Int32>
    /// The slot of the leg below `above` in which the member stands: the slot of the topmost member of the way down.
    let legSlot: Column<Int32>
    /// All members, parents before children.
    let sequence: Column<Int32>
    /// Promoters strictly above; 0 for those right below the company.
    let level: Column<Int32>
}

/// Children of each parent in the order of the members' numbers.
struct ChildLists {
    let first: Column<Int32>
    let next: Column<Int32>

    init(parent: Column<Int32>) {
        first = Column(parent.count, repeating: -1)
        next = Column(parent.count, repeating: -1)
        for member in stride(from: parent.count - 1, through: 0, by: -1) where parent[member] >= 0 {
            next[member] = first[Int(parent[member])]
            first[Int(parent[member])] = Int32(member)
        }
    }
}

/// Members depth first, parents before children, children in the order of their numbers; shorter than the number of
/// members where there is a cycle.
func depthFirst(_ parent: Column<Int32>) -> [Int32] {
    let children = ChildLists(parent: parent)
    var found: [Int32] = []
    found.reserveCapacity(parent.count)
    for root in 0..<parent.count where parent[root] < 0 {
        var member = Int32(root)
        descending: while true {
            found.append(member)
            if children.first[Int(member)] >= 0 {
                member = children.first[Int(member)]
                continue
            }
            while children.next[Int(member)] < 0 {
                member = parent[Int(member)]
                if member < 0 || member == root { break descending }
            }
            if member == root { break }
            member = children.next[Int(member)]
        }
    }
    return found
}
