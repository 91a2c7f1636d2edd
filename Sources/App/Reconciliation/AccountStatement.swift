import Chronology
import Money

/// The entries of an account as its bank lists them: ISO 20022 camt.053 (BankToCustomerStatement). Only what is booked counts.
struct AccountStatement {
    private static let statement = "BkToCstmrStmt/Stmt"
    private static let entry = statement + "/Ntry"
    private static let details = entry + "/NtryDtls"
    private static let payment = details + "/TxDtls"
    /// Payments inside of one entry.
    private static let paymentsMax = BankFile.entriesMax

    private var file = BankFile(format: .camt053, hash: "")
    private var statementCount = 0
    private var account: String?
    private var balances: [String: (minor: Int64, currency: String)] = [:]
    private var balance = Stated()
    private var balanceKind = ""
    private var bookedMinor: Int64 = 0
    private var currencies: Set<String> = []
    private var isOverflown = false
    private var booked = Entry()
    private var part = Entry()

    static func read(_ reader: XMLReader) throws -> BankFile {
        var statement = AccountStatement()
        var paths = XMLPaths(reader)
        var isStatement = false
        while let step = try paths.next() {
            switch step {
            case .opened("BkToCstmrStmt"): isStatement = paths.message?.hasPrefix("camt.053.001.") ?? true
            case .opened(let path): statement.open(path, line: paths.line)
            case .closed(let path, let text, let attributes):
                if isStatement { try statement.close(path, text, attributes, line: paths.line) }
            }
        }
        guard isStatement else { throw XMLReader.Malformed(line: 1, reason: "This is no camt.053 file (BankToCustomerStatement).") }
        return statement.file
    }

    private mutating func open(_ path: String, line: Int) {
        switch path {
        case Self.statement:
            (account, balances, bookedMinor, currencies, isOverflown) = (nil, [:], 0, [], false)
            statementCount += 1
        case Self.statement + "/Bal": (balance, balanceKind) = (Stated(), "")
        case Self.entry: booked = Entry(line: line)
        case Self.payment: part = Entry(line: line)
        default: break
        }
    }

    private mutating func close(_ path: String, _ text: String, _ attributes: [String: String], line: Int) throws {
        if path.hasPrefix(Self.payment + "/") {
            part.take(path.dropFirst(Self.payment.count + 1), text, attributes)
        } else if path.hasPrefix(Self.entry + "/") {
            switch path {
            case Self.payment:
                guard booked.parts.count < Self.paymentsMax else {
                    throw XMLReader.Malformed(line: line, reason: "An entry has more than \(Self.paymentsMax) payments.")
                }
                booked.parts.append(part)
            case Self.details + "/Btch/MsgId": booked.message = booked.message ?? String(text.prefix(100))
            case Self.details + "/Btch/PmtInfId": booked.batch = booked.batch ?? String(text.prefix(100))
            default: booked.take(path.dropFirst(Self.entry.count + 1), text, attributes)
            }
        } else {
            switch path {
            case Self.entry: try end(line: line)
            case Self.statement: try endStatement(line: line)
            case Self.statement + "/Acct/Id/IBAN", Self.statement + "/Acct/Id/Othr/Id": account = String(text.prefix(40))
            case Self.statement + "/Bal/Tp/CdOrPrtry/Cd": balanceKind = text
            case Self.statement + "/Bal/Amt": (balance.text, balance.currency) = (text, attributes["Ccy"])
            case Self.statement + "/Bal/CdtDbtInd": balance.isDebit = text == "DBIT"
            case Self.statement + "/Bal": try endBalance(line: line)
            default: break
            }
        }
    }

    // MARK: Entries

