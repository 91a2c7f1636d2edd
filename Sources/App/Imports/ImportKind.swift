import Chronology
import Web

/// What a generic file holds, and how its columns become the fields of the API.
enum ImportKind: String, Sendable, CaseIterable {
    case members, links, sales, refunds, balances, clicks

    enum Form: Sendable { case text, integer, reference, instant }

    struct Column: Sendable {
        var name: String
        var field: String
        var form = Form.text
        var isRequired = false
    }

    /// The columns of a file, the required ones first. `metadata.NAME` columns are allowed for sales as well.
    var columns: [Column] {
        switch self {
        case .members:
            [
                Column(name: "external_id", field: "externalId", isRequired: true), Column(name: "email", field: "email", isRequired: true),
                Column(name: "name", field: "name"), Column(name: "enroller_external_id", field: "enrollerId", form: .reference),
                Column(name: "joined_at", field: "joinedAt", form: .instant), Column(name: "kind", field: "kind"),
                Column(name: "status", field: "status"), Column(name: "stage", field: "stage"), Column(name: "group_id", field: "groupId"),
                Column(name: "placement_parent_external_id", field: "placementParentId", form: .reference),
                Column(name: "placement_slot", field: "placementSlot", form: .integer), Column(name: "locale", field: "locale"),
                Column(name: "timezone", field: "timezone"), Column(name: "country", field: "country"), Column(name: "website", field: "website"),
            ]
        case .links:
            [
                Column(name: "code", field: "code", isRequired: true),
                Column(name: "member_external_id", field: "memberId", form: .reference, isRequired: true),
                Column(name: "destination", field: "destination", isRequired: true), Column(name: "kind", field: "kind"),
                Column(name: "host", field: "host"), Column(name: "expires_at", field: "expiresAt", form: .instant),
            ]
        case .sales:
            [
                Column(name: "invoice_id", field: "invoiceId", isRequired: true),
                Column(name: "customer_external_id", field: "customerExternalId", isRequired: true),
                Column(name: "amount", field: "amount", form: .integer, isRequired: true),
                Column(name: "currency", field: "currency", isRequired: true),
                Column(name: "occurred_at", field: "occurredAt", form: .instant, isRequired: true), Column(name: "code", field: "code"),
                Column(name: "click_id", field: "clickId"), Column(name: "member_external_id", field: "memberId", form: .reference),
                Column(name: "sku", field: "sku"), Column(name: "category", field: "category"),
                Column(name: "quantity", field: "quantity", form: .integer), Column(name: "country", field: "country"),
                Column(name: "event_name", field: "eventName"), Column(name: "customer_email", field: "customerEmail"),
                Column(name: "customer_name", field: "customerName"),
            ]
        case .refunds:
            [
                Column(name: "refund_id", field: "refundId", isRequired: true), Column(name: "invoice_id", field: "invoiceId", isRequired: true),
                Column(name: "amount", field: "amount", form: .integer), Column(name: "currency", field: "currency"),
                Column(name: "occurred_at", field: "occurredAt", form: .instant), Column(name: "reason", field: "reason"),
            ]
        case .balances:
            [
                Column(name: "balance_id", field: "balanceId", isRequired: true),
                Column(name: "member_external_id", field: "memberId", form: .reference, isRequired: true),
                Column(name: "amount", field: "amount", form: .integer, isRequired: true),
                Column(name: "currency", field: "currency", isRequired: true), Column(name: "note", field: "note"),
            ]
        case .clicks:
            [
                Column(name: "code", field: "code", isRequired: true),
                Column(name: "occurred_at", field: "occurredAt", form: .instant, isRequired: true),
                Column(name: "visitor_id", field: "visitorId"), Column(name: "referrer", field: "referrer"),
                Column(name: "user_agent", field: "userAgent"), Column(name: "country", field: "country"), Column(name: "ip", field: "ip"),
                Column(name: "url", field: "url"), Column(name: "device_id", field: "deviceId"),
            ]
        }
    }

    /// The column that tells which row of the company's own books a row is.
    var identity: String { columns.first(where: \.isRequired)?.name ?? "" }

    /// Kinds whose rows belong to a program.
    var needsProgram: Bool { self == .members || self == .links || self == .balances }

    /// Refuses a header that lacks a required column or names an unknown one.
    func check(_ header: [String]) throws {
        let known = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        if let unknown = header.first(where: { known[$0] == nil && !(self == .sales && $0.hasPrefix("metadata.")) }) {
            throw CSVReader.Malformed(
                line: 1, reason: "The column \(unknown) is not known. \(rawValue) may have: \(columns.map(\.name).joined(separator: ", ")).")
        }
        if let missing = columns.first(where: { $0.isRequired && !header.contains($0.name) }) {
            throw CSVReader.Malformed(line: 1, reason: "The column \(missing.name) is missing.")
        }
    }

    /// A row as the API's body says it. Empty fields are left out.
    func body(_ row: CSVReader.CSVRow, header: [String], program: ProgramID?) -> JSONValue {
        let known = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var members: [JSONMember] = []
        var metadata: [JSONMember] = []
        for (name, text) in zip(header, row.fields) where !text.isEmpty {
            guard let column = known[name] else {
                metadata.append(JSONMember(String(name.dropFirst("metadata.".count)), .text(text)))
                continue
            }
            members.append(JSONMember(column.field, Self.value(text, column.form)))
        }
        if self == .links, let program { members.append(JSONMember("programId", .text(program.text))) }
        if self == .sales { members = Self.withItem(members) }
        if !metadata.isEmpty { members.append(JSONMember("metadata", .object(metadata))) }
        return .object(members)
    }

    /// The column of a field that the API refused.
    func column(of field: String) -> String {
        let name = field.hasPrefix("items[0].") ? String(field.dropFirst("items[0].".count)) : field
        return columns.first { $0.field == name }?.name ?? field
    }

    private static func value(_ text: String, _ form: Form) -> JSONValue {
        switch form {
        case .text: .text(text)
        case .integer: Int64(text).map { .integer($0) } ?? .text(text)
        case .reference: .text(text.hasPrefix("ext:") || MemberID(text) != nil ? text : "ext:" + text)
        // A day alone is its beginning in UTC.
        case .instant: .text((try? LocalDay(iso8601: text)) == nil ? text : text + "T00:00:00Z")
        }
    }

    /// A sale with a SKU is a sale of that one item.
    private static func withItem(_ members: [JSONMember]) -> [JSONMember] {
        let ofItem: Set<String> = ["sku", "category", "quantity"]
        let rest = members.filter { !ofItem.contains($0.name) }
        guard members.contains(where: { $0.name == "sku" }), let amount = members.first(where: { $0.name == "amount" }) else { return rest }
        return rest + [JSONMember("items", .array([.object(members.filter { ofItem.contains($0.name) } + [amount])]))]
    }
}
