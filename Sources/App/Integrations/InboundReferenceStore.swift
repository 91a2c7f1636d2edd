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
    func person(_ id: String) -> String { "p." + Base64URL.encode(vault.lookupHash(workspace, "inbound:\(vendor.rawValue)", id)) }

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
