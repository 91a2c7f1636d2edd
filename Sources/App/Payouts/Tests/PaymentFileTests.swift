import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Banks and spreadsheets take the files as they are, whatever people are called.
struct PaymentFileTests {
    /// Names that break files: markup, entities, formulas, other scripts, slashes, length, nothing.
    static let names = [
        "Mira <b>&amp; Söhne</b> \"GmbH\"", "]]><!--", "&#x41;&lt;", "=HYPERLINK(\"https://evil.test\")", "Łukasz Żółć", "Ångström Øre Æsir",
        "Дмитрий Иванов", "محمد", "山田太郎", "//slash//", String(repeating: "Länge ", count: 11), "👩‍🌾", "Zo\u{308}e\u{202E}",
    ]

    @Test(arguments: Engine.allCases)
    func theSEPAFileIsValidAndSumsToTheBatch(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await HostilePayees.make(in: app)
            let payout = try await app.post("/payouts", shop.batch)
            let id = payout["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            let xml = try await app.api(.get, "/payouts/\(id)/file?format=pain001").text
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-pain-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("payout.xml")
            try Data(xml.utf8).write(to: file)
            #expect(try Self.xmllint(["--noout", "--nonet", "--schema", Self.schema.path, file.path]) == 0, "\(xml)")

            let amounts = xml.matches(of: #/<InstdAmt Ccy="EUR">([0-9]+)\.([0-9]{2})</#).compactMap { Int64($0.1 + $0.2) }
            #expect(amounts.count == Self.names.count)
            #expect(amounts.reduce(0, +) == payout["total"].integer)
            let sums = xml.matches(of: #/<CtrlSum>([0-9]+)\.([0-9]{2})</#).compactMap { Int64($0.1 + $0.2) }
            #expect(sums == [amounts.reduce(0, +), amounts.reduce(0, +)])
            #expect(xml.contains("<Nm>Lukasz Zolc</Nm>"))
            #expect(xml.contains("<Nm>Dmitrij Ivanov</Nm>") || xml.contains("<Nm>Dmitrii Ivanov</Nm>"))
            let set = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")
            for found in xml.matches(of: #/<Nm>([^<]*)</Nm>/#) {
                #expect(!found.1.isEmpty && found.1.count <= 70 && found.1.unicodeScalars.allSatisfy(set.contains), "\(found.1)")
            }
        }
    }

    /// A bank's statement is matched by the reference, so no two payments have one, and files of a test say so.
    @Test(arguments: Engine.allCases)
    func everyPaymentHasAReferenceOfItsOwn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.patch("/programs/\(shop.program)", ["debtor": ["name": "Shop", "iban": "DE89370400440532013000"]])
            var references: [String] = []
            for number in 0..<2 {
                let id = try await app.post("/payouts", shop.batch())["id"].text
                try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
                let xml = try await app.api(.get, "/payouts/\(id)/file?format=pain001").text
                let found = xml.matches(of: #/<EndToEndId>([^<]*)</#).map { String($0.1) }
                #expect(found.count == 2 && found.allSatisfy { $0.count <= 35 })
                references += found
                #expect(xml.contains("<MsgId>TEST") && xml.contains("<Nm>TEST Shop</Nm>"))
                let csv = try await app.api(.get, "/payouts/\(id)/file?format=csv").text
                #expect(found.allSatisfy(csv.contains))
                try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
                #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").status == 200, "a lost file can be taken again")
                for member in 0..<2 {
                    try await app.post("/payouts/\(id)/outcomes", shop.outcome(member, "failed", "bank-\(number)-\(member)"))
                    #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").code == "outcomes_recorded", "it would pay twice")
                }
            }
            #expect(Set(references).count == 4)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatNoSEPABankTakesIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.patch("/programs/\(shop.program)", ["debtor": ["name": "Shop", "iban": "DE89370400440532013000"]])
            try await app.put("/members/\(shop.members[0])/payout-account", ["kind": "iban", "iban": "SA0380000000608010167519"])
            try await app.moveClock(days: 4)
            let payout = try await app.post("/payouts", shop.batch())
            let id = payout["id"].text
            #expect(try await app.get("/payouts/\(id)")["excluded"] == payout["excluded"], "who was left out stays known")
            #expect(payout["excluded"].list.count == 2)
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            let refused = try await app.api(.get, "/payouts/\(id)/file?format=pain001")
            #expect(refused.code == "not_sepa" && refused.text.contains(shop.members[0]))
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").status == 200)
        }
    }

    @Test func theSchemaRefusesWhatIsWrong() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kith-pain-\(UUID().uuidString).xml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn/></Document>".utf8).write(to: file)
        #expect(try Self.xmllint(["--noout", "--nonet", "--schema", Self.schema.path, file.path]) != 0)
    }

    @Test(arguments: Engine.allCases)
    func theCSVFileRunsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await HostilePayees.make(in: app)
            let id = try await app.post("/payouts", shop.batch)["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            let csv = try await app.api(.get, "/payouts/\(id)/file?format=csv").text
            #expect(csv.contains("\"'=HYPERLINK(\"\"https://evil.test\"\")\""))
            let cells = csv.split(separator: "\r\n").flatMap { $0.split(separator: ",") }
            #expect(!cells.contains { "=+-@\t".contains($0.first ?? " ") })
        }
    }

    @Test(arguments: ["COBADEFFXXX", "deutdeff", "BNPAFRPP"]) func banksCodesAreAccepted(_ text: String) { #expect(BIC(text) != nil) }

    @Test(arguments: ["", "COBADEFFXX", "COBA1EFF", "COBADEFF-XX", "ÄOBADEFF"]) func othersAreRefused(_ text: String) { #expect(BIC(text) == nil) }

    private static let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../../.build-data/pain.001.001.09.xsd").standardizedFileURL

    private static func xmllint(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/xmllint")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// Members with names that break files, each with something to be paid.
private struct HostilePayees: Sendable {
    var batch: JSONValue
    var secondKey: String

    static func make(in app: AppHarness) async throws -> HostilePayees {
        let program = try await app.program([
            "name": "Fun & <Friends>", "debtor": ["name": "Morgenröte & Söhne <GmbH>", "iban": "DE89370400440532013000", "bic": "not a bic"],
        ])
        _ = try await app.percentRule(program, "0.10")
        for (number, name) in PaymentFileTests.names.enumerated() {
            let member = try await app.member(program, "hostile\(number)", ["name": .text(name)])
            try await app.link(program, member, code: "H\(number)")
            try await app.sale("h-\(number)", "hostile-buyer-\(number)", 1_000 + Int64(number) * 37, ["code": .text("H\(number)")])
            var account: JSONValue = ["kind": "iban", "iban": "AT611904300234573201"]
            if number % 2 == 0 { account = account.adding("bic", "COBADEFFXXX") }
            if number == 0 { account = account.adding("holder", "O'Neil & Partner/") }
            try await app.put("/members/\(member)/payout-account", account)
        }
        try await app.moveClock(days: 31)
        let now = try await app.get("/workspace")["now"].text
        return HostilePayees(batch: ["programId": .text(program), "cutoff": .text(now)], secondKey: try await app.secondPersonsKey())
    }
}
