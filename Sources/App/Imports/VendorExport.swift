/// The systems whose exports are read as they are. The names of columns are those of the vendors' public documentation of their
/// objects and imports (`docs/imports.md` names each source); headings that only stand in their dashboards are assumed.
enum VendorExport: String, Sendable, CaseIterable {
    case rewardful, firstpromoter, partnerstack, tapfiliate, tolt

    /// What a file without such columns is taken to say.
    struct Defaults: Sendable {
        var currency: String
        /// Where links lead that stand in the file as a code alone.
        var destination: String?
    }

    /// What can be read out of a file with such a header. Throws a problem that says what was looked for.
    func parts(_ header: [String], _ wanted: ImportKind?, _ defaults: Defaults) throws -> [FileImport.Part] {
        let kinds = wanted.map { [$0] } ?? Self.kinds
        let parts = kinds.compactMap { kind in
            mapping(kind, defaults)?.resolved(header, kind).map { FileImport.Part(kind: kind, mapping: $0) }
        }
        guard !parts.isEmpty else {
            let needed = kinds.compactMap { kind in
                mapping(kind, defaults).map { _ in "\(kind.rawValue): \(kind.columns.filter(\.isRequired).map(\.name).joined(separator: ", "))" }
            }
            if header.count == 1, let only = header.first, only.contains(";") || only.contains("\t") {
                throw CSVReader.Malformed(
                    line: 1, reason: "The columns are parted by \(only.contains(";") ? "semicolons" : "tabs"). Save the file as CSV with commas, in UTF-8: in a spreadsheet, choose the separator when saving.")
            }
            throw CSVReader.Malformed(
                line: 1, reason: "Nothing that \(rawValue) exports was recognised in this header. Looked for what gives \(needed.joined(separator: "; ")). Rename columns, or import it as a generic file with --kind.")
        }
        // A file of sales names members by their ids too; it is no file of members.
        guard wanted == nil, let sales = parts.first(where: { $0.kind == .sales }) else { return try parts.map(Self.whole) }
        guard let refunds = parts.first(where: { $0.kind == .refunds }) else { return [sales] }
        // Which of the two an amount is of must be plain: else whole sales would be taken back, or refunds be paid for.
        let places = refunds.mapping?.places("amount") ?? []
        guard places.isEmpty || places != sales.mapping?.places("amount") else {
            throw CSVReader.Malformed(
                line: 1, reason: "This may be a file of sales or of refunds: its amounts could be either. Say --kind sales or --kind refunds, or call the refunds' column refunded_amount.")
        }
        var among = try Self.whole(refunds)
        among.passesSilentRows = true
        return [sales, among]
    }

    /// Refunds must say how much: without it each would take all of its sale back.
    private static func whole(_ part: FileImport.Part) throws -> FileImport.Part {
        guard part.kind == .refunds, part.mapping?.places("amount").isEmpty ?? true else { return part }
        throw CSVReader.Malformed(
            line: 1, reason: "These refunds have no column that says how much was given back. Looked for refunded_amount, refund_amount, amount. --kind sales takes the sales of such a file alone.")
    }

    /// What one file may hold at once: people, their links, and what they are still owed; or sales.
    static let kinds: [ImportKind] = [.members, .links, .sales, .refunds, .balances]

