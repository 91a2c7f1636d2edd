import Persistence
import Web

/// The kinds of accounts that the journal has, by the beginning of their paths.
enum LedgerAccountKind: String, Sendable, CaseIterable {
    case pending, held, available, inPayout, debt, paid, expense, points, pointsIssued, residue, bank

    var prefix: String {
        switch self {
        case .pending: "liabilities:payable:pending:"
        case .held: "liabilities:payable:held:"
        case .available: "liabilities:payable:available:"
        case .inPayout: "liabilities:payable:inpayout:"
        case .debt: "assets:debt:"
        case .paid: "assets:paid:"
        case .expense: "expenses:commissions:"
        case .points: "liabilities:points:"
        case .pointsIssued: "expenses:points:"
        case .residue: "equity:residue:"
        case .bank: "assets:bank:"
        }
    }

    /// The first text after all that begin with the prefix.
    var prefixEnd: String { Self.end(of: prefix) }

    static func end(of prefix: String) -> String {
        guard let last = prefix.utf8.last else { return prefix }
        return prefix.dropLast() + String(UnicodeScalar(last + 1))
    }

    /// Balances that are read as positive numbers although the books hold them below zero.
    var isCredit: Bool {
        switch self {
        case .pending, .held, .available, .inPayout, .paid, .points: true
        case .debt, .expense, .pointsIssued, .residue, .bank: false
        }
    }

    static let ofMembers: [LedgerAccountKind] = [.pending, .held, .available, .inPayout, .debt, .paid, .points]

    /// What we owe members in money.
    static let owed: [LedgerAccountKind] = [.pending, .held, .available, .inPayout]

    static func of(_ path: String) -> (kind: LedgerAccountKind, subject: String)? {
        allCases.first { path.hasPrefix($0.prefix) }.map { ($0, String(path.dropFirst($0.prefix.count))) }
    }
}

/// What the journal's paths, causes and purposes are called on pages, and where they lead.
struct LedgerWords: Sendable {
    var names: PersonNames
    var programs: [ProgramID: String]
    var sales: [String: (sale: SaleID, invoice: String)]
    var commissions: [String: CommissionID]
    var language: PageLanguage

    static func load(
        paths: [String], causes: [String], in workspace: WorkspaceID, vault: Vault, language: PageLanguage, on connection: any Connection
    ) throws -> LedgerWords {
        let subjects = paths.compactMap { LedgerAccountKind.of($0)?.subject }
        return LedgerWords(
            names: try PersonNames.load(members: subjects.compactMap { MemberID($0) }, vault: vault, on: connection),
            programs: Dictionary(
                try Set(subjects.compactMap { ProgramID($0) }).map { ($0, try ProgramStore.name(of: $0, in: workspace, on: connection) ?? "") },
                uniquingKeysWith: { one, _ in one }),
            sales: try LedgerPageStore.sales(causes, on: connection), commissions: try LedgerPageStore.commissions(causes, on: connection),
            language: language)
    }

    func account(_ path: String) -> String {
        guard let (kind, subject) = LedgerAccountKind.of(path) else { return path }
        let name = MemberID(subject).map { names.member($0, language) } ?? ProgramID(subject).flatMap { programs[$0] } ?? subject
        return language("ledger.account.\(kind.rawValue)", ["name": name])
    }

    func accountURL(_ path: String) -> String? {
        guard let (_, subject) = LedgerAccountKind.of(path) else { return nil }
        return MemberID(subject).map { "/members/\($0.text)" } ?? ProgramID(subject).map { "/programs/\($0.text)" }
    }

    /// What a transaction did: the purpose, without what makes it unique.
    func purpose(_ purpose: String) -> String {
        let word = String(purpose.prefix { $0 != "." && $0 != "-" && $0 != "/" })
        let key = "ledger.purpose.\(word)"
        let words = language(key)
        return words == key ? purpose : words
    }

    /// What it did it for, with the way to its receipt.
    func cause(_ cause: String) -> PageObject {
        let prefix = cause.prefix { $0 != "_" }
        func page(_ key: String, _ values: [String: String] = [:], _ url: String?) -> PageObject {
            ["text": .text(language("ledger.cause.\(key)", values)), "url": PageValue(url)]
        }
        if let sale = sales[cause] {
            let key = prefix == "ref" ? "refund" : prefix == "com" ? "commissionOf" : "sale"
            return page(key, ["invoice": sale.invoice], "/sales/\(sale.sale.text)/receipt")
        }
        switch prefix {
        case "com": return page("commission", [:], "/commissions/\(cause)")
        case "pay": return page("payout", [:], "/payouts/\(cause)")
        case "prq": return page("request", [:], "/payouts")
        case "dec": return page("decision", [:], nil)
        case "adj": return page("adjustment", [:], commissions[cause].map { "/commissions/\($0.text)" })
        case "wmv": return page("wallet", [:], nil)
        case "run": return page("run", [:], nil)
        case "clk": return page("click", [:], nil)
        case "lead": return page("lead", [:], nil)
        default: return ["text": .text(cause), "url": nil]
        }
    }
}
