import Persistence

/// A prefixed, sortable id of one kind of thing: `mem_` and 26 characters of Crockford's base 32
/// (48 bits of milliseconds, 80 random bits). Ids of different kinds do not mix: that is what `Kind` is for.
struct Identifier<Kind: Identified>: Hashable, Sendable, Comparable, Bindable, Readable, CustomStringConvertible {
    let text: String

    /// Trusts the text: for what the program itself made or stored.
    init(stored text: String) { self.text = text }

    /// Reads an id that came from outside; nil when it is not of this kind.
    init?(_ text: String) {
        guard text.hasPrefix(Kind.prefix), text.utf8.count == Kind.prefix.utf8.count + 26,
            text.dropFirst(Kind.prefix.count).utf8.allSatisfy(Base32.alphabet.contains)
        else { return nil }
        self.text = text
    }

    var databaseValue: Value { .text(text) }
    init(databaseValue: Value) throws { text = try String(databaseValue: databaseValue) }
    var description: String { text }
    static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

protocol Identified { static var prefix: String { get } }

enum WorkspaceKind: Identified { static let prefix = "ws_" }
enum OperatorKind: Identified { static let prefix = "op_" }
enum InvitationKind: Identified { static let prefix = "inv_" }
enum APIKeyKind: Identified { static let prefix = "key_" }
enum PersonKind: Identified { static let prefix = "per_" }
enum PersonKeyKind: Identified { static let prefix = "pk_" }
enum ProgramKind: Identified { static let prefix = "prog_" }
enum RuleKind: Identified { static let prefix = "rule_" }
enum MemberKind: Identified { static let prefix = "mem_" }
enum CostKind: Identified { static let prefix = "cost_" }
enum StageMoveKind: Identified { static let prefix = "stg_" }
enum LinkKind: Identified { static let prefix = "lnk_" }
enum ClickKind: Identified { static let prefix = "clk_" }
enum VisitorKind: Identified { static let prefix = "vis_" }
enum CustomerKind: Identified { static let prefix = "cus_" }
enum TouchKindID: Identified { static let prefix = "tch_" }
enum LeadKind: Identified { static let prefix = "lead_" }
enum SaleKind: Identified { static let prefix = "sale_" }
enum RefundKind: Identified { static let prefix = "ref_" }
enum CommissionKind: Identified { static let prefix = "com_" }
enum EventKind: Identified { static let prefix = "evt_" }

typealias WorkspaceID = Identifier<WorkspaceKind>
typealias OperatorID = Identifier<OperatorKind>
typealias InvitationID = Identifier<InvitationKind>
typealias APIKeyID = Identifier<APIKeyKind>
typealias PersonID = Identifier<PersonKind>
typealias PersonKeyID = Identifier<PersonKeyKind>
typealias ProgramID = Identifier<ProgramKind>
typealias RuleID = Identifier<RuleKind>
typealias MemberID = Identifier<MemberKind>
typealias CostID = Identifier<CostKind>
typealias StageMoveID = Identifier<StageMoveKind>
typealias LinkID = Identifier<LinkKind>
typealias ClickID = Identifier<ClickKind>
typealias CustomerID = Identifier<CustomerKind>
typealias TouchID = Identifier<TouchKindID>
typealias LeadID = Identifier<LeadKind>
typealias SaleID = Identifier<SaleKind>
typealias RefundID = Identifier<RefundKind>
typealias CommissionID = Identifier<CommissionKind>
typealias EventID = Identifier<EventKind>

/// Crockford's base 32 in lower case: no i, l, o, u.
enum Base32 {
    static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    static let alphabet = Set(digits)

    /// 26 characters of 48 bits of time and 80 random bits.
    static func sortable(milliseconds: Int64, high: UInt16, low: UInt64) -> String {
        var value = (UInt128(UInt64(bitPattern: milliseconds) & 0xFFFF_FFFF_FFFF) << 80) | (UInt128(high) << 64) | UInt128(low)
        var bytes = [UInt8](repeating: 0, count: 26)
        for position in stride(from: 25, through: 0, by: -1) {
            bytes[position] = digits[Int(value & 31)]
            value >>= 5
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
