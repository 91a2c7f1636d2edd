import Chronology
import Ledger
import Money
import Web

/// The ledger's first page: what we owe, whether the chain is whole, and every account.
struct LedgerModel: PageModel {
    var head: LedgerPageStore.Head?
    var check: LedgerPageStore.Check?
    var totals: [(kind: LedgerAccountKind, sums: [LedgerPageStore.Total])]
    var accounts: [LedgerPageStore.Account]
    var hasMore: Bool
    var isFirstPage: Bool
    var filter: LedgerPageStore.Filter
    var find: String
    var units: [String]
    var words: LedgerWords
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        let isFiltered = filter.kind != nil || filter.unit != nil || !find.isEmpty || filter.withEmpty
        let known = LedgerPager.fields([
            ("kind", filter.kind?.rawValue ?? ""), ("unit", filter.unit ?? ""), ("find", find), ("empty", filter.withEmpty ? "1" : ""),
        ])
        return [
            "lead": lead, "csrfToken": .text(csrfToken), "hasAny": .flag(head != nil), "isEmpty": .flag(head == nil), "chain": .object(chain),
            "totals": PageValue(totals.flatMap { kind, sums in sums.map { total(kind, $0) } }),
            "filter": [
                "active": .flag(isFiltered), "find": .text(find), "empty": .flag(filter.withEmpty),
                "kinds": PageValue(
                    [option("", language("ledger.filter.any"), filter.kind?.rawValue)]
                        + LedgerAccountKind.allCases.map { option($0.rawValue, language("ledger.kind.\($0.rawValue)"), filter.kind?.rawValue) }),
                "units": PageValue([option("", language("ledger.filter.any"), filter.unit)] + units.map { option($0, $0, filter.unit) }),
            ],
            "hasRows": .flag(!accounts.isEmpty), "rows": PageValue(accounts.map(row)), "nothingFound": .flag(head != nil && accounts.isEmpty),
            "pager": LedgerPager.page(
                first: isFirstPage ? nil : LedgerPager.url("/ledger", known, after: nil),
                next: hasMore ? accounts.last.map { LedgerPager.url("/ledger", known, after: $0) } : nil, language),
        ]
    }

    private var lead: PageValue {
        var owed: [String: Int64] = [:]
        for (kind, sums) in totals where LedgerAccountKind.owed.contains(kind) {
            for sum in sums { owed[sum.unit, default: 0] &-= sum.balanceMinor }
        }
        let amounts = owed.sorted { $0.key < $1.key }.compactMap { item in (try? UnitCode(item.key)).map { language.money(item.value, $0) } }
        return amounts.isEmpty ? language.sentence("ledger.lead.none") : language.sentence("ledger.lead.owed", ["amount": amounts.listed(language)])
    }

    private var chain: PageObject {
        let isBroken = (check?.findings ?? 0) > 0
        return [
            "sequence": .text(language.integer(head?.sequence ?? 0)), "entries": .text(language.integer(head?.entryCount ?? 0)),
            "hash": .text(head.map { Hexadecimal.text($0.hash) } ?? ""),
            "checkedAt": check.map { language.time($0.at) } ?? nil,
            "state": check == nil
                ? nil
                : [
                    "tone": isBroken ? "bad" : "good", "icon": isBroken ? "warning" : "check",
                    "label": .text(language(isBroken ? "ledger.chain.broken" : "ledger.chain.whole")),
                ],
            "newer": check.flatMap { check in
                head.flatMap { $0.sequence > check.sequence ? PageValue.text(language.plural("ledger.chain.newer", $0.sequence - check.sequence)) : nil }
            } ?? nil, "mayCheck": .flag((head?.sequence ?? 0) <= LedgerPages.checkedMax),
        ]
    }

    private func total(_ kind: LedgerAccountKind, _ sum: LedgerPageStore.Total) -> PageObject {
        [
            "label": .text(language("ledger.kind.\(kind.rawValue)")), "count": .text(language.integer(sum.count)),
            "url": .text("/ledger?kind=\(kind.rawValue)&unit=\(LocalPath.encoded(sum.unit))"), "amount": .text(money(sum.balanceMinor, sum.unit, kind)),
        ]
    }

    private func row(_ account: LedgerPageStore.Account) -> PageObject {
        [
            "url": .text("/ledger/accounts/\(account.id)"), "name": .text(words.account(account.path)), "path": .text(account.path),
            "amount": .text(money(account.balanceMinor, account.unit, LedgerAccountKind.of(account.path)?.kind)),
        ]
    }

    private func money(_ minor: Int64, _ unit: String, _ kind: LedgerAccountKind?) -> String {
        let sign: Int64 = kind?.isCredit == true ? -1 : 1
        return (try? UnitCode(unit)).map { language.money(minor &* sign, $0) } ?? "\(minor) \(unit)"
    }

    private func option(_ value: String, _ label: String, _ chosen: String?) -> PageObject {
        ["value": .text(value), "label": .text(label), "chosen": .flag(value == chosen ?? "")]
    }
}

/// Transactions, the newest first.
struct LedgerTransactionsModel: PageModel {
    /// What caused a transaction, by the beginning of the cause's id.
    enum Kind: String, Sendable, CaseIterable {
        case sale, refund, approval, payout, request, adjustment

        var prefix: String {
            switch self {
            case .sale: "sale_"
            case .refund: "ref_"
            case .approval: "com_"
            case .payout: "pay_"
            case .request: "prq_"
            case .adjustment: "adj_"
            }
        }
    }

