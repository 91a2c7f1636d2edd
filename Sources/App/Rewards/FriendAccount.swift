import Chronology
import Money
import Persistence
import Rules
import Web

/// The friend as somebody who can be paid: a member of the kind customer, made when money, credit or points are first due to
/// them, or something that they choose.
/// They are the same person as the customer, so one erasure erases both.
enum FriendAccount {
    enum Payee {
        case member(MemberID)
        /// A reason of receipts.
        case refused(String)
    }

    /// Who gets what a rule gives the friend.
    static func payee(_ occasion: Commission.Occasion, credited: [CreditedMember], barred: [MemberID: PayBar], in write: Write) throws -> Payee {
        guard let id = occasion.customerID, let customer = try CustomerStore.find(id, in: write.workspace.id, on: write.connection) else {
            return .refused("friendUnknown")
        }
        guard let sharer = sharer(credited) else { return .refused("friendUnknown") }
        if let bar = barred[sharer] { return .refused(refusal(bar)) }
        guard let member = try account(of: customer, enroller: sharer, program: occasion.program, in: write) else { return .refused("friendUnknown") }
        if member.id == sharer { return .refused(refusal(.ownPurchase)) }
        guard member.mayBePaid else { return .refused("friendNotActive") }
        return .member(member.id)
    }

    /// The friend as somebody with pages of their own, where they choose: if their address is known, with which they sign in.
    static func choosing(_ id: CustomerID, enroller: MemberID, program: Program, in write: Write) throws -> Member? {
        guard let customer = try CustomerStore.find(id, in: write.workspace.id, on: write.connection),
            try PersonStore.fields(of: [customer.personID], [.email], vault: write.vault, on: write.connection)[customer.personID]?[.email] != nil,
            let member = try account(of: customer, enroller: enroller, program: program, in: write)
        else { return nil }
        try CustomerMemberStore.insert(id, member.id, on: write.connection)
        return member
    }

    /// Who is credited most, the first of those with the same share.
    static func sharer(_ credited: [CreditedMember]) -> MemberID? {
        var largest = credited.first
        for member in credited where member.share > largest?.share ?? .zero { largest = member }
        return largest.map { MemberID(stored: $0.memberID) }
    }

    static func refusal(_ bar: PayBar) -> String { bar == .ownPurchase ? "ownCode" : bar.rawValue }

    /// The customer's member, found by the company's own id or by the mailbox, or made. Nil when nothing names the customer any more.
    static func account(of customer: Customer, enroller: MemberID, program: Program, in write: Write) throws -> Member? {
        let connection = write.connection
        let linked = try CustomerMemberStore.member(of: customer.id, on: connection)
        let known = try linked ?? MemberStore.sameMailbox(as: customer.personID, in: write.workspace.id, on: connection).first
        if let known = try known.map({ try MemberMergeStore.kept(of: $0, on: connection) }),
            let member = try MemberStore.find(known, in: write.workspace.id, on: connection)
        {
            try MemberStore.enroll(known, in: program.id, group: nil, at: write.now, on: connection)
            return member
        }
        let fields = try PersonStore.fields(of: [customer.personID], [.externalId], vault: write.vault, on: connection)[customer.personID]
        guard let external = fields?[.externalId] else { return nil }
        return try Member.enroll(
            Enrolment(
                programID: program.id, externalID: external, enroller: .id(enroller), kind: .customer, stage: .customer, country: customer.country,
                personID: customer.personID, isQuiet: true),
            in: write)
    }
}

extension Rule {
    func friendRefusal(_ reason: String) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .null, "reason": .text(reason),
        ]
    }
}
