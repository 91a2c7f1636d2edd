import Chronology
import Money
import Persistence
import Web

/// A purchase as the company told it. Never changed; refunds are events of their own.
struct Sale: Sendable {
    struct Item: Sendable, Hashable {
        var sku: String
        var category: String?
        var quantity: Int64
        var amountMinor: Int64
        var commissionVolume: Int64?
        var qualifyingVolume: Int64?
    }

    var id: SaleID
    var workspaceID: WorkspaceID
    var programID: ProgramID?
    var programVersion: Int?
    var customerID: CustomerID
    var invoiceID: String
    var amountMinor: Int64
    var currency: Currency
    var saleNumber: Int64
    var eventName: String?
    var country: String?
    var couponUsed: Bool
    var items: [Item]
    var factsHash: [UInt8]
    var refundedMinor: Int64 = 0
    /// Who is credited and why, as it was decided: JSON for the receipt.
    var attribution: JSONText
    /// Which rules paid nothing, and why.
    var refusals: JSONText
    var occurredAt: Instant
    var recordedAt: Instant

    var keptMinor: Int64 { amountMinor - refundedMinor }
}

/// A sale as it comes in, checked field by field.
struct NewSale: Sendable {
    var programID: ProgramID?
    var customerExternalID: String
    var customerEmail: String?
    var customerName: String?
    var amountMinor: Int64
    var currency: Currency
    var invoiceID: String
    var clickID: String?
    var code: String?
    var country: String?
    var eventName: String?
    var items: [Sale.Item]
    var occurredAt: Instant?
    var metadata: [JSONMember]
    var visitorID: String?
    var deviceID: String?
    var paymentFingerprint: String?
    var shippingAddressHash: String?
    var newCustomer: Bool?
    var sessionReferrer: String?
    /// Names the sharing member directly (imports): a touch by hand.
    var member: MemberReference?
    /// A coupon's code beside the code of who shared.
    var couponCode: String?
    /// SHA-256 of the facts: the same invoice with other facts is a conflict.
    var factsHash: [UInt8]
}

enum SaleStore {
    private static let columns = """
        id, workspace_id, program_id, program_version, customer_id, invoice_id, amount, currency, sale_number, event_name, country, coupon_used, items, \
        facts_hash, refunded_amount, attribution, refusals, occurred_at, recorded_at
        """

    static func insert(_ sale: Sale, metadataSealed: [UInt8]?, on connection: any Connection) throws {
        let items = JSONText(.array(sale.items.map(\.json)))
        let cameBy = sale.cameBy.rawValue
        let link = sale.firstLinkID
        let hash = HashedTable.sale.hash([
            sale.id, sale.workspaceID, sale.programID, sale.programVersion, sale.customerID, sale.invoiceID, sale.amountMinor, sale.currency.code,
            sale.saleNumber, sale.eventName, sale.country, sale.couponUsed, items.text, sale.factsHash, sale.attribution.text, sale.occurredAt,
            sale.recordedAt, cameBy, link,
        ])
        try connection.executeLater(
            """
            INSERT INTO sale (\(raw: columns), metadata_sealed, came_by, link_id, row_hash)
            VALUES (\(sale.id), \(sale.workspaceID), \(sale.programID), \(sale.programVersion), \(sale.customerID), \(sale.invoiceID),
                    \(sale.amountMinor), \(sale.currency.code), \(sale.saleNumber), \(sale.eventName), \(sale.country), \(sale.couponUsed),
                    \(items.text), \(sale.factsHash), \(sale.refundedMinor), \(sale.attribution.text), \(sale.refusals.text), \(sale.occurredAt),
                    \(sale.recordedAt), \(metadataSealed), \(cameBy), \(link), \(hash))
            """)
    }

    static func setRefusals(_ sale: SaleID, _ refusals: JSONText, on connection: any Connection) throws {
        try connection.executeLater("UPDATE sale SET refusals = \(refusals.text) WHERE id = \(sale)")
    }

