import Persistence
import Rules
import Web

/// Why a member who would be paid is not, whatever brought them the credit: a binding, a level above, or a program's default.
enum PayBar: String, Sendable {
    /// Suspended, terminated or erased.
    case memberNotActive
    /// The buyer is the member, as far as mailbox, address, device or payment means tell.
    case ownPurchase

    static func of(_ members: [MemberID], customer: CustomerID?, in write: Write) throws -> [MemberID: PayBar] {
        var bars: [MemberID: PayBar] = [:]
        if let customer {
            for member in try MemberStore.buyers(behind: customer, among: members, on: write.connection) { bars[member] = .ownPurchase }
        }
        for (id, member) in try MemberStore.find(members, on: write.connection) where member.status != .active && member.status != .inactive {
            bars[id] = .memberNotActive
        }
        return bars
    }
}

extension Rule {
    func barRefusal(member: MemberID, _ bar: PayBar, wanted: Int64) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .text(member.text),
            "reason": .text(bar.rawValue), "wanted": .integer(wanted),
        ]
    }
}
