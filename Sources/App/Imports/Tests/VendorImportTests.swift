import Foundation
import Money
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A company moves in with what its old system exports: people, who brought them, their links, and what they are still owed.
@Suite struct VendorImportTests {
    struct Move: Sendable, CustomTestStringConvertible {
        var vendor: VendorExport
        var people: String
        /// What Jane, whose id is the second, is owed.
        var janeID: String
        var janeCode: String
        var janeOwedMinor: Int64
        var sales: String
        var testDescription: String { vendor.rawValue }
    }

    /// Columns after the vendors' documentation of their objects (docs/imports.md); values made up.
    static let moves = [
        Move(
            vendor: .rewardful,
            people: """
                ID,First name,Last name,Email,State,Created at,Token,Link URL,Unpaid commissions,Currency
                d0ed8392-8880,Adam,Jones,adam@members.test,active,2019-05-09T16:18:59Z,adam,https://shop.test/?via=adam,$0.00,USD
                eb844960-6c42,Jane,Doe,jane@members.test,active,2020-01-31 10:00:00 UTC,jane,https://shop.test/?via=jane,"$1,234.50",USD
                """, janeID: "eb844960-6c42", janeCode: "jane", janeOwedMinor: 123_450,
            sales: """
                Charge ID,Stripe customer ID,Sale amount,Currency,Charged at,Affiliate ID
                ch_1,cus_1,49.00,usd,2025-12-01 09:30:00 UTC,eb844960-6c42
                """),
        Move(
            vendor: .firstpromoter,
            people: """
                id,email,first_name,last_name,default_ref_id,parent_promoter_id,status,created_at,current_balance
                7001,adam@members.test,Adam,Jones,adam7,,approved,2021-02-03T00:00:00Z,0
                7002,jane@members.test,Jane,Doe,jane7,7001,approved,2021-03-04T00:00:00Z,80.25
                """, janeID: "7002", janeCode: "jane7", janeOwedMinor: 8_025,
            sales: "event_id,uid,amount,created_at,promoter_id\nev_1,cus_9,12.00,2025-12-02T10:00:00Z,7002\n"),
        Move(
            vendor: .partnerstack,
            people: """
                partner_key,email,first_name,last_name,approved_status,created_at,url,balance
                adamjones,adam@members.test,Adam,Jones,approved,2022-01-01,https://shop.test/adam,0
                janedoe,jane@members.test,Jane,Doe,approved,2022-02-02,https://shop.test/jane,4500
                """, janeID: "janedoe", janeCode: "janedoe", janeOwedMinor: 4_500,
            sales: "key,customer_key,amount,currency,created_at,partner_key\ntx_1,cust_1,9900,USD,2025-12-03,janedoe\n"),
        Move(
            vendor: .tapfiliate,
            people: """
                id,firstname,lastname,email,created_at,parent_id,referral_link,balance,balance_currency
                aj,Adam,Jones,adam@members.test,2018-07-01T08:00:00Z,,https://shop.test/?ref=aj1,0.00,USD
                jd,Jane,Doe,jane@members.test,2018-08-01T08:00:00Z,aj,https://shop.test/?ref=jd1,15.00,USD
                """, janeID: "jd", janeCode: "jd1", janeOwedMinor: 1_500,
            sales: "external_id,amount,created_at,affiliate_id,customer_id,currency\nORD5,100,2025-12-04T08:00:00Z,jd,c5,USD\n"),
        Move(
            vendor: .tolt,
            people: """
                id,first_name,last_name,email,status,created_at,slug,unpaid_amount
                part_1,Adam,Jones,adam@members.test,active,2023-05-01T00:00:00Z,adam-t,
                part_2,Jane,Doe,jane@members.test,active,2023-06-01T00:00:00Z,jane-t,7.77
                """, janeID: "part_2", janeCode: "jane-t", janeOwedMinor: 777,
            sales: "transaction_id,customer_id,revenue,created_at,partner_id\ntxn_1,cus_t,30.00,2025-12-05T00:00:00Z,part_2\n"),
    ]

    @Test(arguments: Engine.allCases, moves)
    func aCompanyMovesIn(_ engine: Engine, _ move: Move) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            _ = try await app.percentRule(program, "0.10")
            let before = try await app.rowCounts()
            let rehearsed = try await take(move.people, move.vendor, program, app, dry: true)
            #expect(rehearsed["errorCount"] == 0, "\(rehearsed)")
            #expect(try await app.rowCounts() == before, "a dry run leaves nothing")

            let written = try await take(move.people, move.vendor, program, app)
            #expect(written["kind"] == "members links balances")
            #expect(written["created"] == 5, "two members, two links, one balance: \(written)")
            #expect(written["amounts"] == [["currency": "USD", "amount": .integer(move.janeOwedMinor)]])
            #expect(try await take(move.people, move.vendor, program, app)["created"] == 0, "the same file again gives nothing twice")