    static func addRefund(_ sale: SaleID, _ amountMinor: Int64, on connection: any Connection) throws {
        try connection.executeLater("UPDATE sale SET refunded_amount = refunded_amount + \(amountMinor) WHERE id = \(sale)")
    }

    static func find(_ id: SaleID, in workspace: WorkspaceID, on connection: any Connection) throws -> Sale? {
        try connection.row("SELECT \(raw: columns) FROM sale WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(invoice: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Sale? {
        try connection.row("SELECT \(raw: columns) FROM sale WHERE workspace_id = \(workspace) AND invoice_id = \(invoice)").map(read)
    }

    static func metadataSealed(_ id: SaleID, on connection: any Connection) throws -> [UInt8]? {
        try connection.row("SELECT metadata_sealed FROM sale WHERE id = \(id)")?.get(at: 0)
    }

    static func count(of customer: CustomerID, in program: ProgramID?, on connection: any Connection) throws -> Int64 {
        if let program {
            return try connection.value("SELECT count(*) FROM sale WHERE customer_id = \(customer) AND program_id = \(program)") ?? 0
        }
        return try connection.value("SELECT count(*) FROM sale WHERE customer_id = \(customer) AND program_id IS NULL") ?? 0
    }

    /// Whether a customer bought anything that did not come back as a whole, by this id or by another one with the same mailbox.
    static func hasKept(of customer: CustomerID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM sale WHERE customer_id IN (SELECT CAST(\(customer) AS TEXT) UNION ALL \(sql: sameMailbox(customer)))
                AND (amount = 0 OR refunded_amount < amount) LIMIT 1
            """) != nil
    }

    /// Whether somebody with this mailbox did.
    static func hasKept(mailbox hash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM person_lookup b JOIN customer o ON o.person_id = b.person_id JOIN sale s ON s.customer_id = o.id
            WHERE b.workspace_id = \(workspace) AND b.kind = 'mailbox' AND b.hash = \(hash) AND (s.amount = 0 OR s.refunded_amount < s.amount) LIMIT 1
            """) != nil
    }

    /// Whether another id of the company's with the same mailbox bought before: a shop names guests anew with each order.
    static func hasOther(than customer: CustomerID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM sale WHERE customer_id IN (\(sql: sameMailbox(customer))) AND (amount = 0 OR refunded_amount < amount) LIMIT 1") != nil
    }

    private static func sameMailbox(_ customer: CustomerID) -> SQL {
        """
        SELECT o.id FROM customer c
        JOIN person_lookup a ON a.person_id = c.person_id AND a.kind = 'mailbox'
        JOIN person_lookup b ON b.workspace_id = a.workspace_id AND b.kind = a.kind AND b.hash = a.hash
        JOIN customer o ON o.person_id = b.person_id AND o.id <> c.id WHERE c.id = \(customer)
        """
    }

    /// Whether the customer has bought before, in any program or none.
    static func hasAny(of customer: CustomerID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM sale WHERE customer_id = \(customer) LIMIT 1") != nil
    }

    static func hasAny(in program: ProgramID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM sale WHERE program_id = \(program) LIMIT 1") != nil
    }

    static func firstSaleAt(of customer: CustomerID, in program: ProgramID, on connection: any Connection) throws -> Instant? {
        try connection.row("SELECT min(occurred_at) FROM sale WHERE customer_id = \(customer) AND program_id = \(program)")?.get(at: 0)
    }

    static func list(where condition: SQL, in workspace: WorkspaceID, on connection: any Connection) throws -> [Sale] {
        try connection.rows(
            "SELECT \(raw: columns) FROM sale WHERE workspace_id = \(workspace) AND \(sql: condition) ORDER BY occurred_at DESC, id DESC"
        ).map(read)
    }

    struct Filter: Sendable {
        var program: ProgramID?
        var customer: CustomerID?
        var member: MemberID?
        var invoice: String?
        var from: Instant?
        var until: Instant?
    }