    private mutating func end(line: Int) throws {
        guard booked.status == nil || booked.status == "BOOK" else {
            file.pendingCount += 1
            return
        }
        do throws(BankFile.Mistake) {
            guard let amount = booked.amount.text else { throw BankFile.Mistake(line: booked.line, message: "An entry has no amount.") }
            guard let isDebit = booked.amount.isDebit else {
                throw BankFile.Mistake(line: booked.line, message: "An entry does not say whether money came or went (CdtDbtInd).")
            }
            if let day = booked.dayThatIsNone { throw BankFile.Mistake(line: booked.line, message: "The day \(day) is none of the calendar.") }
            let minor = try BankFile.amount(amount, booked.amount.currency, line: booked.line)
            let (sum, isTooLarge) = bookedMinor.addingReportingOverflow(isDebit ? -minor : minor)
            (bookedMinor, isOverflown) = (sum, isOverflown || isTooLarge)
            currencies.insert(booked.amount.currency ?? "")
            let entries = try Self.entries(booked, minor, isDebit: isDebit)
            do {
                for entry in entries { try file.add(entry, account: account) }
            } catch {
                throw BankFile.Mistake(line: booked.line, message: "\(error)")
            }
        } catch {
            file.add(error)
        }
    }

    /// One for each payment that an entry names, or one for all of it.
    private static func entries(_ booked: Entry, _ minor: Int64, isDebit: Bool) throws(BankFile.Mistake) -> [BankEntry] {
        let named = booked.parts.filter { $0.endToEndID != nil }
        let isWhole = named.isEmpty || (named.count > 1 && named.allSatisfy { $0.amount.text == nil })
        if isWhole {
            let only = booked.parts.count == 1 ? booked.parts.first : nil
            var entry = made(booked, only ?? Entry(), minor, isDebit: isDebit)
            entry.batchReference = booked.message ?? booked.batch ?? only?.message ?? only?.batch ?? booked.parts.first?.message ?? booked.parts.first?.batch
            entry.isBatch = only?.endToEndID == nil
            return [entry]
        }
        var entries: [BankEntry] = []
        var sum: Int64 = 0
        var isSummed = true
        for part in booked.parts {
            var own: Int64?
            if let text = part.amount.text { own = try BankFile.amount(text, part.amount.currency, line: part.line) }
            if own == nil, booked.parts.count == 1 { own = minor }
            if let own, part.amount.currency == nil || part.amount.currency == booked.amount.currency {
                let (more, isTooLarge) = sum.addingReportingOverflow(own)
                (sum, isSummed) = (more, isSummed && !isTooLarge)
            } else {
                isSummed = false
            }
            var entry = made(booked, part, own, isDebit: part.amount.isDebit ?? isDebit)
            entry.currency = part.amount.currency ?? booked.amount.currency
            entries.append(entry)
        }
        guard !isSummed || sum == minor || booked.parts.contains(where: { $0.amount.isDebit != nil && $0.amount.isDebit != isDebit }) else {
            throw BankFile.Mistake(line: booked.line, message: "The payments of an entry do not sum to its amount.")
        }
        return entries
    }

    private static func made(_ booked: Entry, _ part: Entry, _ minor: Int64?, isDebit: Bool) -> BankEntry {
        var entry = BankEntry(line: part.line > 0 ? part.line : booked.line, meaning: meaning(booked, part, isDebit: isDebit))
        entry.bankReference = part.bankReference ?? booked.bankReference ?? booked.entryReference
        entry.endToEndID = part.endToEndID ?? part.instructionID
        entry.batchReference = part.message ?? part.batch ?? booked.message ?? booked.batch
        (entry.amountMinor, entry.currency, entry.bookedOn, entry.status) = (minor, booked.amount.currency, booked.day, "BOOK")
        entry.reasonCodes = part.reasons
        entry.counterparty = BankEntry.Counterparty(
            name: part.name, account: part.account, text: [part.words, booked.words].compactMap { $0 }.first)
        return entry
    }

    /// A credit that is the return of a payment says so by its reason, as a reversal, or by its code (RRTN, of the family of issued credit
    /// transfers); one that names a payment of ours can be nothing else, which is seen when it is matched.
    private static func meaning(_ booked: Entry, _ part: Entry, isDebit: Bool) -> BankEntry.Meaning {
        let isReversal = booked.isReversal
        if isDebit { return isReversal ? .other : .booked }
        let codes = [part.subfamily, booked.subfamily]
        return !part.reasons.isEmpty || isReversal || codes.contains("RRTN") ? .returned : .other
    }

    // MARK: Balances

