import Persistence

/// Buyers who are members themselves, known by the company's own id, which both carry.
enum CustomerMemberStore {
    static func link(member: MemberID, toCustomerNamed external: String, in write: Write) throws {
        let hash = write.vault.lookupHash(write.workspace.id, "customer", external)
        guard let customer = try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection) else { return }
        try insert(customer.id, member, on: write.connection)
    }

    static func link(customer: CustomerID, toMemberNamed external: String, in write: Write) throws {
        let hash = write.vault.lookupHash(write.workspace.id, "member", external)
        guard let member = try MemberStore.find(externalHash: hash, in: write.workspace.id, on: write.connection) else { return }
        try insert(customer, member.id, on: write.connection)
    }

    static func member(of customer: CustomerID, on connection: any Connection) throws -> MemberID? {
        try connection.value("SELECT member_id FROM customer_member WHERE customer_id = \(customer)")
    }

    /// Which customer a member is, when there is one and no other.
    static func customer(of member: MemberID, on connection: any Connection) throws -> CustomerID? {
        let found = try connection.rows("SELECT customer_id FROM customer_member WHERE member_id = \(member) ORDER BY customer_id LIMIT 2")
        return found.count == 1 ? try found[0].get(at: 0) : nil
    }

    static func insert(_ customer: CustomerID, _ member: MemberID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO customer_member (customer_id, member_id) VALUES (\(customer), \(member))
            ON CONFLICT (customer_id) DO NOTHING
            """)
    }
}