    /// Sales, the newest first.
    static func list(
        in workspace: WorkspaceID, _ filter: Filter = Filter(), before cursor: String? = nil, limit: Int, on connection: any Connection
    ) throws -> [Sale] {
        var sql: SQL = "SELECT \(raw: columns) FROM sale WHERE workspace_id = \(workspace)"
        if let program = filter.program { sql = "\(sql: sql) AND program_id = \(program)" }
        if let customer = filter.customer { sql = "\(sql: sql) AND customer_id = \(customer)" }
        if let member = filter.member {
            sql = "\(sql: sql) AND id IN (SELECT sale_id FROM commission WHERE member_id = \(member) AND sale_id IS NOT NULL)"
        }
        if let invoice = filter.invoice { sql = "\(sql: sql) AND invoice_id = \(invoice)" }
        if let from = filter.from { sql = "\(sql: sql) AND occurred_at >= \(from)" }
        if let until = filter.until { sql = "\(sql: sql) AND occurred_at < \(until)" }
        if let cursor {
            guard let last = try connection.row("SELECT occurred_at FROM sale WHERE id = \(cursor) AND workspace_id = \(workspace)") else {
                throw Refusal.field("startingAfter", "Is not a sale of this workspace.")
            }
            let at: Instant = try last.get(at: 0)
            sql = "\(sql: sql) AND (occurred_at < \(at) OR (occurred_at = \(at) AND id < \(cursor)))"
        }
        return try connection.rows("\(sql: sql) ORDER BY occurred_at DESC, id DESC LIMIT \(limit)").map(read)
    }

    private static func read(_ row: Row) throws -> Sale {
        let code: String = try row.get(at: 7)
        guard let currency = Currency(code: code) else { throw DatabaseFailure(.corrupt, "a sale has the unknown currency \(code)") }
        let items: String = try row.get(at: 12)
        return Sale(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), programVersion: try row.get(at: 3),
            customerID: try row.get(at: 4), invoiceID: try row.get(at: 5), amountMinor: try row.get(at: 6), currency: currency,
            saleNumber: try row.get(at: 8), eventName: try row.get(at: 9), country: try row.get(at: 10), couponUsed: try row.get(at: 11),
            items: try Sale.Item.list(items), factsHash: try row.get(at: 13), refundedMinor: try row.get(at: 14),
            attribution: JSONText(text: try row.get(at: 15)), refusals: JSONText(text: try row.get(at: 16)), occurredAt: try row.get(at: 17),
            recordedAt: try row.get(at: 18))
    }
}

extension Sale.Item {
    static let itemsMax = 500

    static func read(_ part: JSONReader) -> Sale.Item {
        Sale.Item(
            sku: part.text("sku", maximumLength: 200), category: part.optionalText("category", maximumLength: 200),
            quantity: part.optionalInteger("quantity", in: 1...1_000_000) ?? 1, amountMinor: part.integer("amount", in: 0...Schemas.amountMax),
            commissionVolume: part.optionalInteger("commissionVolume", in: 0...Schemas.amountMax),
            qualifyingVolume: part.optionalInteger("qualifyingVolume", in: 0...Schemas.amountMax))
    }

    var json: JSONValue {
        var members = [JSONMember("sku", .text(sku)), JSONMember("quantity", .integer(quantity)), JSONMember("amount", .integer(amountMinor))]
        if let category { members.append(JSONMember("category", .text(category))) }
        if let commissionVolume { members.append(JSONMember("commissionVolume", .integer(commissionVolume))) }
        if let qualifyingVolume { members.append(JSONMember("qualifyingVolume", .integer(qualifyingVolume))) }
        return .object(members)
    }

    static func list(_ text: String) throws -> [Sale.Item] {
        if text == "[]" { return [] }
        guard case .array(let elements) = try JSONValue.parse(Array(text.utf8), maximumBytes: 4_000_000) else { return [] }
        return try elements.map { element in
            let reader = try JSONReader(element)
            let item = read(reader)
            try reader.finish()
            return item
        }
    }
}