    private mutating func endBalance(line: Int) throws {
        guard let text = balance.text else { return }
        do throws(BankFile.Mistake) {
            let minor = try BankFile.amount(text, balance.currency, line: line)
            let signed = balance.isDebit == true ? -minor : minor
            if balances[balanceKind] == nil || balanceKind == "CLBD" { balances[balanceKind] = (signed, balance.currency ?? "") }
        } catch {
            file.add(error)
        }
    }

    private mutating func endStatement(line: Int) throws {
        file.accountEnding = account.map { String($0.suffix(4)) }
        guard let opening = balances["OPBD"] ?? balances["PRCD"], let closing = balances["CLBD"], opening.currency == closing.currency,
            currencies.isSubset(of: [opening.currency])
        else { return }
        let (sum, isTooLarge) = opening.minor.addingReportingOverflow(bookedMinor)
        guard !isOverflown, !isTooLarge, sum == closing.minor || file.mistakeCount > 0 else {
            let exponent = Currency(code: opening.currency)?.exponent ?? 0
            let told = [opening.minor, bookedMinor, closing.minor].map { Amount(minor: $0).decimalText(exponent: exponent) }
            return file.add(
                BankFile.Mistake(
                    line: line,
                    message: "The statement does not add up: \(told[0]) and entries of \(told[1]) do not make \(told[2]) \(opening.currency). Is a part of it missing?"))
        }
        file.balance = statementCount == 1 ? BankFile.Balance(currency: opening.currency, openingMinor: opening.minor, closingMinor: closing.minor) : nil
    }

    private struct Stated {
        var text: String?
        var currency: String?
        var isDebit: Bool?
    }

    /// What stands in an entry, or in one payment of it.
    private struct Entry {
        var line = 0
        var amount = Stated()
        var status: String?
        var isReversal = false
        var day: LocalDay?
        var dayThatIsNone: String?
        var entryReference: String?
        var bankReference: String?
        var endToEndID: String?
        var instructionID: String?
        var message: String?
        var batch: String?
        var subfamily: String?
        var reasons: [String] = []
        var name: String?
        var account: String?
        var words: String?
        var parts: [Entry] = []

        mutating func take(_ field: Substring, _ text: String, _ attributes: [String: String]) {
            let short = String(text.prefix(100))
            switch field {
            case "Amt": (amount.text, amount.currency) = (text, attributes["Ccy"])
            // Older versions have a payment's own amount here; what was instructed may be in another currency.
            case "AmtDtls/TxAmt/Amt": if amount.text == nil { (amount.text, amount.currency) = (text, attributes["Ccy"]) }
            case "CdtDbtInd": amount.isDebit = text == "DBIT" ? true : text == "CRDT" ? false : nil
            case "RvslInd": isReversal = text == "true" || text == "1"
            case "Sts", "Sts/Cd": if !text.isEmpty { status = short }
            case "BookgDt/Dt", "BookgDt/DtTm":
                day = BankFile.day(text)
                dayThatIsNone = day == nil ? short : nil
            case "NtryRef": entryReference = short
            case "AcctSvcrRef", "Refs/AcctSvcrRef": bankReference = short
            // What a bank writes where there is none (EPC).
            case "Refs/EndToEndId": endToEndID = text.isEmpty || text == "NOTPROVIDED" ? nil : short
            case "Refs/InstrId": instructionID = short
            case "Refs/MsgId": message = short
            case "Refs/PmtInfId": batch = short
            case "BkTxCd/Domn/Fmly/SubFmlyCd": subfamily = short
            case "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry": if reasons.count < 10 { reasons.append(String(text.prefix(35))) }
            case "RltdPties/Cdtr/Nm", "RltdPties/Cdtr/Pty/Nm": name = String(text.prefix(140))
            case "RltdPties/CdtrAcct/Id/IBAN", "RltdPties/CdtrAcct/Id/Othr/Id": account = String(text.prefix(40))
            case "RmtInf/Ustrd", "AddtlNtryInf", "AddtlTxInf": words = String(((words.map { $0 + " " } ?? "") + text).prefix(500))
            default: break
            }
        }
    }
}