            let jane = try await app.get("/members/ext:\(move.janeID)")
            #expect(jane["name"] == "Jane Doe")
            let hasEnroller = move.people.contains("parent")
            #expect((jane["enrollerId"] == .null) != hasEnroller)
            let balance = try #require(try await app.get("/members/\(jane["id"].text)/balances").elements.first)
            #expect(balance["available"] == .integer(move.janeOwedMinor))
            #expect(try await app.visit("/r/\(move.janeCode)").status == 302, "old codes lead on")

            #expect(try await take(move.sales, move.vendor, program, app)["created"] == 1)
            let sale = try #require(try await app.get("/sales")["data"].list.first)
            #expect(sale["amount"] == .integer(Self.saleMinor[move.vendor] ?? 0))
            let verification = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys)
            #expect(verification.findings.map(\.detail) == [])
        }
    }

    private static let saleMinor: [VendorExport: Int64] = [.rewardful: 4_900, .firstpromoter: 1_200, .partnerstack: 9_900, .tapfiliate: 10_000, .tolt: 3_000]

    @Test func amountsAreReadExactlyOrNotAtAll() {
        let cases: [(String, String, String?)] = [
            ("$1,234.50", "USD", "123450"), ("1234.5", "EUR", "123450"), ("€ 7", "EUR", "700"), ("12,50", "EUR", nil), ("1.234,50", "EUR", nil),
            ("1.005", "USD", nil), ("500", "JPY", "500"), ("5.5", "JPY", nil), ("1.234", "KWD", "1234"), ("", "USD", nil), ("12", "XXQ", nil), ("-3.00", "USD", "-300"),
            // A decimal comma is never guessed.
            ("1,500", "KWD", nil), ("12,345", "BHD", nil), ("1.5,00", "KWD", nil), ("1.5,0", "EUR", nil), ("1,234.500", "KWD", "1234500"), ("1,234,567", "KWD", "1234567000"),
            ("1,500", "EUR", "150000"), ("1,500", "JPY", "1500"), ("-1,500.00", "EUR", "-150000"), ("1.234.500", "EUR", nil), ("1,50,000", "EUR", nil), (",500", "EUR", nil),
        ]
        for (text, currency, minor) in cases { #expect(ColumnMapping.Resolved.minor(text, currency) == minor, "\(text) \(currency)") }
    }

    @Test(arguments: Engine.allCases)
    func whatIsWrongIsNamedInTheirWords(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            let before = try await app.rowCounts()
            let bad = try await take(
                "ID,First name,Last name,E-mail,Token,Unpaid\n1,Adam,Jones,adam@members.test,adam,1.00\n2,Jane,Doe,nobody,jane,\"12,50\"\n", .rewardful, program, app)
            #expect(bad["written"] == false)
            guard case .array(let errors)? = bad["errors"] else { throw CSVReader.Malformed(line: 0, reason: "no errors") }
            #expect(errors.map { [$0["line"], $0["column"]] } == [[3, "E-mail"], [3, "Unpaid"]])
            #expect(try await app.rowCounts() == before)
            #expect(throws: CSVReader.Malformed.self) { try VendorExport.tolt.parts(["colour", "size"], nil, .init(currency: "USD")) }
            let other = try await take("partner_key,email,balance,currency\nk1,k1@members.test,100,EUR\n", .partnerstack, program, app)
            guard case .array(let wrong)? = other["errors"] else { throw CSVReader.Malformed(line: 0, reason: "no errors") }
            #expect(wrong.map { $0["column"] } == ["currency"], "balances of another currency need a program of it")
        }
    }

    /// 5.00 given back of the one sale of `moves`, as each vendor's file would say it.
    static let refunds: [VendorExport: String] = [
        .rewardful: "Refund ID,Charge ID,Amount,Currency,Created at\nre_1,ch_1,5.00,usd,2025-12-08T10:00:00Z\n",
        .firstpromoter: "refund_id,event_id,amount,created_at\nre_1,ev_1,5.00,2025-12-08T10:00:00Z\n",
        .partnerstack: "refund_id,transaction_key,amount,currency\nre_1,tx_1,500,USD\n",
        .tapfiliate: "refund_id,external_id,refunded_amount\nre_1,ORD5,5\n",
        .tolt: "refund_id,transaction_id,refund_amount,refunded_at\nre_1,txn_1,$5.00,2025-12-08\n",
    ]

    @Test(arguments: Engine.allCases, moves)
    func refundsComeInTheirAmount(_ engine: Engine, _ move: Move) async throws {
        try await AppHarness.with(engine) { app in
            let vendor = move.vendor
            let rows = try #require(Self.refunds[vendor])
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            _ = try await app.percentRule(program, "0.10")
            let early = try await take(rows, vendor, program, app)
            #expect(errors(early).map { $0["message"].text.contains("Import the sales first") } == [true], "\(early)")
            _ = try await take(move.people, vendor, program, app)
            #expect(try await take(move.sales, vendor, program, app)["created"] == 1)
            let taken = try await take(rows, vendor, program, app)
            #expect(taken["kind"] == "refunds" && taken["created"] == 1 && taken["written"] == true, "\(taken)")
            #expect(taken["amounts"] == [["currency": "USD", "amount": 500]])
            #expect(try await take(rows, vendor, program, app)["known"] == 1)
            #expect(try await app.get("/sales")["data"].list.first?["refundedAmount"] == 500)
            #expect(try await app.findings() == [])
        }
    }

    /// Nothing is taken back by a guess: not another currency, not all of a sale where the amount is missing.
    @Test(arguments: Engine.allCases)
    func refundsThatAreNotPlainAreRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            let move = Self.moves[0]
            _ = try await take(move.people, .rewardful, program, app)
            // Sales and refunds in one file: rows without a refund are sales alone.
            let both = """
                Charge ID,Stripe customer ID,Sale amount,Currency,Charged at,Affiliate ID,Refund ID,Refunded amount
                ch_1,cus_1,49.00,usd,2025-12-01T09:30:00Z,eb844960-6c42,,0.00
                ch_2,cus_1,20.00,usd,2025-12-02T09:30:00Z,eb844960-6c42,re_2,5.00

                """
            let taken = try await take(both, .rewardful, program, app)
            #expect(taken["kind"] == "sales refunds" && taken["created"] == 3 && taken["errorCount"] == 0, "\(taken)")
            #expect(taken["amounts"] == [["currency": "USD", "amount": 6_900]])
            #expect(try await app.get("/sales")["data"].list.map { $0["refundedAmount"] } == [500, 0])
            let before = try await app.rowCounts()
            for (rows, column) in [
                ("refund_id,charge_id,amount,currency\nre_3,ch_1,5.00,EUR\n", "currency"), ("refund_id,charge_id,amount\nre_3,ch_1,\n", "amount"),
                ("refund_id,charge_id,amount\nre_3,ch_1,\"5,00\"\n", "amount"), ("refund_id,charge_id,amount\n,ch_1,5.00\n", "refund_id"),
            ] {
                let refused = try await take(rows, .rewardful, program, app)
                #expect(errors(refused).map { $0["column"].text } == [column] && refused["written"] == false, "\(refused)")
            }
            for header in [["refund_id", "charge_id"], ["refund_id", "charge_id", "customer_id", "amount", "created_at"], ["refund_id", "charge_id", "customer_id", "sale_amount", "created_at"]] {
                #expect(throws: CSVReader.Malformed.self, "\(header)") { try VendorExport.rewardful.parts(header, nil, .init(currency: "USD")) }
            }
            #expect(try VendorExport.rewardful.parts(["refund_id", "charge_id", "customer_id", "amount", "created_at"], .refunds, .init(currency: "USD")).map(\.kind) == [.refunds])
            #expect(try await app.rowCounts() == before)
        }
    }

    /// Tapfiliate's documented file of conversions names the affiliate by their mail address.
    @Test(arguments: Engine.allCases)
    func peopleAreFoundByTheirMail(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            _ = try await app.percentRule(program, "0.10")
            let move = try #require(Self.moves.first { $0.vendor == .tapfiliate })
            _ = try await take(move.people, .tapfiliate, program, app)
            let header = "external_id,amount,created_at,affiliate_email,program,customer_id,currency\n"
            let sales = header + "ORD9,50.00,2025-12-04T08:00:00Z,Jane@members.test,shop,c9,USD\n"
            let taken = try await take(sales, .tapfiliate, program, app)
            #expect(taken["created"] == 1 && taken["errorCount"] == 0, "\(taken)")
            #expect(try await take(sales, .tapfiliate, program, app)["known"] == 1)
            let jane = try await app.get("/members/ext:jd")["id"].text
            let commissions = try await app.get("/commissions")["data"].list
            #expect(commissions.filter { $0["amount"] == 500 }.map { $0["memberId"].text } == [jane], "\(commissions)")
            let unknown = try await take(header + "ORD10,50.00,2025-12-04T08:00:00Z,nobody@members.test,shop,c9,USD\n", .tapfiliate, program, app)
            #expect(errors(unknown).map { $0["column"].text } == ["affiliate_email"])
        }
    }

    @Test(arguments: Engine.allCases)
    func whoOwesIsSaidInWords(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            let refused = try await take("ID,Email,Unpaid\n1,adam@members.test,-5.00\n", .rewardful, program, app)
            #expect(errors(refused).map { [$0["line"], $0["column"]] } == [[2, "Unpaid"]])
            #expect(errors(refused).first?["message"].text.contains("owes you") == true)
            #expect(try await take("ID,Email,Unpaid\n1,adam@members.test,0\n", .rewardful, program, app)["written"] == true)
        }
    }

    private func errors(_ answer: JSONValue) -> [JSONValue] { answer["errors"]?.elements ?? [] }

    private func take(
        _ text: String, _ vendor: VendorExport, _ program: String, _ app: AppHarness, dry: Bool = false
    ) async throws -> JSONValue {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kith-\(UUID().uuidString).csv").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let parts = try vendor.parts(CSVReader(path: path).columns, nil, .init(currency: "USD", destination: "https://shop.test/"))
        return try await FileImport(
            installation: app.installation, workspace: app.workspace.twin, program: ProgramID(stored: program), parts: parts, path: path
        ).run(isDryRun: dry)
    }
}
