import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// The books as people read them: accounts, their postings, transactions, who owes, and whether the chain is whole.
enum LedgerPages {
    static let rowsPerPage = 50
    /// A longer journal is reckoned by `kith verify`, which nobody waits for.
    static let checkedMax: Int64 = 500_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/ledger", .ledgerRead, gate) { visit in try await accounts(visit) }
        api.page("/ledger/accounts/{id}", .ledgerRead, gate) { visit in try await account(visit) }
        api.page("/ledger/transactions", .ledgerRead, gate) { visit in try await transactions(visit) }
        api.page("/ledger/transactions/{id}", .ledgerRead, gate) { visit in try await transaction(visit) }
        api.page("/ledger/debtors", .ledgerRead, gate) { visit in try await debtors(visit) }
        api.form("/ledger/checks", .ledgerRead, gate) { visit, _ in try await check(visit) }
        LedgerFiles.add(to: &api, gate: gate)
    }

    // MARK: Accounts

    private static func accounts(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let find = String((visit.query["find"] ?? "").prefix(255))
        let after = cursor(visit)
        let (isAll, kind, unit) = (visit.query["empty"] == "1", try visit.query.word("kind", LedgerAccountKind.self), visit.query["unit"])
        let model = try await visit.installation.main.read { connection -> LedgerModel in
            var filter = LedgerPageStore.Filter(kind: kind, unit: unit?.isEmpty == false ? unit : nil, withEmpty: isAll)
            if !find.isEmpty { filter.members = try MemberLookup.find(find, in: workspace, vault: vault, language: language, on: connection) }
            let rows = try LedgerPageStore.accounts(in: workspace, filter, after: after, limit: rowsPerPage + 1, on: connection)
            let shown = Array(rows.prefix(rowsPerPage))
            return LedgerModel(
                head: try LedgerPageStore.head(workspace, on: connection), check: try LedgerPageStore.check(of: workspace, on: connection),
                totals: try LedgerAccountKind.allCases.map { ($0, try LedgerPageStore.totals($0, in: workspace, on: connection)) },
                accounts: shown, hasMore: rows.count > rowsPerPage, isFirstPage: after == nil, filter: filter, find: find,
                units: try LedgerPageStore.units(in: workspace, on: connection),
                words: try LedgerWords.load(
                    paths: shown.map(\.path), causes: [], in: workspace, vault: vault, language: language, on: connection),
                csrfToken: visit.session.csrf(visit.installation).text(), language: language)
        }
        return try visit.page("ledger-list", title: language("ledger.title"), current: "/ledger", model.page)
    }

    private static func account(_ visit: PageVisit) async throws -> Response {
        let id = visit.context.parameters.get("id") ?? ""
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let parts = (visit.query["before"] ?? "").split(separator: ".").compactMap { Int64($0) }
        let before = parts.count == 2 ? (sequence: parts[0], position: parts[1]) : nil
        let read = try await visit.installation.main.read {
            connection -> (LedgerPageStore.Account, [LedgerPageStore.Posting], LedgerWords)? in
            guard let account = try LedgerPageStore.account(id, in: workspace, on: connection) else { return nil }
            let postings = try LedgerPageStore.postings(of: id, before: before, limit: rowsPerPage + 1, on: connection)
            return (
                account, postings,
                try LedgerWords.load(
                    paths: [account.path], causes: postings.map(\.cause), in: workspace, vault: vault, language: language, on: connection)
            )
        }
        guard let (account, all, words) = read else { throw Problem.notFound() }
        let unit = try? UnitCode(account.unit)
        let postings = all.prefix(rowsPerPage)
        let name = words.account(account.path)
        func amount(_ minor: Int64) -> String { unit.map { language.amount(minor, $0) } ?? String(minor) }
        let sign: Int64 = LedgerAccountKind.of(account.path)?.kind.isCredit == true ? -1 : 1
        let base = "/ledger/accounts/\(id)"
        let next = all.count > rowsPerPage ? postings.last.map { "\(base)?before=\($0.sequence).\($0.position)" } : nil
        return try visit.page(
            "ledger-account", title: name, current: "/ledger",
            [
                "heading": .text(name), "path": .text(account.path), "subjectURL": PageValue(words.accountURL(account.path)),
                "lead": language.sentence(
                    account.balanceMinor == 0 ? "ledgerAccount.lead.empty" : "ledgerAccount.lead.holds",
                    ["amount": unit.map { language.money(account.balanceMinor &* sign, $0) } ?? "–"]),
                "unit": .text(account.unit), "hasPostings": .flag(!postings.isEmpty),
                "postings": PageValue(
                    postings.map { posting -> PageObject in
                        [
                            "url": .text("/ledger/transactions/\(posting.sequence)"), "number": .text(language.integer(posting.sequence)),
                            "at": language.time(posting.recordedAt), "purpose": .text(words.purpose(posting.purpose)),
                            "cause": .object(words.cause(posting.cause)), "amount": .text(amount(posting.amountMinor &* sign)),
                            "after": .text(amount(posting.balanceAfterMinor &* sign)),
                        ]
                    }), "pager": LedgerPager.page(first: before == nil ? nil : base, next: next, language),
            ])
    }

    // MARK: Transactions

    private static func transactions(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let before = visit.query["before"].flatMap { Int64($0) } ?? .max
        let kind = try visit.query.word("kind", LedgerTransactionsModel.Kind.self)
        func day(_ name: String, plus days: Int64) -> Instant? {
            visit.query[name].flatMap { try? LocalDay(iso8601: $0) }.map { language.zone.start(of: $0.plus(days: days)) }
        }
        let filter = LedgerPageStore.TransactionFilter(
            causePrefix: kind?.prefix, cause: visit.query["cause"].flatMap { $0.isEmpty ? nil : String($0.prefix(100)) },
            since: day("since", plus: 0), until: day("until", plus: 1))
        let model = try await visit.installation.main.read { connection -> LedgerTransactionsModel in
            let sequences = try LedgerPageStore.sequences(in: workspace, filter, before: before, limit: rowsPerPage + 1, on: connection)
            let shown = try sequences.prefix(rowsPerPage).compactMap { try LedgerPageStore.transaction($0, in: workspace, on: connection) }
            return LedgerTransactionsModel(
                transactions: shown, hasMore: sequences.count > rowsPerPage, isFirstPage: before == .max, kind: kind,
                since: visit.query["since"] ?? "", until: visit.query["until"] ?? "", cause: filter.cause,
                words: try LedgerWords.load(
                    paths: shown.flatMap { $0.entries.map(\.account) }, causes: shown.map(\.cause), in: workspace, vault: vault, language: language,
                    on: connection), language: language)
        }
        return try visit.page("ledger-transactions", title: language("ledgerTransactions.title"), current: "/ledger", model.page)
    }

    private static func transaction(_ visit: PageVisit) async throws -> Response {
        guard let sequence = visit.context.parameters.get("id").flatMap({ Int64($0) }), sequence > 0 else { throw Problem.notFound() }
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let read = try await visit.installation.main.read { connection -> LedgerTransactionModel? in
            guard let transaction = try LedgerPageStore.transaction(sequence, in: workspace, on: connection) else { return nil }
            let paths = transaction.entries.map(\.account)
            return LedgerTransactionModel(
                transaction: transaction,
                corrects: try transaction.corrects.flatMap { try LedgerPageStore.sequence(of: $0.transaction, in: workspace, on: connection) },
                accounts: try LedgerPageStore.accountIDs(paths, in: workspace, on: connection),
                words: try LedgerWords.load(
                    paths: paths, causes: [transaction.cause], in: workspace, vault: vault, language: language, on: connection), language: language)
        }
        guard let model = read else { throw Problem.notFound() }
        return try visit.page("ledger-transaction", title: model.heading, current: "/ledger", isNarrow: true, model.page)
    }

    // MARK: Debtors

    private static func debtors(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let after = cursor(visit)
        let (rows, totals, words) = try await visit.installation.main.read { connection in
            let rows = try LedgerPageStore.debtors(in: workspace, after: after, limit: rowsPerPage + 1, on: connection)
            return (
                rows, try LedgerPageStore.totals(.debt, in: workspace, on: connection),
                try LedgerWords.load(
                    paths: rows.map(\.account.path), causes: rows.flatMap(\.causes), in: workspace, vault: vault, language: language, on: connection)
            )
        }
        let shown = rows.prefix(rowsPerPage)
        let amounts = totals.compactMap { total in (try? UnitCode(total.unit)).map { language.money(total.balanceMinor, $0) } }
        let next = rows.count > rowsPerPage ? shown.last.map { LedgerPager.url("/ledger/debtors", [], after: $0.account) } : nil
        return try visit.page(
            "ledger-debtors", title: language("debtors.title"), current: "/ledger",
            [
                "lead": amounts.isEmpty
                    ? language.sentence("debtors.lead.none")
                    : language.sentence("debtors.lead.some", count: totals.reduce(0) { $0 + $1.count }, ["amount": amounts.listed(language)]),
                "hasRows": .flag(!shown.isEmpty),
                "rows": PageValue(
                    shown.map { row -> PageObject in
                        let member = LedgerAccountKind.of(row.account.path).flatMap { MemberID($0.subject) }
                        let name = member.map { words.names.member($0, language) } ?? row.account.path
                        return [
                            "name": .text(name), "initials": .text(Initials.of(name)), "url": PageValue(member.map { "/members/\($0.text)" }),
                            "since": language.time(row.since), "causes": PageValue(row.causes.map { words.cause($0) }),
                            "amount": .text((try? UnitCode(row.account.unit)).map { language.money(row.account.balanceMinor, $0) } ?? "–"),
                            "accountURL": .text("/ledger/accounts/\(row.account.id)"),
                        ]
                    }), "pager": LedgerPager.page(first: after == nil ? nil : "/ledger/debtors", next: next, language),
            ])
    }

    // MARK: The chain

    /// Reckons the whole journal anew and keeps what was found.
    private static func check(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let now = visit.installation.world.now()
        let check = try await visit.installation.main.read { connection -> LedgerPageStore.Check? in
            guard let head = try LedgerPageStore.head(workspace, on: connection), head.sequence <= checkedMax else { return nil }
            let findings = try Journal.verify(workspace: workspace.text, on: connection)
            return LedgerPageStore.Check(at: now, sequence: head.sequence, findings: Int64(findings.count))
        }
        guard let check else { return visit.seeOther("/ledger") }
        try await visit.installation.write(workspace, actor: visit.session.actor) { write in
            try LedgerPageStore.keep(check, of: workspace, on: write.connection)
        }
        return visit.seeOther("/ledger")
    }

    private static func cursor(_ visit: PageVisit) -> (path: String, unit: String)? {
        guard let path = visit.query["after"], let unit = visit.query["afterUnit"] else { return nil }
        return (path, unit)
    }
}

