import Money

/// What a bank says about a file that it was given: ISO 20022 pain.002 (CustomerPaymentStatusReport), of the group, of the batches in it, and of
/// payments.
enum PaymentStatusReport {
    private static let group = "CstmrPmtStsRpt/OrgnlGrpInfAndSts"
    private static let batch = "CstmrPmtStsRpt/OrgnlPmtInfAndSts"
    private static let payment = batch + "/TxInfAndSts"

    static func read(_ reader: XMLReader) throws -> BankFile {
        var file = BankFile(format: .pain002, hash: "")
        var paths = XMLPaths(reader)
        var message: String?
        var batchReference: String?
        var said = Status()
        var ofBatch = Status()
        var isReport = false
        while let step = try paths.next() {
            switch step {
            case .opened("CstmrPmtStsRpt"):
                guard paths.message?.hasPrefix("pain.002.001.") ?? true else { break }
                isReport = true
            case .opened(group): said = Status(line: paths.line)
            case .opened(batch):
                ofBatch = Status(line: paths.line)
                batchReference = nil
            case .opened(payment): said = Status(line: paths.line)
            case .closed(let path, let text, let attributes):
                guard isReport else { continue }
                if path == group + "/OrgnlMsgId" { message = text }
                if path == batch + "/OrgnlPmtInfId" { batchReference = text }
                if path == group {
                    try add(said, to: &file) { entry in entry.batchReference = message }
                } else if path == payment {
                    try add(said, to: &file) { entry in
                        entry.isBatch = false
                        entry.batchReference = batchReference ?? message
                    }
                } else if path == batch {
                    try add(ofBatch, to: &file) { entry in entry.batchReference = batchReference ?? message }
                } else if path.hasPrefix(payment + "/") {
                    said.take(path.dropFirst(payment.count + 1), text, attributes)
                } else if path.hasPrefix(batch + "/") {
                    ofBatch.take(path.dropFirst(batch.count + 1), text, attributes)
                } else if path.hasPrefix(group + "/") {
                    said.take(path.dropFirst(group.count + 1), text, attributes)
                }
            default: break
            }
        }
        guard isReport else { throw XMLReader.Malformed(line: 1, reason: "This is no pain.002 file (CustomerPaymentStatusReport).") }
        return file
    }

    private static func add(_ status: Status, to file: inout BankFile, _ more: (inout BankEntry) -> Void) throws {
        guard let code = status.code else { return }
        var entry = BankEntry(line: status.line, meaning: meaning(code), isBatch: true, bankReference: status.bankReference, endToEndID: status.endToEndID, status: code)
        entry.reasonCodes = status.reasons
        entry.counterparty = BankEntry.Counterparty(name: status.name, account: status.account, text: status.words)
        if let amount = status.amount {
            do throws(BankFile.Mistake) {
                entry.amountMinor = try BankFile.amount(amount, status.currency, line: status.line)
                entry.currency = status.currency
            } catch {
                return file.add(error)
            }
        }
        more(&entry)
        try file.add(entry, account: nil)
    }

    /// Only what is final settles anything: ACSC says the payer's account was charged, ACCC that the money is there. ACTC, ACCP, ACSP, ACWC, PDNG,
    /// RCVD, PART and whatever else there is say that it is on its way.
    static func meaning(_ code: String) -> BankEntry.Meaning {
        switch code {
        case "ACSC", "ACCC": .settled
        case "RJCT", "CANC": .rejected
        default: .accepted
        }
    }

    private struct Status {
        var line = 0
        var code: String?
        var bankReference: String?
        var endToEndID: String?
        var reasons: [String] = []
        var words: String?
        var amount: String?
        var currency: String?
        var name: String?
        var account: String?

        mutating func take(_ field: Substring, _ text: String, _ attributes: [String: String]) {
            switch field {
            case "GrpSts", "PmtInfSts", "TxSts": code = String(text.prefix(35))
            case "StsId", "AcctSvcrRef": if bankReference == nil || field == "AcctSvcrRef" { bankReference = String(text.prefix(100)) }
            case "OrgnlEndToEndId": endToEndID = String(text.prefix(100))
            case "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry": if reasons.count < 10 { reasons.append(String(text.prefix(35))) }
            case "StsRsnInf/AddtlInf": words = String(((words.map { $0 + " " } ?? "") + text).prefix(500))
            case "OrgnlTxRef/Amt/InstdAmt": (amount, currency) = (text, attributes["Ccy"])
            case "OrgnlTxRef/Cdtr/Nm", "OrgnlTxRef/Cdtr/Pty/Nm": name = String(text.prefix(140))
            case "OrgnlTxRef/CdtrAcct/Id/IBAN", "OrgnlTxRef/CdtrAcct/Id/Othr/Id": account = String(text.prefix(40))
            default: break
            }
        }
    }
}
