import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is no number is never read as one: every form that takes amounts, rates, counts or days is shown again, with what was typed and the
/// fault at its field, and nothing is written.
@Suite struct FormNumberTests {
    private static let notAmounts = [
        "1e1", "1e9", "-10", "+5", "9999-12-31", "<script>alert(1)</script>", "<b>7</b>", "1.2.3", "1,23,456", "12.3456789012", "٣", "NaN", "0x10", "ten",
        "99999999999999999999",
    ]
    private static let notDays = ["9999-12-31", "2026-02-30", "31.12.2026", "1", "1e1", "<b>7</b>", "2026-12-01T10:00", "-2026-01-01", "٢٠٢٦-٠١-٠١"]

    private struct Form {
        var path: String
        var page: String
        /// What the form takes.
        var good: [String: String]
        var fields: [(name: String, also: [String: String], refused: [String])]
    }

    @Test func noFormReadsWhatNobodyWrote() async throws {
        try await AppHarness.with(.sqlite) { app in
            let forms = try await Self.forms(app)
            let person = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            for form in forms {
                let token = try PageVisitor.field("csrfToken", in: try await person.get(form.page).text)
                let before = try await Self.rows(app)
                for field in form.fields {
                    for text in field.refused {
                        var sent = form.good.merging(field.also) { $1 }
                        sent[field.name] = text
                        sent["csrfToken"] = token
                        let reply = try await person.post(form.path, sent)
                        let what = "\(form.path) \(field.name)=\(text)"
                        #expect(reply.status == 422, "\(what) answered \(reply.status)")
                        let shown = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
                        #expect(reply.text.contains("value=\"\(shown)\""), "\(what) is shown again")
                        #expect(reply.text.contains("field-error") && Self.isMarked(field.name, in: reply.text), "\(what) has its fault at the field")
                    }
                }
                #expect(try await Self.rows(app) == before, "\(form.path) wrote something")
                // The same form without a fault is taken.
                let taken = try await person.post(form.path, form.good.merging(["csrfToken": token]) { $1 })
                #expect([200, 303].contains(taken.status), "\(form.path) answered \(taken.status)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func settingsThatWouldChangeNothingDoNotSaySo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 14])
            let person = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let path = "/programs/\(program)/settings"
            let fields = Self.settings.merging(["holdDays": "20"]) { $1 }
            for past in ["2020-01-01", "2025-12-31"] {
                let refused = try await person.submit(path, from: path, fields.merging(["from": past]) { $1 })
                #expect(refused.status == 422 && refused.text.contains("Choose a day to come") && refused.text.contains("value=\"\(past)\""))
            }
            #expect(try await app.get("/programs/\(program)")["holdDays"].integer == 14)
            let today = try await person.submit(path, from: path, fields.merging(["from": "2026-01-01"]) { $1 })
            #expect(today.headers[.location]?.hasSuffix("?done=settings") == true)
            #expect(try await app.get("/programs/\(program)")["holdDays"].integer == 20, "today is now")
            let again = try await person.submit(path, from: path, fields)
            #expect(again.headers[.location]?.hasSuffix("?done=same") == true, "what is so already is not called saved")
            let later = try await person.submit(path, from: path, fields.merging(["holdDays": "25", "from": "2026-01-10"]) { $1 })
            #expect(later.headers[.location]?.hasSuffix("?done=settings") == true)
            #expect(try await app.get("/programs/\(program)")["holdDays"].integer == 20)
            try await app.moveClock(days: 10)
            #expect(try await app.get("/programs/\(program)")["holdDays"].integer == 25)
            let made = try await person.submit("/programs", from: "/programs/new", ["name": "X", "currency": "EUR", "zone": "UTC", "template": "none-such"])
            #expect(made.status == 422)
        }
    }

    private static let settings = [
        "model": "last", "windowDays": "30", "binding": "lifetime", "bindingMonths": "", "holdDays": "14", "minimumPayout": "25", "hosts": "",
        "paidSearchPolicy": "allow", "orphan": "", "debtorName": "", "debtorIBAN": "", "debtorBIC": "", "from": "",
    ]

    private static func forms(_ app: AppHarness) async throws -> [Form] {
        let program = try await app.program(["holdDays": 14])
        let rule = try await app.percentRule(program, "0.10")
        let member = try await app.member(program, "anna")
        let document = "plan: three\nunit: EUR\nbonuses:\n  - bonus: sharer\n    type: unilevel\n    rates: [10%]\n"
        let plan = try await app.post("/plans", ["programId": .text(program), "name": "Three", "document": .text(document)])["id"].text
        try await app.moveClock(days: 62)
        let run = try await app.post("/runs", ["planId": .text(plan), "periodStart": "2026-01-01"])["id"].text
        let percent = ["name": "Rule", "event": "sale", "recipient": "0", "kind": "percent", "value": "10", "act": "save"]
        let flat = percent.merging(["kind": "flat", "value": "5.00"]) { $1 }
        let least = (name: "least", also: [String: String](), refused: notAmounts + ["0", "1.234"])
        let days = ["from", "until"].map { (name: $0, also: [String: String](), refused: notDays) }
        let rules: [(name: String, also: [String: String], refused: [String])] =
            [
                ("value", [:], notAmounts + ["", "0", "101"]), ("months", ["lasting": "months"], notAmounts + ["0", "1201", "1.5"]),
                ("cap", ["capKind": "amount"], notAmounts + ["0", "5e2", "-500"]), ("cap", ["capKind": "count"], notAmounts + ["0", "1.5"]), least,
            ] + days
        return [
            Form(path: "/programs/\(program)/rules", page: "/programs/\(program)/rules/new", good: percent, fields: rules),
            Form(path: "/rules/\(rule)", page: "/rules/\(rule)", good: flat, fields: [("value", [:], notAmounts + ["", "0", "1.234"]), ("value", ["kind": "points"], ["1.5", "1e1"]), least]),
            Form(
                path: "/programs/\(program)/settings", page: "/programs/\(program)/settings", good: settings,
                fields: [
                    ("windowDays", [:], notAmounts + ["", "0", "3651"]), ("holdDays", [:], notAmounts + ["", "3651", "1.5"]),
                    ("bindingMonths", ["binding": "months"], notAmounts + ["", "0", "1201"]), ("minimumPayout", [:], notAmounts + ["-1", "1.234"]),
                    ("from", [:], notDays + ["2020-01-01"]),
                ]),
            Form(path: "/plans/\(plan)", page: "/plans/\(plan)", good: ["document": document], fields: [("effectiveFrom", [:], notDays)]),
            Form(path: "/runs", page: "/runs", good: ["planId": plan, "periodStart": "2026-02-01"], fields: [("periodStart", [:], notDays + [""])]),
            Form(
                path: "/runs/\(run)/overrides", page: "/runs/\(run)",
                good: ["memberId": member, "kind": "adjustment", "bonus": "sharer", "value": "-5", "reason": "promised"],
                fields: [
                    ("value", [:], notAmounts.filter { $0 != "-10" } + ["", "0", "--5", "1.5"]),
                    ("value", ["kind": "forcedRank", "bonus": ""], notAmounts), ("value", ["kind": "activityWaiver", "bonus": ""], notAmounts),
                ]),
            Form(
                path: "/laboratory", page: "/laboratory", good: ["plan": plan, "members": "10", "seed": "1", "percent": "100"],
                fields: [("percent", [:], notAmounts + ["0", "151"]), ("members", [:], notAmounts + ["0"]), ("seed", [:], notAmounts)]),
            Form(
                path: "/links", page: "/links/new", good: ["programId": program, "memberId": member, "destination": "https://shop.test/", "code": "ANNA"],
                fields: [("expiresAt", [:], notDays)]),
            Form(
                path: "/commissions/new", page: "/commissions/new", good: ["program": program, "member": member, "amount": "5", "reason": "Helped", "do": "1"],
                fields: [("amount", [:], notAmounts + ["", "1.234"])]),
        ]
    }

    /// Whether the input of this name says that it is wrong.
    private static func isMarked(_ name: String, in page: String) -> Bool {
        page.split(separator: "<input ").contains { $0.contains("name=\"\(name)\"") && $0.prefix { $0 != ">" }.contains("aria-invalid=\"true\"") }
    }

    private static func rows(_ app: AppHarness) async throws -> [String: Int64] {
        try await app.installation.main.read { connection in
            var counts: [String: Int64] = [:]
            for table in ["rule_version", "program_version", "plan_version", "run", "run_override", "link", "commission", "journal_transaction", "audit_entry"] {
                counts[table] = try connection.value("SELECT count(*) FROM \(raw: table)", as: Int64.self) ?? 0
            }
            return counts
        }
    }
}
