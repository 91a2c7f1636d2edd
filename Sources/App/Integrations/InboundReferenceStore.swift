import Persistence
import Web

/// What a vendor's id means here.
struct InboundReference: Sendable {
    var reference: String
    var invoiceID: String?
    var customerID: CustomerID?
    var clickID: String?
    var code: String?
    /// What a charge gave back so far.
    var refundedMinor: Int64 = 0
}

/// A vendor's order: paid with tax, and what of it is the sale.
struct InboundOrder: Sendable {
    var invoiceID: String
    var grossMinor: Int64
    var netMinor: Int64
    var refundedMinor: Int64 = 0
}

/// Vendors' ids of one workspace and vendor.
struct InboundReferences: Sendable {
    let workspace: WorkspaceID
    let vendor: Vendor
    let vault: Vault

    /// An id that names a person, as it is kept: a keyed hash.
    func person(_ id: String) -> String { "p." + Base64URL.encode(lookupHash("inbound:\(vendor.rawValue)", id)) }

    func lookupHash(_ kind: String, _ text: String) -> [UInt8] { vault.lookupHash(workspace, kind, text) }

    /// The id by which a vendor's customer is a customer here: the vendor stands before it, for vendors number their customers as companies
    /// do. Stripe's ids say themselves whose they are.
    func externalID(_ customer: String) -> String { vendor == .stripe && customer.hasPrefix(Self.stripeCustomers) ? customer : vendor.namespaced(customer) }

    /// Whether an id of a customer is the vendor's and not the company's own.
    func isVendors(_ externalID: String) -> Bool {
        externalID.hasPrefix(vendor.namespaced("")) || (vendor == .stripe && externalID.hasPrefix(Self.stripeCustomers))
    }

    private static let stripeCustomers = "cus_"

    /// An id of a payment, order, charge or promotion.
    func thing(_ id: String) -> String { "t." + String(id.prefix(200)) }

    func find(_ reference: String, on connection: any Connection) throws -> InboundReference? {
        try InboundReferenceStore.find(reference, vendor, in: workspace, on: connection)
    }

    func put(_ row: InboundReference, on connection: any Connection) throws {
        try InboundReferenceStore.put(row, vendor, in: workspace, on: connection)
    }

    func order(_ invoiceID: String, on connection: any Connection) throws -> InboundOrder? {
        try InboundReferenceStore.order(invoiceID, vendor, in: workspace, on: connection)
    }

    func put(_ order: InboundOrder, on connection: any Connection) throws {
        try InboundReferenceStore.put(order, vendor, in: workspace, on: connection)
    }

    /// The order that one of a payment's ids belongs to.
    func order(of ids: [String], on connection: any Connection) throws -> InboundOrder? {
        for id in ids {
            if let order = try order(id, on: connection) { return order }
            if let invoice = try find(thing(id), on: connection)?.invoiceID, let order = try order(invoice, on: connection) { return order }
        }
        return nil
    }
}

enum InboundReferenceStore {
    static func find(_ reference: String, _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws -> InboundReference? {
        try connection.row(
            """
            SELECT reference, invoice_id, customer_id, click_id, code, refunded FROM inbound_reference
            WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND reference = \(reference)
            """
        ).map { row in
            InboundReference(
                reference: try row.get(at: 0), invoiceID: try row.get(at: 1), customerID: try row.get(at: 2), clickID: try row.get(at: 3),
                code: try row.get(at: 4), refundedMinor: try row.get(at: 5))
        }
    }

    static func put(_ row: InboundReference, _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO inbound_reference (workspace_id, vendor, reference, invoice_id, customer_id, click_id, code, refunded)
            VALUES (\(workspace), \(vendor.rawValue), \(row.reference), \(row.invoiceID), \(row.customerID), \(row.clickID), \(row.code), \(row.refundedMinor))
            ON CONFLICT (workspace_id, vendor, reference) DO UPDATE SET invoice_id = excluded.invoice_id, customer_id = excluded.customer_id,
                click_id = excluded.click_id, code = excluded.code, refunded = excluded.refunded
            """)
    }

    /// What the charges of an order have given back so far.
    static func refundedMinor(of invoiceID: String, _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        let refunded = try connection.rows(
            """
            SELECT refunded FROM inbound_reference
            WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND invoice_id = \(invoiceID) AND refunded > 0
            """)
        return try refunded.reduce(0) { sum, row in try sum + row.get(at: 0, as: Int64.self) }
    }

    /// Whether another vendor has told an order with this id.
    static func isTold(_ invoiceID: String, byOtherThan vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM inbound_order WHERE workspace_id = \(workspace) AND invoice_id = \(invoiceID) AND vendor <> \(vendor.rawValue) LIMIT 1
            """) != nil
    }

    /// Customers with a mail address, and whether the vendor has told of them.
    static func customers(
        emailHash: [UInt8], _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> [(person: PersonID, isVendors: Bool)] {
        try connection.rows(
            """
            SELECT c.person_id, (EXISTS (
                    SELECT 1 FROM inbound_reference r WHERE r.customer_id = c.id AND r.workspace_id = \(workspace) AND r.vendor = \(vendor.rawValue)
                ) OR EXISTS (
                    SELECT 1 FROM sale s JOIN inbound_order o ON o.workspace_id = s.workspace_id AND o.invoice_id = s.invoice_id AND o.vendor = \(vendor.rawValue)
                    WHERE s.customer_id = c.id AND s.workspace_id = \(workspace)
                ))
            FROM person_lookup l JOIN customer c ON c.person_id = l.person_id AND c.workspace_id = \(workspace)
            WHERE l.workspace_id = \(workspace) AND l.kind = \(PersonLookup.email.rawValue) AND l.hash = \(emailHash)
            ORDER BY c.person_id LIMIT 200
            """
        ).map { row in (person: try row.get(at: 0), isVendors: try row.get(at: 1)) }
    }

    static func order(_ invoiceID: String, _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws -> InboundOrder? {
        try connection.row(
            """
            SELECT invoice_id, gross, net, refunded FROM inbound_order
            WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND invoice_id = \(invoiceID)
            """
        ).map { row in
            InboundOrder(invoiceID: try row.get(at: 0), grossMinor: try row.get(at: 1), netMinor: try row.get(at: 2), refundedMinor: try row.get(at: 3))
        }
    }

    static func put(_ order: InboundOrder, _ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO inbound_order (workspace_id, vendor, invoice_id, gross, net, refunded)
            VALUES (\(workspace), \(vendor.rawValue), \(order.invoiceID), \(order.grossMinor), \(order.netMinor), \(order.refundedMinor))
            ON CONFLICT (workspace_id, vendor, invoice_id) DO UPDATE SET gross = excluded.gross, net = excluded.net, refunded = excluded.refunded
            """)
    }
}
