@testable import App

/// Files as banks write them. Elements, their order and their nesting are those of the ISO 20022 schemas: camt.053.001.08 was checked against the
/// published XSD with xmllint; camt.053.001.02 and pain.002.001.03/.10 follow the message definition reports and are assumed where versions differ.
enum BankSamples {
    struct Tx {
        var endToEnd: String?
        var amount: String? = "3.00"
        var isReturn = false
        var reason = "AC04"
        var name = "Anna Moor"
        var iban = "DE89370400440532013000"
    }

    struct Entry {
        var reference = "NTRY-1"
        var amount = "3.00"
        var currency = "EUR"
        var isDebit = true
        var status = "BOOK"
        var message: String?
        var payments: [Tx] = []
        var words: String?
    }

    static func camt(_ entries: [Entry], version: String = "08", opening: String = "100.00", closing: String? = nil, id: String = "STMT-1") -> String {
        func wrapped(_ name: String) -> String { version == "02" ? "<Nm>\(name)</Nm>" : "<Pty><Nm>\(name)</Nm></Pty>" }
        let list = entries.map { entry in
            let status = version == "02" ? "<Sts>\(entry.status)</Sts>" : "<Sts><Cd>\(entry.status)</Cd></Sts>"
            let batch = entry.message.map { "<Btch><MsgId>\($0)</MsgId><NbOfTxs>2</NbOfTxs></Btch>" } ?? ""
            let payments = entry.payments.map { payment -> String in
                let direction = entry.isDebit ? "DBIT" : "CRDT"
                let id = payment.endToEnd.map { "<Refs><EndToEndId>\($0)</EndToEndId></Refs>" } ?? "<Refs><InstrId>X</InstrId></Refs>"
                let amount = payment.amount.map {
                    version == "02"
                        ? "<AmtDtls><TxAmt><Amt Ccy=\"\(entry.currency)\">\($0)</Amt></TxAmt></AmtDtls>"
                        : "<Amt Ccy=\"\(entry.currency)\">\($0)</Amt><CdtDbtInd>\(direction)</CdtDbtInd>"
                } ?? ""
                let back = payment.isReturn ? "<RtrInf><Rsn><Cd>\(payment.reason)</Cd></Rsn></RtrInf>" : ""
                return """
                    <TxDtls>\(id)\(amount)<RltdPties><Cdtr>\(wrapped(payment.name))</Cdtr><CdtrAcct><Id><IBAN>\(payment.iban)</IBAN></Id></CdtrAcct></RltdPties>\
                    <RmtInf><Ustrd>Thank you</Ustrd></RmtInf>\(back)</TxDtls>
                    """
            }.joined()
            let details = batch.isEmpty && payments.isEmpty ? "" : "<NtryDtls>\(batch)\(payments)</NtryDtls>"
            let code = entry.payments.contains(where: \.isReturn) ? "RRTN" : "ESCT"
            return """
                <Ntry><NtryRef>\(entry.reference)</NtryRef><Amt Ccy="\(entry.currency)">\(entry.amount)</Amt><CdtDbtInd>\(entry.isDebit ? "DBIT" : "CRDT")</CdtDbtInd>\
                \(status)<BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-20</Dt></ValDt>\
                <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>\(code)</SubFmlyCd></Fmly></Domn></BkTxCd>\
                \(details)\(entry.words.map { "<AddtlNtryInf>\($0)</AddtlNtryInf>" } ?? "")</Ntry>
                """
        }.joined(separator: "\n")
        func balance(_ kind: String, _ amount: String) -> String {
            """
            <Bal><Tp><CdOrPrtry><Cd>\(kind)</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">\(amount.replacing("-", with: ""))</Amt>\
            <CdtDbtInd>\(amount.hasPrefix("-") ? "DBIT" : "CRDT")</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
            """
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.\(version)"><BkToCstmrStmt><GrpHdr><MsgId>M-\(id)</MsgId>\
            <CreDtTm>2026-11-20T20:00:00</CreDtTm></GrpHdr><Stmt><Id>\(id)</Id><CreDtTm>2026-11-20T20:00:00</CreDtTm>\
            <Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>\(balance("OPBD", opening))\(closing.map { balance("CLBD", $0) } ?? "")
            \(list)
            </Stmt></BkToCstmrStmt></Document>
            """
    }

    struct Status {
        var endToEnd: String
        var status: String
        var reason: String?
        var amount: String?
    }

    static func pain(message: String, group: String? = nil, reason: String? = nil, payments: [Status] = [], version: String = "10") -> String {
        func because(_ reason: String?) -> String { reason.map { "<StsRsnInf><Rsn><Cd>\($0)</Cd></Rsn></StsRsnInf>" } ?? "" }
        let list = payments.enumerated().map { number, payment in
            """
            <TxInfAndSts><StsId>S-\(number)</StsId><OrgnlEndToEndId>\(payment.endToEnd)</OrgnlEndToEndId><TxSts>\(payment.status)</TxSts>\(because(payment.reason))\
            \(payment.amount.map { "<OrgnlTxRef><Amt><InstdAmt Ccy=\"EUR\">\($0)</InstdAmt></Amt></OrgnlTxRef>" } ?? "")</TxInfAndSts>
            """
        }.joined()
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.\(version)"><CstmrPmtStsRpt><GrpHdr><MsgId>BANK-1</MsgId>\
            <CreDtTm>2026-11-19T20:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>\(message)</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>\
            \(group.map { "<GrpSts>\($0)</GrpSts>" } ?? "")\(because(reason))</OrgnlGrpInfAndSts>\
            \(list.isEmpty ? "" : "<OrgnlPmtInfAndSts><OrgnlPmtInfId>\(message)</OrgnlPmtInfId>\(list)</OrgnlPmtInfAndSts>")</CstmrPmtStsRpt></Document>
            """
    }
}
