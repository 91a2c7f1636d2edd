/// A row that cannot be taken, named.
public struct FactsFailure: Error, Hashable, Sendable {
    public enum File: Hashable, Sendable {
        case members, orders, moves
        public var code: String {
            switch self {
            case .members: "members"
            case .orders: "orders"
            case .moves: "moves"
            }
        }
    }
    public enum Reason: Hashable, Sendable {
        case emptyId
        case duplicateId
        case unknownMember
        /// The parents of the tree lead back to the member.
        case cycle(tree: String)
        /// Two members in one place below a parent.
        case slotTaken(tree: String)
        case slotOutOfRange(tree: String, limit: Int)
        case unknownTree
        /// Two moves of one member on one tree at one instant, to different places.
        case movedTwice
        /// The enroller never changes.
        case enrollerMoves
        case outsidePeriod
        case unknownDay
        /// A volume beyond ±10^15, or all together beyond 4 × 10^18.
        case volumeTooLarge
        case refundExceedsOrder
        case refundOfRefund
        case refundOfAnotherBuyer
        case refundNotNegative
        case tooManyRows
    }
    public let file: File
    /// What the caller gave as the row's number.
    public let row: Int
    public let column: String
    public let reason: Reason

    public init(file: File, row: Int, column: String, reason: Reason) {
        self.file = file
        self.row = row
        self.column = column
        self.reason = reason
    }
}
