import Chronology
import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// What is wrong is refused by name, leaves nothing behind, and the process goes on.
@Suite struct BadInputTests {
    struct Case: Sendable {
        var path: String
        var body: String
        var status: Int
        var fields: [String] = []
        var code: String?
    }

    /// Sales whose field `amount` is hostile.
    static let hostileAmounts = [
        "-1", "1.0", "1e2", "1E2", "9223372036854775808", "\"10\"", "null", "true", "[]", "{}", "0.1", "-0.0", "123456789012345678901234567890",
        "-9223372036854775809",
    ]

    static func sale(_ change: String) -> String {
        #"{"invoiceId":"bad","customerExternalId":"c","currency":"EUR","# + change + "}"
    }

    static let cases: [Case] =
        hostileAmounts.map { Case(path: "/track/sale", body: sale("\"amount\":\($0)"), status: 422, fields: ["amount"]) }
        + [
            Case(path: "/track/sale", body: sale("\"amount\":1,\"amount\":1"), status: 422, fields: ["amount"]),
            Case(path: "/track/sale", body: sale("\"amount\":01"), status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: sale("\"amount\":NaN"), status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: sale("\"amount\":1,"), status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: "", status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: "{", status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: String(repeating: "[", count: 20_000), status: 400, code: "malformed_json"),
            Case(path: "/track/sale", body: "[]", status: 422),
            Case(path: "/track/sale", body: "\"sale\"", status: 422),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"surprise\":1"), status: 422, fields: ["surprise"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"Amount\":1"), status: 422, fields: ["Amount"]),
            Case(path: "/track/sale", body: #"{"invoiceId":"bad","customerExternalId":"c","amount":1,"currency":"XXQ"}"#, status: 422, fields: ["currency"]),
            Case(path: "/track/sale", body: #"{"invoiceId":"bad","customerExternalId":"c","amount":1,"currency":"eur"}"#, status: 422, fields: ["currency"]),
            Case(path: "/track/sale", body: #"{"amount":1}"#, status: 422, fields: ["currency", "customerExternalId", "invoiceId"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"occurredAt\":\"2126-01-01T00:00:00Z\""), status: 422, fields: ["occurredAt"], code: "sale_in_future"),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"occurredAt\":\"yesterday\""), status: 422, fields: ["occurredAt"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"occurredAt\":\"2026-02-30T00:00:00Z\""), status: 422, fields: ["occurredAt"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"programId\":\"prog_00000000000000000000000000\""), status: 422, fields: ["programId"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"programId\":\"mem_00000000000000000000000000\""), status: 422, fields: ["programId"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"memberId\":\"mem_00000000000000000000000000\""), status: 422, fields: ["memberId"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"country\":\"Germany\""), status: 422, fields: ["country"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"items\":[{\"sku\":\"a\",\"amount\":-1}]"), status: 422, fields: ["items[0].amount"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"metadata\":{\"a\":{\"b\":1}}"), status: 422, fields: ["metadata"]),
            Case(path: "/track/sale", body: sale("\"amount\":1,\"customerEmail\":\"no mail\""), status: 422, fields: ["customerEmail"]),
            Case(path: "/track/refund", body: #"{"invoiceId":"good","refundId":"r","amount":1001}"#, status: 422, fields: ["amount"], code: "refund_above_sale"),
            Case(path: "/track/refund", body: #"{"invoiceId":"good","refundId":"r","amount":0}"#, status: 422, fields: ["amount"]),
            Case(path: "/track/refund", body: #"{"invoiceId":"good"}"#, status: 422, fields: ["refundId"]),
            Case(path: "/track/click", body: #"{"code":"nobody"}"#, status: 422, fields: ["code"], code: "unknown_code"),
            Case(path: "/track/click", body: #"{"code":"anna","occurredAt":"2126-01-01T00:00:00Z"}"#, status: 422, fields: ["occurredAt"]),
            Case(path: "/track/lead", body: #"{"eventName":"x"}"#, status: 422, fields: ["customerExternalId"]),
            Case(path: "/track/lead", body: #"{"eventName":"x","customerExternalId":"c","mode":"never"}"#, status: 422, fields: ["mode"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EURO"}"#, status: 422, fields: ["currency"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","timezone":"Mars/Olympus"}"#, status: 422, fields: ["timezone"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","attribution":{"model":"best"}}"#, status: 422, fields: ["attribution.model"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","holdDays":-1}"#, status: 422, fields: ["holdDays"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","customerBinding":{"months":0}}"#, status: 422, fields: ["customerBinding"]),
            Case(path: "/programs", body: #"{"name":"","currency":"EUR"}"#, status: 422, fields: ["name"]),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"sale","reward":{"kind":"percent","rate":0.1}}"#, status: 422, fields: ["reward.rate"]),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"sale","reward":{"kind":"percent","rate":"-0.1"}}"#, status: 422, fields: ["reward.rate"]),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"sale","reward":{"kind":"bribe"}}"#, status: 422, fields: ["reward.kind"]),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"lead","reward":{"kind":"percent","rate":"0.1"}}"#, status: 422, fields: ["reward.kind"]),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"click","level":1,"reward":{"kind":"flat","amount":1,"currency":"EUR"}}"#, status: 422, fields: ["level"]),
            Case(
                path: "/programs/PROGRAM/rules",
                body: #"{"name":"R","event":"sale","reward":{"kind":"tiered","mode":"marginal","tiers":[{"from":5,"rate":"0.1"},{"from":5,"rate":"0.2"}]}}"#,
                status: 422, fields: ["reward.tiers"]),
            Case(
                path: "/programs/PROGRAM/rules",
                body: #"{"name":"R","event":"sale","reward":{"kind":"percent","rate":"0.1"},"conditions":{"field":"shoeSize","op":"eq","value":1}}"#,
                status: 422),
            Case(path: "/programs/PROGRAM/rules", body: #"{"name":"R","event":"sale","reward":{"kind":"percent","rate":"0.1"},"cap":{}}"#, status: 422, fields: ["cap.amount"]),
            Case(path: "/members", body: #"{"programId":"PROGRAM","email":"no"}"#, status: 422, fields: ["email"]),
            Case(path: "/members", body: #"{"programId":"PROGRAM"}"#, status: 422, fields: ["email"]),
            Case(path: "/members", body: #"{"programId":"PROGRAM","email":"a@b.test","enrollerId":"mem_00000000000000000000000000"}"#, status: 422, fields: ["enrollerId"]),
            Case(path: "/members", body: #"{"programId":"PROGRAM","email":"a@b.test","joinedAt":"2126-01-01T00:00:00Z"}"#, status: 422, fields: ["joinedAt"]),
            Case(path: "/links", body: #"{"programId":"PROGRAM","destination":"javascript:alert(1)"}"#, status: 422, fields: ["destination"]),
            Case(path: "/links", body: #"{"programId":"PROGRAM","destination":"//evil.test"}"#, status: 422, fields: ["destination"]),
            Case(path: "/links", body: #"{"programId":"PROGRAM","destination":"https://shop.test","code":"admin"}"#, status: 422, fields: ["code"]),
            Case(path: "/links", body: #"{"programId":"PROGRAM","destination":"https://shop.test","code":"ANNA"}"#, status: 422, fields: ["code"], code: "code_taken"),
            Case(path: "/links", body: #"{"programId":"PROGRAM","destination":"https://shop.test","code":"a b"}"#, status: 422, fields: ["code"]),
            // One amount must not fill the accounts of all others.
            Case(path: "/track/sale", body: sale("\"amount\":1000000000000001"), status: 422, fields: ["amount"]),
            Case(path: "/commissions", body: #"{"programId":"PROGRAM","memberId":"ext:a","amount":9223372036854775807,"reason":"x"}"#, status: 422, fields: ["amount"]),
            // Well-formed, but no text that could be kept.
            Case(path: "/track/sale", body: sale(#""amount":1,"eventName":"a\u0000b""#), status: 422, fields: ["eventName"]),
            Case(path: "/track/sale", body: sale(#""amount":1,"items":[{"sku":"\ud800","amount":1}]"#), status: 422, fields: ["items[0].sku"]),
            Case(path: "/track/sale", body: sale(#""amount":1,"eventName":"  \t ""#), status: 422, fields: ["eventName"]),
            Case(path: "/track/sale", body: #"{"invoiceId":" ","customerExternalId":"\u00a0","amount":1,"currency":"EUR"}"#, status: 422, fields: ["customerExternalId", "invoiceId"]),
            Case(path: "/track/sale", body: sale(#""amount":1,"ip":{},"userAgent":17,"headers":[]"#), status: 422, fields: ["headers", "ip", "userAgent"]),
            Case(
                path: "/members", body: #"{"programId":"PROGRAM","email":"a@b.test","attributes":5,"channels":"x","headers":7,"locale":"../../etc/passwd"}"#,
                status: 422, fields: ["attributes", "channels", "headers", "locale"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","allowedHosts":["<script>"]}"#, status: 422, fields: ["allowedHosts"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","allowedHosts":["../../etc/passwd"]}"#, status: 422, fields: ["allowedHosts"]),
            Case(path: "/programs", body: #"{"name":"P","currency":"EUR","debtor":{"name":"D","iban":"=cmd()"}}"#, status: 422, fields: ["debtor.iban"]),
            Case(
                path: "/programs/PROGRAM/rules",
                body: #"{"name":"R","event":"sale","reward":{"kind":"percent","rate":"0.1"},"conditions":{"field":"memberTotal.foo","op":"gt","value":1}}"#,
                status: 422),
            Case(path: "/api-keys", body: #"{"name":"K"}"#, status: 422, fields: ["role"]),
            Case(path: "/api-keys", body: #"{"name":"K","role":"emperor"}"#, status: 422),
            Case(path: "/test-clock", body: #"{"now":"2001-01-01T00:00:00Z"}"#, status: 422, fields: ["now"]),
        ]

    @Test(arguments: Engine.allCases) func everyWrongFieldIsNamedAndNothingIsStored(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna()
            try await app.sale("good", "c-good", 1_000, ["code": "anna"])
            let before = try await app.rowCounts()
            for expected in Self.cases {
                let path = API.base + expected.path.replacing("PROGRAM", with: program)
                let body = Array(expected.body.replacing("PROGRAM", with: program).utf8)
                let reply = try await app.call(.post, path, key: app.key, bytes: body)
                #expect(reply.status == expected.status, "\(expected.path) \(expected.body.prefix(120)): \(reply.text)")
                #expect(reply.headers[.contentType] == "application/problem+json")
                if !expected.fields.isEmpty { #expect(reply.fields.sorted() == expected.fields, "\(expected.path) \(expected.body.prefix(120)): \(reply.text)") }
                if let code = expected.code { #expect(reply.code == code, "\(expected.body.prefix(120))") }
                #expect(!reply.json["requestId"].text.isEmpty)
            }
            #expect(try await app.rowCounts() == before, "nothing half-stored")
        }
    }

    @Test func onlyUTF8IsRead() async throws {
        try await AppHarness.with(.sqlite) { app in
            for (type, status) in [
                ("application/json; charset=latin-1", 415), ("application/json; charset=\"iso-8859-1\"", 415), ("text/json", 415), ("", 415),
                ("application/json; charset=UTF-8", 201), ("Application/JSON;charset=\"utf-8\"", 201), ("application/json; v=1", 201),
            ] {
                let body = Array(AppHarness.saleBody("inv \(type)", "c", 1).bytes)
                let reply = try await app.call(.post, API.base + "/track/sale", key: app.key, headers: [.contentType: type], bytes: body)
                #expect(reply.status == status, "\(type)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func sameInvoiceOtherFacts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            try await app.refund("inv-1", "r-1", 100)
            let before = try await app.rowCounts()
            for body in [
                AppHarness.saleBody("inv-1", "c-1", 1_001), AppHarness.saleBody("inv-1", "c-2", 1_000), AppHarness.saleBody("inv-1", "c-1", 1_000, ["currency": "USD"]),
            ] {
                let reply = try await app.api(.post, "/track/sale", body)
                #expect(reply.status == 409)
                #expect(reply.code == "invoice_conflict")
            }
            let refund = try await app.api(.post, "/track/refund", ["invoiceId": "inv-1", "refundId": "r-1", "amount": 200])
            #expect(refund.status == 409)
            #expect(try await app.rowCounts() == before)
        }
    }

    @Test(arguments: Engine.allCases) func enrollersMakeNoCircle(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let top = try await app.member(program, "top", ["externalId": "top"])
            let middle = try await app.member(program, "middle", enroller: top)
            let low = try await app.member(program, "low", enroller: middle)
            for enroller in [top, middle, low] {
                let reply = try await app.api(.patch, "/members/\(top)", ["enrollerId": .text(enroller)])
                #expect(reply.status == 422)
                #expect(reply.fields == ["enrollerId"])
            }
            let upsert = try await app.api(.post, "/members", ["programId": .text(program), "email": "top@members.test", "externalId": "top", "enrollerId": .text(low)])
            #expect(upsert.status == 422)
            #expect(upsert.code == "enroller_cycle")
        }
    }

    @Test(arguments: Engine.allCases) func bodiesHaveALimit(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let huge = Array((#"{"name":""# + String(repeating: "x", count: 300_000) + #"","currency":"EUR"}"#).utf8)
            for path in ["/programs", "/track/sale", "/members"] {
                let reply = try await app.call(.post, API.base + path, key: app.key, bytes: huge)
                #expect(reply.status == 413, "\(path)")
            }
            let form = try await app.call(
                .post, API.base + "/programs", key: app.key, headers: [.contentType: "text/plain"], bytes: Array("{}".utf8))
            #expect(form.status == 415)
        }
    }

    static let oddTexts: [String] = [
        "a\\u0000b", "\\ud800", "\\udc00\\ud800", "\\u202eevil", "e\\u0301", "\\u00e9", "\\ufeff", "<script>alert(1)</script>", "'; DROP TABLE sale; --",
        "${jndi:ldap://x}", "{{7*7}}", "=1+1", "../../etc/passwd", "\\u0001", "%00", "\\\\", "\\ud83d\\udc68\\u200d\\ud83d\\udc69", "\\n\\r",
        String(repeating: "\\u0301", count: 60),
    ]

    /// Odd texts in every text field are taken as they are or refused with the field; never a 5xx.
    @Test(arguments: Engine.allCases) func oddTextsEverywhere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            for (number, odd) in Self.oddTexts.enumerated() {
                let bodies: [(String, String)] = [
                    ("/programs", #"{"name":"ODD","currency":"EUR"}"#),
                    ("/programs/\(program)/rules", #"{"name":"ODD","event":"lead","reward":{"kind":"gift","description":"ODD"}}"#),
                    ("/members", #"{"programId":"\#(program)","email":"m\#(number)@b.test","name":"ODD"}"#),
                    ("/members", #"{"programId":"\#(program)","email":"n\#(number)@b.test","externalId":"ODD","attributes":{"ODD":"ODD"}}"#),
                    ("/members", #"{"programId":"\#(program)","email":"ODD"}"#),
                    ("/links", #"{"programId":"\#(program)","memberId":"\#(anna)","destination":"https://shop.test/","code":"ODD"}"#),
                    ("/links", #"{"programId":"\#(program)","memberId":"\#(anna)","destination":"ODD"}"#),
                    ("/track/click", #"{"code":"anna","referrer":"ODD","userAgent":"ODD","visitorId":"ODD","metadata":{"ODD":"ODD"}}"#),
                    ("/track/lead", #"{"eventName":"ODD","customerExternalId":"ODD","customerName":"ODD","clickId":"ODD","visitorId":"ODD"}"#),
                    ("/track/sale", #"{"invoiceId":"i\#(number)","customerExternalId":"ODD","amount":1,"currency":"EUR","code":"ODD","clickId":"ODD","eventName":"ODD","metadata":{"ODD":"ODD"}}"#),
                    ("/track/sale", #"{"invoiceId":"ODD","customerExternalId":"c\#(number)","amount":1,"currency":"EUR","items":[{"sku":"ODD","amount":1}]}"#),
                    ("/track/refund", #"{"invoiceId":"ODD","refundId":"ODD","reason":"ODD"}"#),
                    ("/api-keys", #"{"name":"ODD","role":"viewer"}"#),
                ]
                for (path, body) in bodies {
                    let text = body.replacing("ODD", with: odd)
                    let reply = try await app.call(.post, API.base + path, key: app.key, bytes: Array(text.utf8))
                    #expect(reply.status < 500, "\(path) \(text): \(reply.text)")
                    if reply.status >= 400, reply.status != 409 {
                        #expect(reply.status == 400 || !reply.fields.isEmpty, "\(path) \(text): \(reply.text)")
                    }
                }
            }
            // What was taken comes back whole.
            for path in ["/programs", "/members", "/links", "/sales", "/customers", "/refunds", "/api-keys", "/events", "/audit"] {
                _ = try await app.get("\(path)?limit=100")
            }
        }
    }

    @Test(arguments: Engine.allCases) func listFiltersTakeNoSQL(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, _) = try await app.shopWithAnna()
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            let before = try await app.rowCounts()
            let attacks = ["'%20OR%20'1'='1", "1;DROP%20TABLE%20sale", "%27%29%20UNION%20SELECT%20NULL--", "%00", "%F0%28%8C%28", "$1", "-1"]
            for operation in app.operations where operation.method == .get && !operation.path.contains("{") {
                for parameter in operation.parameters + [APIParameter("sort", .text)] {
                    for attack in attacks {
                        let reply = try await app.api(.get, "\(operation.path)?\(parameter.name)=\(attack)")
                        #expect(reply.status < 500, "\(operation.path)?\(parameter.name)=\(attack): \(reply.text)")
                        if parameter.name.hasSuffix("Id") && !parameter.isFree || parameter.name == "limit" { #expect(reply.status == 422, "\(operation.path)?\(parameter.name)=\(attack)") }
                    }
                }
            }
            // A till's question is written down in the audit log; nothing else changes.
            let after = try await app.rowCounts()
            for (table, count) in before where table != "audit_entry" { #expect(after[table] == count, "\(table)") }
        }
    }
}