    var transactions: [RecordedTransaction]
    var hasMore: Bool
    var isFirstPage: Bool
    var kind: Kind?
    var since: String
    var until: String
    var cause: String?
    var words: LedgerWords
    var language: PageLanguage

    var page: PageObject {
        let known = LedgerPager.fields([("kind", kind?.rawValue ?? ""), ("since", since), ("until", until), ("cause", cause ?? "")])
        return [
            "lead": language.sentence(transactions.isEmpty ? "ledgerTransactions.lead.none" : "ledgerTransactions.lead.some"),
            "filter": [
                "since": .text(since), "until": .text(until), "active": .flag(!known.isEmpty),
                "kinds": PageValue(
                    ([("", language("ledger.filter.any"))] + Kind.allCases.map { ($0.rawValue, language("ledgerTransactions.kind.\($0.rawValue)")) })
                        .map { value, label -> PageObject in
                            ["value": .text(value), "label": .text(label), "chosen": .flag(value == kind?.rawValue ?? "")]
                        }),
            ], "hasRows": .flag(!transactions.isEmpty), "rows": PageValue(transactions.map(row)),
            "pager": LedgerPager.page(
                first: isFirstPage ? nil : LedgerPager.url("/ledger/transactions", known, after: nil),
                next: hasMore
                    ? transactions.last.map { LedgerPager.url("/ledger/transactions", known + [("before", String($0.sequence))], after: nil) } : nil,
                language),
        ]
    }

    private func row(_ transaction: RecordedTransaction) -> PageObject {
        var moved: [String: Int64] = [:]
        for entry in transaction.entries where entry.amount.minor > 0 { moved[entry.unit, default: 0] &+= entry.amount.minor }
        let amounts = moved.sorted { $0.key < $1.key }.compactMap { item in (try? UnitCode(item.key)).map { language.money(item.value, $0) } }
        return [
            "url": .text("/ledger/transactions/\(transaction.sequence)"), "number": .text(language.integer(transaction.sequence)),
            "at": language.time(transaction.recordedAt), "purpose": .text(words.purpose(transaction.purpose)),
            "cause": .object(words.cause(transaction.cause)), "amount": .text(amounts.listed(language)),
        ]
    }
}

/// One transaction: what it moved, why, and its place in the chain.
struct LedgerTransactionModel: PageModel, Sendable {
    /// Entries shown at most; a transaction has 2,000.
    static let entriesMax = 500

    var transaction: RecordedTransaction
    var corrects: Int64?
    var accounts: [LedgerPageStore.AccountKey: String]
    var words: LedgerWords
    var language: PageLanguage

    var heading: String { language("ledgerTransaction.title", ["number": language.integer(transaction.sequence)]) }

    var page: PageObject {
        let more = transaction.entries.count - Self.entriesMax
        return [
            "heading": .text(heading), "purpose": .text(words.purpose(transaction.purpose)), "cause": .object(words.cause(transaction.cause)),
            "recordedAt": language.time(transaction.recordedAt), "effectiveAt": language.time(transaction.effectiveAt),
            "id": .text(transaction.id), "causeID": .text(transaction.cause), "hash": .text(Hexadecimal.text(transaction.hash)),
            "corrects": corrects.map {
                ["url": .text("/ledger/transactions/\($0)"), "text": .text(language("ledgerTransaction.title", ["number": language.integer($0)]))]
            } ?? nil,
            "entries": PageValue(transaction.entries.prefix(Self.entriesMax).map(LedgerEntryRow(words: words, accounts: accounts).page)),
            "more": more > 0 ? .text(language.plural("ledgerTransaction.more", Int64(more))) : nil,
        ]
    }
}

/// An entry with its account in words, as debit or credit.
struct LedgerEntryRow: Sendable {
    var words: LedgerWords
    var accounts: [LedgerPageStore.AccountKey: String] = [:]

    func page(_ entry: RecordedEntry) -> PageObject {
        let unit = try? UnitCode(entry.unit)
        let amount = unit.map { words.language.money(Int64(clamping: entry.amount.minor.magnitude), $0) } ?? "–"
        let account = accounts[LedgerPageStore.AccountKey(path: entry.account, unit: entry.unit)]
        return [
            "name": .text(words.account(entry.account)), "path": .text(entry.account), "url": PageValue(account.map { "/ledger/accounts/\($0)" }),
            "debit": entry.amount.minor > 0 ? .text(amount) : nil, "credit": entry.amount.minor < 0 ? .text(amount) : nil,
        ]
    }
}

/// The way through lists that are longer than a page.
enum LedgerPager {
    static func fields(_ fields: [(String, String)]) -> [(String, String)] { fields.filter { !$0.1.isEmpty } }

    static func url(_ path: String, _ fields: [(String, String)], after account: LedgerPageStore.Account?) -> String {
        let all = fields + (account.map { [("after", $0.path), ("afterUnit", $0.unit)] } ?? [])
        guard !all.isEmpty else { return path }
        return path + "?" + all.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
    }

    static func page(first: String?, next: String?, _ language: PageLanguage) -> PageValue {
        guard first != nil || next != nil else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": first.map { ["url": .text($0), "label": .text(language("pager.first"))] } ?? nil,
            "next": next.map { ["url": .text($0), "label": .text(language("pager.next"))] } ?? nil,
        ]
    }
}
