import Chronology
import Money
import Persistence
import Rules
import Web

/// Whether a friend counts for a program, looked at when something is first due for them. Whoever has counted once stays.
enum FriendEligibility {
    struct Refused: Sendable {
        /// A code of receipts.
        var reason: Reason
        var expected = JSONValue.null
        var found = JSONValue.null
    }

    enum Reason: String, Sendable, CaseIterable {
        case friendNotNew, orderTooSmall, orderInOtherCurrency, countryNotServed, ownHousehold
    }

    static func refused(_ occasion: Commission.Occasion, credited: [CreditedMember], in write: Write) throws -> Refused? {
        let terms = occasion.program.settings.referral
        guard terms != ReferralTerms(), let customer = occasion.customerID, occasion.cause == .sale || occasion.cause == .lead,
            let refused = try failed(terms, occasion, customer, credited, in: write)
        else { return nil }
        let hasCounted = try FriendEligibilityStore.hasCounted(customer, in: occasion.program.id, besides: occasion.saleID, on: write.connection)
        return hasCounted ? nil : refused
    }

    private static func failed(
        _ terms: ReferralTerms, _ occasion: Commission.Occasion, _ customer: CustomerID, _ credited: [CreditedMember], in write: Write
    ) throws -> Refused? {
        let facts = occasion.facts
        if terms.newCustomersOnly {
            let isNew =
                occasion.cause == .sale
                ? facts.customerIsNew : try SaleStore.firstSaleAt(of: customer, in: occasion.program.id, on: write.connection) == nil
            if !isNew { return Refused(reason: .friendNotNew) }
        }
        if terms.minimumOrderMinor > 0, occasion.cause == .sale {
            if facts.currency != facts.programCurrency {
                return Refused(reason: .orderInOtherCurrency, expected: .text(facts.programCurrency.code), found: .text(facts.currency.code))
            }
            if facts.amount.minor < terms.minimumOrderMinor {
                return Refused(reason: .orderTooSmall, expected: .integer(terms.minimumOrderMinor), found: .integer(facts.amount.minor))
            }
        }
        if !terms.countries.isEmpty, !terms.countries.contains(facts.country ?? "") {
            return Refused(
                reason: .countryNotServed, expected: .array(terms.countries.map { .text($0) }), found: facts.country.map { .text($0) } ?? .null)
        }
        if terms.notOwnHousehold {
            let members = credited.map { MemberID(stored: $0.memberID) }
            if try FriendEligibilityStore.sharesHousehold(customer, with: members, on: write.connection) { return Refused(reason: .ownHousehold) }
        }
        return nil
    }
}

extension Rule {
    func eligibilityRefusal(_ refused: FriendEligibility.Refused) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .null,
            "reason": .text(refused.reason.rawValue), "expected": refused.expected, "found": refused.found,
        ]
    }

    /// `allowed` is what the program's budget has left for it.
    func budgetRefusal(wanted: Int64, allowed: Int64, unit: UnitCode, _ budget: ReferralTerms.Budget) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .null, "reason": "budgetUsedUp",
            "wanted": .integer(wanted), "allowed": .integer(allowed), "unit": .text(unit.code), "budget": budget.json,
        ]
    }
}

enum FriendEligibilityStore {
    /// Whether something was given for another sale of the customer, and has not come back.
    static func hasCounted(_ customer: CustomerID, in program: ProgramID, besides sale: SaleID?, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT s.id FROM sale s WHERE s.customer_id = \(customer) AND s.program_id = \(program) AND s.id <> \(sale?.text ?? "") AND (
                EXISTS (SELECT 1 FROM commission c WHERE c.sale_id = s.id AND c.state NOT IN ('reversed', 'canceled', 'refused'))
                OR EXISTS (SELECT 1 FROM reward r WHERE r.sale_id = s.id AND r.state NOT IN ('reversed', 'refused')))
            LIMIT 1
            """) != nil
    }

    /// Whether the customer shares an address with one of the members, or an address, mailbox, device or payment means with what one of them
    /// bought as a customer, which the company's own id or the same mailbox says.
    static func sharesHousehold(_ customer: CustomerID, with members: [MemberID], on connection: any Connection) throws -> Bool {
        guard !members.isEmpty else { return false }
        return try connection.row(
            """
            SELECT b.person_id FROM customer c
            JOIN person_lookup b ON b.person_id = c.person_id AND b.kind IN ('homeAddress', 'paymentFingerprint', 'mailbox', 'device')
            JOIN person_lookup a ON a.workspace_id = b.workspace_id AND a.kind = b.kind AND a.hash = b.hash AND a.person_id <> b.person_id
            WHERE c.id = \(customer) AND (
                EXISTS (SELECT 1 FROM member m WHERE m.person_id = a.person_id AND a.kind = 'homeAddress' AND m.id IN \(list: members))
                OR EXISTS (SELECT 1 FROM customer o JOIN customer_member k ON k.customer_id = o.id
                    WHERE o.person_id = a.person_id AND k.member_id IN \(list: members))
                OR EXISTS (SELECT 1 FROM customer o JOIN person_lookup ob ON ob.person_id = o.person_id AND ob.kind = 'mailbox'
                    JOIN person_lookup mb ON mb.workspace_id = ob.workspace_id AND mb.kind = 'mailbox' AND mb.hash = ob.hash
                    JOIN member m ON m.person_id = mb.person_id WHERE o.person_id = a.person_id AND m.id IN \(list: members)))
            LIMIT 1
            """) != nil
    }
}
