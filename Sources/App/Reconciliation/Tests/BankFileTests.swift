import Chronology
import Foundation
import Testing

@testable import App

/// What stands in banks' files, and what is refused of it.
@Suite struct BankFileTests {
    private static func read(_ text: String, _ format: BankFile.Format = .camt053, _ columns: EntryTable.Columns? = nil) throws -> BankFile {
        try BankFile.read(.text(text), format, mapping: columns)
    }

    @Test(arguments: ["02", "08"]) func aStatementIsReadToTheCent(_ version: String) throws {
        let entries = [
            BankSamples.Entry(reference: "N1", amount: "6.00", message: "MSG"),
            BankSamples.Entry(reference: "N2", payments: [BankSamples.Tx(endToEnd: "E2E-1")]),
            BankSamples.Entry(reference: "N3", isDebit: false, payments: [BankSamples.Tx(endToEnd: "E2E-1", isReturn: true)]),
            BankSamples.Entry(reference: "N4", amount: "50.00", isDebit: false), BankSamples.Entry(reference: "N5", amount: "9.00", status: "PDNG"),
        ]
        let file = try Self.read(BankSamples.camt(entries, version: version, closing: "144.00"))
        #expect(file.mistakes.isEmpty, "\(file.mistakes)")
        #expect(file.entries.map(\.meaning) == [.booked, .booked, .returned, .other])
        #expect(file.entries.map(\.isBatch) == [true, false, false, true])
        #expect(file.entries.map(\.amountMinor) == [600, 300, 300, 5_000])
        #expect(file.entries[0].batchReference == "MSG" && file.entries[1].endToEndID == "E2E-1" && file.entries[2].reasonCodes == ["AC04"])
        #expect(file.entries[1].counterparty.name == "Anna Moor")
        #expect(file.balance == BankFile.Balance(currency: "EUR", openingMinor: 10_000, closingMinor: 14_400))
        #expect(file.pendingCount == 1 && file.accountEnding == "2051")
    }

