import Chronology
import Foundation
import Money
import Persistence
import Web

/// The file of an approved payout, as banks and people read it.
enum PayoutFile {
    enum Format: String, Sendable, CaseIterable {
        case csv, pain001, nacha, wise

        var contentType: String {
            switch self {
            case .csv, .wise: "text/csv; charset=utf-8"
            case .pain001: "application/xml"
            case .nacha: "text/plain; charset=us-ascii"
            }
        }
        var ending: String {
            switch self {
            case .csv: "csv"
            case .wise: "wise.csv"
            case .pain001: "xml"
            case .nacha: "ach"
            }
        }
    }

    /// One payment, with what was sealed.
    struct Payment {
        var item: Payout.Item
        /// No other payment of any batch has it: what the bank's statement is matched by.
        var reference: String
        var name: String
        var account: PayoutAccountDetails
        /// The same in 14 characters, where a format has no more.
        var shortReference: String { reference.replacing("-", with: "").suffix(14).description }
    }

    static func make(
        _ id: PayoutID, _ format: Format, in workspace: WorkspaceID, at now: Instant, vault: Vault, seal: RailSeal, on connection: any Connection
    ) throws -> String {
        guard let payout = try PayoutStore.find(id, in: workspace, on: connection),
            let program = try ProgramStore.find(payout.programID, in: workspace, at: now, on: connection)
        else { throw Refusal.unknown("payout") }
        guard ![.draft, .canceled].contains(payout.state) else {
            throw Problem.conflict(code: "not_approved", detail: "A file is made only of an approved payout. Ask a second person to approve it.")
        }
        guard try RailCallStore.rail(of: id, on: connection) == nil else {
            throw Problem.conflict(code: "payout_sent", detail: "This payout was sent by a provider: a file of it would pay twice.")
        }
        guard !payout.items.contains(where: { [.paid, .failed, .returned, .unknown].contains($0.state) }) else {
            throw Problem.conflict(
                code: "outcomes_recorded",
                detail: "What became of its payments is being recorded already: this payout was handed over, and a second file would pay twice.")
        }
        let isTest = try WorkspaceStore.find(workspace, on: connection)?.isTest ?? false
        // Who was left out is in no file.
        let items = payout.items.filter { $0.state != .canceled }
        let members = try MemberStore.find(items.map(\.memberID), on: connection)
        let fields = try PersonStore.fields(
            of: members.values.map(\.personID), [.name, .email, .payoutAccount], vault: vault, on: connection)
        let payments = try items.map { item -> Payment in
            guard let member = members[item.memberID], let known = fields[member.personID],
                let account = known[.payoutAccount].flatMap(PayoutAccountDetails.init(sealed:))
            else {
                throw Problem.conflict(
                    code: "no_account",
                    detail: "The member \(item.memberID) has no payout account any more. \(payout.wayOut)")
            }
            guard let current = try PayoutStore.account(of: item.memberID, on: connection), payout.isSame(current, item) else {
                throw Problem.conflict(
                    code: "account_changed",
                    detail: "The member \(item.memberID) has another payout account than the one that was approved. \(payout.wayOut)")
            }
            guard payout.state != .approved || member.mayBePaid else {
                throw Problem.conflict(
                    code: "member_not_active", detail: "The member \(item.memberID) was suspended or has left since. \(payout.wayOut)")
            }
            return Payment(
                item: item, reference: payout.reference(of: item), name: account.holder ?? known[.name] ?? known[.email] ?? member.id.text,
                account: account)
        }
        return switch format {
        case .csv: csv(payout, payments, isTest: isTest)
        case .pain001: try CreditTransferFile.xml(payout, payments, program: program, isTest: isTest)
        case .nacha:
            try NACHAFile(
                company: try company(in: workspace, seal: seal, on: connection), payout: payout, payments: payments,
                ordinal: try PayoutStore.approvedBefore(payout, in: workspace, on: connection), isTest: isTest, now: now
            ).text()
        case .wise:
            try WiseFile.csv(payout, payments, sourceCurrency: try sourceCurrency(in: workspace, seal: seal, on: connection), isTest: isTest)
        }
    }

    private static func company(in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> NACHACompany {
        guard case .nacha(let company)? = try RailStore.find(.nacha, in: workspace, seal: seal, on: connection)?.settings else {
            throw Problem.conflict(code: "no_company", detail: "The bank must know who pays: fill in your bank's numbers under /rails, then take the file again.")
        }
        return company
    }

    private static func sourceCurrency(in workspace: WorkspaceID, seal: RailSeal, on connection: any Connection) throws -> String? {
        guard case .wise(let currency)? = try RailStore.find(.wise, in: workspace, seal: seal, on: connection)?.settings else { return nil }
        return currency
    }

    private static func csv(_ payout: Payout, _ payments: [Payment], isTest: Bool) -> String {
        let head = ["payout_id", "member_id", "name", "kind", "account", "routing", "amount", "currency", "reference"].map { CSVCell.text($0) }
        return CSVCell.text(
            [head]
                + payments.map { payment in
                    [
                        .text(isTest ? "TEST \(payout.id.text)" : payout.id.text), .text(payment.item.memberID.text), .text(payment.name), .text(payment.account.kind.rawValue),
                        .text(payment.account.number), .text(payment.account.routing ?? ""),
                        .number(Amount(minor: payment.item.amountMinor).decimalText(exponent: payout.unit.exponent)), .text(payout.unit.code),
                        .text(payment.reference),
                    ]
                })
    }
}

extension Payout {
    /// The batch and the payment's number in it: 33 characters of the 35 that banks carry through.
    fileprivate func reference(of item: Item) -> String {
        let number = String((items.firstIndex { $0.memberID == item.memberID } ?? 0) + 1)
        return id.text.dropFirst(4).uppercased() + "-" + String(repeating: "0", count: max(0, 6 - number.count)) + number
    }

