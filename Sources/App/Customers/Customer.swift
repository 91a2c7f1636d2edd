import Chronology
import Persistence

/// A buyer as the company knows them.
struct Customer: Sendable {
    var id: CustomerID
    var workspaceID: WorkspaceID
    var personID: PersonID
    var country: String?
    var createdAt: Instant
}

extension Customer {
    /// The customer with the company's id, made when there is none yet.
    static func recognise(
        externalID: String, email told: String? = nil, name toldName: String? = nil, country: String? = nil, keepsKnown: Bool = false,
        in write: Write
    ) throws -> Customer {
        let hash = write.vault.lookupHash(write.workspace.id, "customer", externalID)
        let customer: Customer
        var email = told
        var name = toldName
        if let known = try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection) {
            customer = known
            if keepsKnown {
                let fields = try PersonStore.fields(of: [known.personID], [.email, .name], vault: write.vault, on: write.connection)[known.personID]
                if fields?[.email] != nil { email = nil }
                if fields?[.name] != nil { name = nil }
            }
        } else {
            customer = Customer(
                id: write.world.newID(), workspaceID: write.workspace.id, personID: try PersonStore.insert(in: write), country: country,
                createdAt: write.now)
            try CustomerStore.insert(customer, externalHash: hash, on: write.connection)
            try PersonStore.set(.externalId, externalID, of: customer.personID, in: write)
            try CustomerMemberStore.link(customer: customer.id, toMemberNamed: externalID, in: write)
        }
        if let email {
            try PersonStore.set(.email, email, of: customer.personID, in: write)
            try PersonStore.replaceLookup(.email, email, of: customer.personID, in: write)
            try PersonStore.replaceLookup(.mailbox, Normalised.mailbox(email), of: customer.personID, in: write)
        }
        if let name { try PersonStore.set(.name, name, of: customer.personID, in: write) }
        return customer
    }

    /// Notes that a browser is this customer, so that its earlier and later clicks count as theirs.
    func isSeen(as visitor: String, in write: Write) throws {
        try CustomerStore.insertVisitor(visitor, of: id, workspace: workspaceID, since: write.now, on: write.connection)
    }
}

enum CustomerStore {
    /// Visitors of one customer that are looked at.
    static let visitorsMax = 200

    private static let columns = "id, workspace_id, person_id, country, created_at"

    static func insert(_ customer: Customer, externalHash: [UInt8], on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO customer (id, workspace_id, person_id, external_hash, country, created_at)
            VALUES (\(customer.id), \(customer.workspaceID), \(customer.personID), \(externalHash), \(customer.country), \(customer.createdAt))
            """)
    }

    static func find(externalHash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> Customer? {
        try connection.row("SELECT \(raw: columns) FROM customer WHERE workspace_id = \(workspace) AND external_hash = \(externalHash)").map(read)
    }

    static func find(_ id: CustomerID, in workspace: WorkspaceID, on connection: any Connection) throws -> Customer? {
        try connection.row("SELECT \(raw: columns) FROM customer WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(_ ids: [CustomerID], on connection: any Connection) throws -> [CustomerID: Customer] {
        guard !ids.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT \(raw: columns) FROM customer WHERE id IN \(list: ids)")
        return Dictionary(try rows.map(read).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Customer] {
        try connection.rows(
            "SELECT \(raw: columns) FROM customer WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map(read)
    }

    static func insertVisitor(
        _ visitor: String, of customer: CustomerID, workspace: WorkspaceID, since: Instant, on connection: any Connection
    ) throws {
        try connection.executeLater(
            """
            INSERT INTO customer_visitor (workspace_id, visitor_id, customer_id, since) VALUES (\(workspace), \(visitor), \(customer), \(since))
            ON CONFLICT (customer_id, visitor_id) DO NOTHING
            """)
    }

    static func visitors(of customer: CustomerID, on connection: any Connection) throws -> [String] {
        try connection.rows(
            "SELECT visitor_id FROM customer_visitor WHERE customer_id = \(customer) ORDER BY since DESC, visitor_id LIMIT \(visitorsMax)"
        ).map { try $0.get(at: 0) }
    }

    private static func read(_ row: Row) throws -> Customer {
        Customer(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), personID: try row.get(at: 2), country: try row.get(at: 3),
            createdAt: try row.get(at: 4))
    }
}