/// The journal as files, written while it is read, page by page.
enum LedgerFiles {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/ledger/export", .ledgerRead, gate) { visit in
            guard let format = visit.query["format"].flatMap({ Format(rawValue: $0) }) else { throw Problem.notFound() }
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try write.audit("ledger.export", subject: write.workspace.id.text, JSONText(["format": .text(format.rawValue)]))
            }
            let database = visit.installation.main
            let workspace = visit.workspaceID.text
            return Response(
                status: .ok,
                headers: [
                    .contentType: format.contentType, .contentDisposition: "attachment; filename=\"ledger.\(format.ending)\"",
                    .cacheControl: "no-store",
                ],
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: format.head(workspace)))
                    var last: Int64 = 0
                    while true {
                        let after = last
                        let page = try await database.read { connection in
                            try Journal.transactions(workspace: workspace, after: after, limit: Journal.pageLimit, on: connection)
                        }
                        guard let end = page.last else { break }
                        last = end.sequence
                        try await writer.write(ByteBuffer(string: page.map { format.text($0) }.joined()))
                    }
                    try await writer.finish(nil)
                })
        }
    }

    enum Format: String {
        case csv, hledger, jsonl

        var contentType: String { self == .csv ? "text/csv; charset=utf-8" : self == .jsonl ? "application/jsonl" : "text/plain; charset=utf-8" }
        var ending: String { self == .hledger ? "journal" : rawValue }

        func head(_ workspace: String) -> String {
            switch self {
            case .csv:
                CSVCell.text([
                    ["sequence", "id", "recorded_at", "effective_at", "cause", "purpose", "account", "unit", "amount", "hash"].map { .text($0) }
                ])
            case .hledger: JournalExport.hledgerHead(workspace: workspace)
            case .jsonl: ""
            }
        }

        func text(_ transaction: RecordedTransaction) -> String {
            switch self {
            case .hledger: return JournalExport.hledgerText(transaction)
            case .jsonl: return JournalExport.jsonLine(transaction) + "\n"
            case .csv:
                let common: [CSVCell] = [
                    .number(String(transaction.sequence)), .text(transaction.id), .text(transaction.recordedAt.rfc3339),
                    .text(transaction.effectiveAt.rfc3339), .text(transaction.cause), .text(transaction.purpose),
                ]
                return CSVCell.text(
                    transaction.entries.map { entry in
                        let exponent = (try? UnitCode(entry.unit))?.exponent ?? 0
                        return common + [
                            .text(entry.account), .text(entry.unit), .number(entry.amount.decimalText(exponent: exponent)),
                            .text(Hexadecimal.text(transaction.hash)),
                        ]
                    })
            }
        }
    }
}
