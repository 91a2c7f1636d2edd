import Chronology
import Foundation
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What guests read, and what hosts see and do in their pages.
@Suite struct PartyPageTests {
    @Test func aFileForCalendars() {
        #expect(CalendarFile.escaped("a,b;c\\d\r\ne\nf") == "a\\,b\\;c\\\\d\\ne\\nf")
        #expect(CalendarFile.time(AppHarness.start) == "20260101T000000Z")
        let folded = CalendarFile.folded("SUMMARY:" + String(repeating: "ä", count: 100))
        #expect(folded.components(separatedBy: "\r\n").allSatisfy { $0.utf8.count <= 75 })
        #expect(folded.replacingOccurrences(of: "\r\n ", with: "") == "SUMMARY:" + String(repeating: "ä", count: 100))
    }

    @Test(arguments: Engine.allCases)
    func guestsReadWhatWhenAndWhere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let host = try await app.member(program, "anna", ["name": "Anna Berg"])
            _ = try await app.put("/programs/\(program)/party-plan", PartyTests.plan())
            let party = try await PartyTests.party(app, program, host, ["place": "Garden, <b>back</b>; door", "timezone": "Europe/Berlin"])
            let guest = PageVisitor(app)
            let page = try await guest.get("/party/PARTY")
            #expect(page.status == 200)
            for words in ["Coffee and friends", "Anna invites you", "1:00", "Europe/Berlin", "Garden, &lt;b&gt;back", "/r/PARTY"] {
                #expect(page.text.contains(words), "\(words)")
            }
            #expect(!page.text.contains("Berg"))
            let file = try await guest.get("/party/PARTY/calendar.ics").text
            for line in ["BEGIN:VCALENDAR\r\n", "DTSTART:20260103T000000Z\r\n", "SUMMARY:Coffee and friends\r\n", "LOCATION:Garden\\, <b>back</b>\\; door\r\n", "END:VCALENDAR\r\n"] {
                #expect(file.contains(line), "\(line)")
            }
            try await app.link(program, host, code: "ANNA")
            #expect(try await guest.get("/party/ANNA").status == 404, "a link that is no party's")
            #expect(try await guest.get("/party/NOBODY").status == 404)
            try await app.post("/parties/\(party["id"].text)/cancellation", .object([]))
            let gone = try await guest.get("/party/PARTY")
            #expect(gone.status == 410 && gone.text.contains("canceled"))
        }
    }

    @Test(arguments: Engine.allCases)
    func hostsMakeAndFollowTheirs(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let host = try await app.member(program, "anna")
            let other = try await app.member(program, "bert")
            try await app.link(program, host, code: "ANNA")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let typed = ["program": program, "title": "Coffee", "place": "", "day": "2026-01-20", "time": "19:00"]
            #expect(try await !browser.page.get("/portal/share").text.contains("/portal/parties"))
            _ = try await app.put("/programs/\(program)/party-plan", PartyTests.plan())
            #expect(try await browser.page.get("/portal/share").text.contains("/portal/parties"))
            for (field, bad) in [("title", ""), ("day", "2025-01-01"), ("time", "x")] {
                #expect(try await browser.page.submit("/portal/parties", from: "/portal/parties", typed.merging([field: bad]) { $1 }).status == 422, "\(field)")
            }
            #expect(try await browser.page.submit("/portal/parties", from: "/portal/parties", typed).status == 303)
            let made = try await app.get("/parties")["data"].list[0]
            #expect(made["hostId"].text == host && made["startsAt"].text == "2026-01-20T19:00:00Z")
            try await app.sale("i1", "c1", 20_000, ["code": .text(made["code"].text)])
            let page = try await browser.page.get("/portal/parties").text
            for words in ["Coffee", "1 order", "€200.00", "€10.00", "€300.00", "/party/"] { #expect(page.contains(words), "\(words)") }
            let theirs = try await PartyTests.party(app, program, other)["id"].text
            #expect(try await browser.page.submit("/portal/parties/cancellation", from: "/portal/parties", ["party": theirs]).status == 404, "not theirs")
            #expect(try await browser.page.submit("/portal/parties/cancellation", from: "/portal/parties", ["party": made["id"].text]).status == 303)
            #expect(try await app.get("/parties/\(made["id"].text)")["state"].text == "canceled")
            _ = try await app.put("/programs/\(program)/party-plan", PartyTests.plan(["membersMayHost": false]))
            #expect(try await !browser.page.get("/portal/parties").text.contains("action=\"/portal/parties\""))
        }
    }

    @Test(arguments: Engine.allCases)
    func guestsAnswerForThemselvesAndAreForgotten(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let host = try await app.member(program, "anna")
            _ = try await app.put("/programs/\(program)/party-plan", PartyTests.plan())
            _ = try await PartyTests.party(app, program, host)
            let guest = PageVisitor(app)
            #expect(try await guest.submit("/party/PARTY", from: "/party/PARTY", ["name": "", "answer": "yes"]).status == 422)
            #expect(try await guest.submit("/party/PARTY", from: "/party/PARTY", ["name": "Gustav", "answer": "perhaps"]).status == 422)
            #expect(try await guest.submit("/party/PARTY", from: "/party/PARTY", ["name": "Gustav", "answer": "maybe"]).status == 303)
            #expect(try await guest.submit("/party/PARTY", from: "/party/PARTY", ["name": "Gustav Holm", "answer": "yes"]).status == 303)
            #expect(try await !guest.get("/party/PARTY").text.contains("Gustav"), "guests do not see each other")
            let second = PageVisitor(app)
            #expect(try await second.submit("/party/PARTY", from: "/party/PARTY", ["name": "Bot", "answer": "yes", "website": "x"]).status == 303)
            #expect(try await second.submit("/party/PARTY", from: "/party/PARTY", ["name": "Hanna", "answer": "no"]).status == 303)
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let page = try await browser.page.get("/portal/parties").text
            for words in ["Gustav Holm", "Hanna"] { #expect(page.contains(words), "\(words)") }
            #expect(!page.contains("Bot"))
            try await app.moveClock(days: 33)
            let after = try await browser.page.get("/portal/parties").text
            #expect(!after.contains("Gustav") && !after.contains("Hanna"))
            let left = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM party_guest g JOIN person_field f ON f.person_id = g.person_id", as: Int64.self)
            }
            #expect(left == 0)
            #expect(try await guest.get("/party/PARTY").status == 410)
        }
    }
}