    /// What helps when one payment keeps a file from being made.
    fileprivate var wayOut: String {
        state == .approved ? "Leave their payment out: it is available again, for a later payout." : "The payout was handed over already; its file can't be made again."
    }
}

/// A credit transfer in the form SEPA's banks take: ISO 20022 pain.001.001.09.
enum CreditTransferFile {
    static func xml(_ payout: Payout, _ payments: [PayoutFile.Payment], program: Program, isTest: Bool) throws -> String {
        guard payout.unit.code == "EUR" else {
            throw Problem.conflict(code: "not_euro", detail: "A SEPA file is for euro; this payout is in \(payout.unit.code). Take the CSV file.")
        }
        guard let debtor = program.settings.debtor, let debtorIBAN = IBAN(debtor.iban) else {
            throw Problem.conflict(code: "no_debtor", detail: "Set the program's debtor (name and IBAN) first: banks must know who pays.")
        }
        if let other = payments.first(where: { $0.account.kind != .iban }) {
            throw Problem.conflict(
                code: "not_iban", detail: "The member \(other.item.memberID) is not paid by IBAN. Take the CSV file, or leave them out and make a payout of their own (kinds).")
        }
        if let other = payments.first(where: { !SEPA.holds($0.account.number) }) {
            throw Problem.conflict(
                code: "not_sepa",
                detail: "The account of the member \(other.item.memberID) is in no country of SEPA. Leave their payment out, and pay them by the CSV file.")
        }
        if let large = payments.first(where: { $0.item.amountMinor > SEPA.amountMinorMax }) {
            throw Problem.conflict(
                code: "above_sepa", detail: "The member \(large.item.memberID) is paid more than SEPA takes in one payment, 999,999,999.99. Take the CSV file.")
        }
        let total = Amount(minor: payments.reduce(0) { $0 + $1.item.amountMinor }).decimalText(exponent: 2)
        let day = program.zone.day(of: payout.approvedAt ?? payout.createdAt).iso8601
        let message = (isTest ? "TEST" : "") + payout.id.text.dropFirst(4).uppercased()
        let payer = text(isTest ? "TEST \(debtor.name)" : debtor.name)
        var xml = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>\
            <GrpHdr><MsgId>\(message)</MsgId><CreDtTm>\((payout.approvedAt ?? payout.createdAt).rfc3339)</CreDtTm>\
            <NbOfTxs>\(payments.count)</NbOfTxs><CtrlSum>\(total)</CtrlSum><InitgPty><Nm>\(payer)</Nm></InitgPty></GrpHdr>\
            <PmtInf><PmtInfId>\(message)</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg><NbOfTxs>\(payments.count)</NbOfTxs>\
            <CtrlSum>\(total)</CtrlSum><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>\(day)</Dt></ReqdExctnDt>\
            <Dbtr><Nm>\(payer)</Nm></Dbtr><DbtrAcct><Id><IBAN>\(debtorIBAN.text)</IBAN></Id></DbtrAcct>\
            <DbtrAgt><FinInstnId>\(agent(debtor.bic))</FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
            """
        for payment in payments {
            let amount = Amount(minor: payment.item.amountMinor).decimalText(exponent: 2)
            let bank = payment.account.routing.map { "<CdtrAgt><FinInstnId>\(agent($0))</FinInstnId></CdtrAgt>" } ?? ""
            xml += """
                <CdtTrfTxInf><PmtId><EndToEndId>\(payment.reference)</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">\(amount)</InstdAmt></Amt>\(bank)\
                <Cdtr><Nm>\(text(payment.name))</Nm></Cdtr><CdtrAcct><Id><IBAN>\(payment.account.number)</IBAN></Id></CdtrAcct>\
                <RmtInf><Ustrd>\(text(program.name)) \(message)</Ustrd></RmtInf></CdtTrfTxInf>
                """
        }
        return xml + "</PmtInf></CstmrCdtTrfInitn></Document>\n"
    }

    private static func agent(_ bic: String?) -> String {
        guard let bic = bic.flatMap({ BIC($0) }) else { return "<Othr><Id>NOTPROVIDED</Id></Othr>" }
        return "<BICFI>\(bic.text)</BICFI>"
    }

    /// At most 70 characters of the set that every SEPA bank accepts (EPC217-08): others become their Latin likeness or a full stop. No
    /// slash begins, ends or follows another, and nothing is empty.
    static func text(_ name: String) -> String {
        let latin = name.applyingTransform(StringTransform("Any-Latin; Latin-ASCII"), reverse: false) ?? name
        let plain = latin.applyingTransform(.stripDiacritics, reverse: false) ?? latin
        var allowed: [UInt8] = []
        for scalar in plain.unicodeScalars {
            switch scalar {
            case "&": allowed += Array("+".utf8)
            case _ where accepted.contains(scalar): allowed.append(UInt8(truncatingIfNeeded: scalar.value))
            case _ where scalar.properties.isWhitespace: allowed.append(0x20)
            case _ where scalar.properties.generalCategory == .nonspacingMark: continue
            default: allowed.append(UInt8(ascii: "."))
            }
            if allowed.suffix(2) == [UInt8(ascii: "/"), UInt8(ascii: "/")] { allowed.removeLast() }
        }
        let blank: Set<UInt8> = [0x20, UInt8(ascii: "/")]
        var cut = Array(allowed.drop { blank.contains($0) }.prefix(70))
        while let last = cut.last, blank.contains(last) { cut.removeLast() }
        return cut.isEmpty ? "." : String(decoding: cut, as: UTF8.self)
    }

    private static let accepted = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")
}
