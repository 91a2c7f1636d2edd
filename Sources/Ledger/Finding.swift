/// Something that `verify` found wrong. An empty list means that the books are whole.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        case unbalanced, tooFewEntries, gap, chainBroken, headWrong, countWrong, totalWrong, balanceWrong, runningBalanceWrong
        case orphanEntry, accountWrong, negative, doubleReversal, unknownCorrection, auditGap, auditChainBroken, auditHeadWrong
    }

    public var kind: Kind
    public var workspace: String
    /// The transaction or audit entry, where there is one.
    public var sequence: Int64?
    /// The account, where there is one.
    public var account: String?
    public var detail: String

    public var description: String {
        [kind.rawValue, "workspace \(workspace)", sequence.map { "sequence \($0)" }, account.map { "account \($0)" }, detail]
            .compactMap { $0 }.joined(separator: ", ")
    }
}