    @Test func aStatementThatDoesNotAddUpIsRefused() throws {
        let file = try Self.read(BankSamples.camt([BankSamples.Entry()], closing: "97.01"))
        #expect(file.mistakes.first?.message.contains("does not add up") == true)
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry()], closing: "97.00")).mistakes.isEmpty)
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry()], opening: "-1.00", closing: "-4.00")).balance?.closingMinor == -400)
        let parts = BankSamples.Entry(amount: "6.00", payments: [BankSamples.Tx(endToEnd: "A"), BankSamples.Tx(endToEnd: "B", amount: "2.99")])
        #expect(try Self.read(BankSamples.camt([parts])).mistakes.first?.message.contains("do not sum") == true)
    }

    @Test(arguments: ["3.005", "-3.00", "+3.00", "3,00", "1e2", "", "٣", "99999999999999999999"]) func wrongAmountsAreNamedByTheirLine(_ amount: String) throws {
        let file = try Self.read(BankSamples.camt([BankSamples.Entry(amount: amount)]))
        #expect(file.mistakeCount == 1 && file.entries.isEmpty)
        #expect((file.mistakes.first?.line ?? 0) > 1)
    }

    @Test func noughtsBehindTheCentAreNoFault() throws {
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry(amount: "3.00000")])).entries.first?.amountMinor == 300)
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry(amount: "3.000", currency: "KWD")])).entries.first?.amountMinor == 3_000)
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry(amount: "3", currency: "JPY")])).entries.first?.amountMinor == 3)
        let dated = BankSamples.camt([BankSamples.Entry()]).replacing("<BookgDt><Dt>2026-11-20", with: "<BookgDt><Dt>2026-02-31")
        #expect(try Self.read(dated).mistakes.first?.message == "The day 2026-02-31 is none of the calendar.")
        #expect(try Self.read(BankSamples.camt([BankSamples.Entry(currency: "XXQ")])).mistakes.first?.message.contains("currency") == true)
    }

    @Test(arguments: ["03", "10"]) func aStatusReportIsReadOnEachLevel(_ version: String) throws {
        let file = try Self.read(
            BankSamples.pain(
                message: "MSG", group: "PART", payments: [.init(endToEnd: "A", status: "ACSC", amount: "3.00"), .init(endToEnd: "B", status: "RJCT", reason: "AC01")],
                version: version), .pain002)
        #expect(file.entries.map(\.meaning) == [.accepted, .settled, .rejected])
        #expect(file.entries.map(\.isBatch) == [true, false, false])
        #expect(file.entries[1].amountMinor == 300 && file.entries[2].reasonCodes == ["AC01"] && file.entries[2].batchReference == "MSG")
        #expect(file.ordered.map(\.entry.isBatch) == [false, false, true])
    }

    @Test(arguments: [("ACSC", BankEntry.Meaning.settled), ("ACCC", .settled), ("ACCP", .accepted), ("ACSP", .accepted), ("PDNG", .accepted), ("RJCT", .rejected), ("ZZZZ", .accepted)])
    func onlyWhatIsFinalSettles(_ code: String, _ meaning: BankEntry.Meaning) { #expect(PaymentStatusReport.meaning(code) == meaning) }

    @Test func oneFileIsNotTheOther() {
        #expect(throws: XMLReader.Malformed.self) { try Self.read(BankSamples.pain(message: "M"), .camt053) }
        #expect(throws: XMLReader.Malformed.self) { try Self.read(BankSamples.camt([]), .pain002) }
        #expect(throws: XMLReader.Malformed.self) { try Self.read("<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'/>", .camt053) }
        #expect(throws: CSVReader.Malformed.self) { try Self.read("a,b\n1,2\n", .csv) }
    }

    @Test func aBanksOwnColumnsAreReadByAMapping() throws {
        var columns = EntryTable.Columns()
        columns.names = [.amount: "Betrag (EUR)", .reference: "Zweck", .date: "Tag", .counterparty: "Wer"]
        (columns.separator, columns.decimalSign, columns.currency) = (.semicolon, .comma, "eur")
        let file = try Self.read("Tag;Wer;Zweck;Betrag (EUR)\n20.11.2026;Anna;\"REF;1\";-1.234,50\n21.11.2026;Shop;x;5,00\n", .csv, columns)
        #expect(file.mistakes.isEmpty, "\(file.mistakes)")
        #expect(file.entries.map(\.amountMinor) == [123_450, 500])
        #expect(file.entries.map(\.meaning) == [.booked, .other])
        #expect(file.entries[0].endToEndID == "REF;1" && file.entries[0].bookedOn?.iso8601 == "2026-11-20")
        columns.decimalSign = .point
        #expect(try Self.read("Tag;Wer;Zweck;Betrag (EUR)\n20.11.2026;Anna;R;-1.234,50\n", .csv, columns).mistakeCount == 1)
        #expect(try Self.read("date,amount,currency,reference\n31/31/2026,1.00,EUR,R\n", .csv).mistakes == [.init(line: 2, message: "The date 31/31/2026 is not read. Write it as 2026-01-31 or 31.01.2026.")])
    }

    @Test func providersReportsAreReadByTheirOwnWords() throws {
        let paypal = try Self.read("sender_item_id,transaction_id,transaction_status,amount,currency\nA,T1,SUCCESS,3.00,EUR\nB,T2,RETURNED,3.00,EUR\nC,T3,UNCLAIMED,3.00,EUR\nD,T4,BLOCKED,3.00,EUR\n", .paypal)
        #expect(paypal.entries.map(\.meaning) == [.settled, .returned, .accepted, .rejected])
        let wise = try Self.read("id,status,reference,target amount,target currency\n1,outgoing_payment_sent,A,3.00,EUR\n2,funds_refunded,B,3.00,EUR\n3,bounced_back,C,3.00,EUR\n", .wise)
        #expect(wise.entries.map(\.meaning) == [.settled, .returned, .accepted])
    }

    @Test func anEntryIsKnownAgainWhereverItStands() throws {
        let one = BankSamples.Entry(reference: "N1", payments: [BankSamples.Tx(endToEnd: "A")])
        let first = try Self.read(BankSamples.camt([one, one], id: "S1")).ordered.map(\.identity)
        let second = try Self.read(BankSamples.camt([BankSamples.Entry(reference: "N0"), one, one], id: "S2")).ordered.map(\.identity)
        #expect(Set(first).count == 2, "an account can be charged twice for the same")
        #expect(Set(first).isSubset(of: Set(second)))
        let told = [BankSamples.Status(endToEnd: "A", status: "ACSP")]
        #expect(try Set(Self.read(BankSamples.pain(message: "M", payments: told + told), .pain002).ordered.map(\.identity)).count == 1, "a report says it once")
    }

    @Test func ourReferencesAreFoundInWhatBanksWrite() {
        let id = PayoutID(stored: "pay_01jd0000000000000000000000")
        let short = "01JD0000000000000000000000"
        #expect(PaymentReference.all(in: "Thanks, \(short)-000012.") == [.number(id, 12)])
        #expect(PaymentReference.all(in: "Program TEST\(short)") == [.batch(id)])
        #expect(PaymentReference.all(in: "\(short)-12 \(short)-0000012 x\(short)").isEmpty)
        #expect(PaymentReference.all(in: String(repeating: "a ", count: 1_000) + short).isEmpty)
    }
}