    func mapping(_ kind: ImportKind, _ defaults: Defaults) -> ColumnMapping? {
        switch kind {
        case .members:
            ColumnMapping(sources: [
                source("external_id", memberID), source("email", ["email", "partner_email", "affiliate_email", "promoter_email"]),
                .init(
                    column: "name", names: [["first_name", "last_name"], ["firstname", "lastname"], ["name"], ["full_name"], ["first_name"], ["firstname"]]),
                source("enroller_external_id", ["parent_id", "parent_promoter_id", "parent_partner_id", "recruited_by", "parent_affiliate_id"]),
                source("joined_at", ["created_at", "joined_at", "signed_up_at", "signup_date", "date_joined", "created"]),
                source("status", ["state", "status", "approval_status", "approved_status"], .words(Self.statuses)),
                source("country", ["country", "country_code", "address_country"]), source("website", ["website"]),
            ])
        case .links:
            ColumnMapping(sources: [
                source(
                    "code",
                    ["token", "link_token", "ref_id", "ref_token", "referral_code", "default_ref_id", "partner_key", "code", "slug", "coupon", "referral_link", "link_url"],
                    .codeOfAddress(parameters: linkParameters)),
                source("member_external_id", memberID),
                .init(
                    column: "destination", names: [["referral_link"], ["link_url"], ["url"], ["link"], ["destination"]], change: .address,
                    fallback: defaults.destination),
            ])
        case .sales:
            ColumnMapping(sources: [
                source("invoice_id", ["invoice_id", "charge_id", "stripe_charge_id", "external_id", "event_id", "transaction_id", "transaction_key", "sale_id", "key"]),
                source(
                    "customer_external_id",
                    ["customer_id", "customer_key", "stripe_customer_id", "customer_external_id", "customer_uid", "uid", "referral_id", "customer_email"]),
                .init(
                    column: "amount", names: [["sale_amount"], ["charge_amount"], ["revenue"], ["conversion_amount"], ["amount"]],
                    change: amountsAreMinor ? .asIs : .decimalAmount),
                source("currency", ["currency", "sale_currency", "currency_iso"], fallback: defaults.currency),
                source("occurred_at", ["charged_at", "occurred_at", "event_date", "created_at", "date", "created"]),
                source("member_external_id", ["affiliate_id", "promoter_id", "partner_id", "partner_key", "partnership_key", "affiliate_email", "promoter_email", "partner_email"]),
                source("sku", ["product_key", "product_id", "sku", "plan"]),
            ])
        case .refunds:
            ColumnMapping(sources: [
                .init(column: "refund_id", names: [["refund_id"]], tells: true),
                source("invoice_id", ["invoice_id", "charge_id", "stripe_charge_id", "external_id", "event_id", "transaction_id", "transaction_key", "sale_id"]),
                // An empty amount must not mean everything.
                .init(
                    column: "amount", names: [["refunded_amount"], ["refund_amount"], ["amount"]], change: amountsAreMinor ? .asIs : .decimalAmount,
                    empty: "empty", tells: true),
                source("currency", ["currency", "sale_currency", "currency_iso"], fallback: defaults.currency),
                source("occurred_at", ["refunded_at", "created_at", "date"]),
            ])
        case .balances:
            ColumnMapping(sources: [
                .init(column: "balance_id", names: memberID.map { [$0] }), source("member_external_id", memberID),
                .init(
                    column: "amount",
                    names: [["unpaid_commissions"], ["unpaid_amount"], ["unpaid"], ["amount_due"], ["due"], ["current_balance"], ["balance"], ["unpaid_earnings"]],
                    change: amountsAreMinor ? .asIs : .decimalAmount, empty: "0"),
                source("currency", ["currency", "balance_currency", "currency_iso"], fallback: defaults.currency),
            ])
        case .clicks: nil
        }
    }

    /// Columns that name a member, the vendor's own id first: the same person has it in every file of theirs.
    private var memberID: [String] {
        switch self {
        case .rewardful: ["affiliate_id", "id", "affiliate_email", "email"]
        case .firstpromoter: ["promoter_id", "id", "cust_id", "email"]
        case .partnerstack: ["partner_key", "partnership_key", "key", "id", "email"]
        case .tapfiliate: ["affiliate_id", "id", "affiliate_email", "email"]
        case .tolt: ["partner_id", "id", "email"]
        }
    }

    /// PartnerStack's transactions count cents; the others' files are taken to say decimal amounts.
    var amounts: ImportMapping.Amounts { self == .partnerstack ? .minor : .decimal }
    private var amountsAreMinor: Bool { amounts == .minor }

    /// The parameters by which this system's links are known.
    var linkParameters: [String] {
        switch self {
        case .rewardful: ["via"]
        case .firstpromoter: ["fpr"]
        // Its links are paths of a host of the company's own; what it appends afterwards is encoded.
        case .partnerstack: []
        case .tapfiliate: ["ref"]
        case .tolt: ["ref"]
        }
    }

    private func source(_ column: String, _ names: [String], _ change: ColumnMapping.Change = .asIs, fallback: String? = nil) -> ColumnMapping.Source {
        ColumnMapping.Source(column: column, names: names.map { [$0] }, change: change, fallback: fallback)
    }

    private static let statuses = [
        "approved": "active", "accepted": "active", "confirmed": "active", "enabled": "active", "pending": "inactive", "unconfirmed": "inactive",
        "invited": "inactive", "applied": "inactive", "denied": "suspended", "declined": "suspended", "rejected": "suspended", "disabled": "suspended",
        "blocked": "suspended", "suspicious": "suspended", "banned": "suspended", "archived": "terminated", "deleted": "terminated",
    ]
}
