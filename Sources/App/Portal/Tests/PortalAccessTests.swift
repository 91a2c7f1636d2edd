import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A member sees what is theirs, and nobody comes in who should not.
struct PortalAccessTests {
    @Test(arguments: Engine.allCases)
    func theLetterOpensThePortalOnceAndNotForLong(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let browser = MemberBrowser(app)
            #expect(try await browser.page.get("/portal").headers[.location] == "/portal/sign-in")
            let link = try await browser.askForLink("anna@members.test")
            // Whatever looks at addresses before people do uses nothing up.
            for _ in 0..<3 { #expect(try await MemberBrowser(app).page.get(link).status == 200) }
            #expect(try await browser.enter(link).headers[.location] == "/portal")
            #expect(try await browser.page.get("/portal").status == 200)
            #expect(try await MemberBrowser(app).enter(link).status == 410, "a link works once")

            let late = try await MemberBrowser(app).askForLink("anna@members.test")
            app.clock.advance(ms: MagicLink.lifeMs)
            #expect(try await MemberBrowser(app).enter(late).status == 410, "a link ends")
            #expect(try await MemberBrowser(app).enter("/portal/enter?token=\(SessionToken().text)").status == 410)
            #expect(try await MemberBrowser(app).enter("/portal/enter?token=x").status == 410)
        }
    }

    @Test(arguments: Engine.allCases)
    func nobodyLearnsWhetherAnAddressIsKnown(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            var answers: [String] = []
            for email in ["anna@members.test", "nobody@members.test"] {
                let reply = try await PageVisitor(app).submit("/portal/sign-in", from: "/portal/sign-in", ["email": email])
                #expect(reply.status == 200)
                answers.append(reply.text.replacing(email, with: "…"))
            }
            #expect(answers[0] == answers[1])
            #expect(try await app.letters(to: "nobody@members.test").isEmpty)
            // However often somebody asks, a mailbox gets a few letters only.
            for _ in 0..<8 { _ = try await PageVisitor(app).submit("/portal/sign-in", from: "/portal/sign-in", ["email": "anna@members.test"]) }
            #expect(try await app.letters(to: "anna@members.test").compactMap(\.signInURL).count == Int(MagicLink.goodMax))
        }
    }

    @Test(arguments: Engine.allCases)
    func sessionsRotateEndAndCanAllBeEnded(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let id = try await app.member(program, "anna")
            let phone = MemberBrowser(app)
            let laptop = MemberBrowser(app)
            try await phone.signIn("anna@members.test")
            try await laptop.signIn("anna@members.test")
            app.clock.advance(ms: PortalDoor.rotateMs)
            #expect(try await phone.page.get("/portal").headers[.setCookie]?.hasPrefix("__Host-kith_member=") == true, "an old token is replaced")
            #expect(try await phone.page.get("/portal").headers[.setCookie] == nil)
            #expect(try await phone.page.submit("/portal/sign-out", from: "/portal/profile", ["everywhere": "true"]).status == 303)
            #expect(try await phone.page.get("/portal").status == 303)
            #expect(try await laptop.page.get("/portal").status == 303, "signed out everywhere")

            try await phone.signIn("anna@members.test")
            app.clock.advance(ms: PortalDoor.idleMs)
            #expect(try await phone.page.get("/portal").status == 303, "nobody used it for too long")
            try await phone.signIn("anna@members.test")
            _ = try await app.patch("/members/\(id)", ["status": "terminated"])
            #expect(try await phone.page.get("/portal").status == 303, "who was terminated is out at once")
            let letters = try await app.letters(to: "anna@members.test").count
            _ = try await phone.page.submit("/portal/sign-in", from: "/portal/sign-in", ["email": "anna@members.test"])
            #expect(try await app.letters(to: "anna@members.test").count == letters)
        }
    }

    @Test(arguments: Engine.allCases)
    func suspendedMembersSeeAndCannotTake(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna, _) = try await app.twoEarners()
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            _ = try await browser.page.submit("/portal/account", from: "/portal/profile", ["kind": "iban", "holder": "Anna", "iban": "DE89370400440532013000"])
            _ = try await app.patch("/members/\(anna)", ["status": "suspended"])
            #expect(try await browser.page.get("/portal/earnings").status == 200)
            let before = try await app.rowCounts()
            _ = try await browser.page.submit("/portal/payout-requests", from: "/portal/profile", ["programId": program])
            #expect(try await app.rowCounts()["payout_request"] == before["payout_request"], "nothing is set aside")
            #expect(try await browser.page.submit("/portal/links", from: "/portal/profile", ["programId": program]).status != 303)
        }
    }

    @Test(arguments: Engine.allCases)
    func othersRowsAreNotThere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna, ben) = try await app.twoEarners()
            let commissions = try await app.get("/commissions")["data"].list
            let hers = try #require(commissions.first { $0["memberId"].text == anna }?["id"].text)
            let his = try #require(commissions.first { $0["memberId"].text == ben }?["id"].text)
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.get("/portal/earnings/\(hers)").status == 200)
            #expect(try await browser.page.get("/portal/earnings/\(his)").status == 404)
            #expect(try await browser.page.get("/portal/earnings/\(CommissionID(stored: "com_00000000000000000000000000").text)").status == 404)

            // His request cannot be taken back by her, nor can she ask in a program that is not hers.
            _ = try await app.put("/members/\(ben)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000", "holder": "Ben"])
            let request = try await app.post("/members/\(ben)/payout-requests", ["programId": .text(program)])["id"].text
            #expect(try await browser.page.submit("/portal/payout-requests/\(request)/cancellation", from: "/portal/profile").status == 404)
            #expect(try await app.get("/payout-requests")["data"].list.first { $0["id"].text == request }?["state"].text == "waiting")
            let other = try await app.program()
            #expect(try await browser.page.submit("/portal/payout-requests", from: "/portal/profile", ["programId": other]).status == 404)

            // Her data names nobody else, and no buyer.
            let data = try await browser.page.get("/portal/data.json").text
            #expect(data.contains("anna@members.test") && !data.contains(ben) && !data.contains("ben@members.test") && !data.contains("buyer"))
            let receipt = try await browser.page.get("/portal/earnings/\(hers)").text
            #expect(!receipt.contains("buyer-anna") && !receipt.contains("ben@") && !receipt.contains(">ben<"))

            // A member is nobody to the team's pages, and the team nobody to the portal.
            #expect(try await browser.page.get("/members").headers[.location]?.hasPrefix("/sign-in") == true)
            #expect(try await browser.page.get("/sales").headers[.location]?.hasPrefix("/sign-in") == true)
            let team = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            #expect(try await team.get("/portal").headers[.location] == "/portal/sign-in")
        }
    }

    @Test(arguments: Engine.allCases)
    func formsOfOtherSitesChangeNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _, _) = try await app.twoEarners()
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let stranger = MemberBrowser(app)
            try await stranger.signIn("ben@members.test")
            let foreign = try PageVisitor.field("csrfToken", in: try await stranger.page.get("/portal/profile").text)
            let before = try await app.rowCounts()
            for proof in ["", "x", foreign] {
                for (path, fields) in [
                    ("/portal/profile", ["name": "Mallory"]), ("/portal/letters", [:]), ("/portal/erasure", [:]), ("/portal/sign-out", [:]),
                    ("/portal/account", ["kind": "iban", "holder": "Mallory", "iban": "DE89370400440532013000"]),
                    ("/portal/payout-requests", ["programId": program]), ("/portal/links", ["programId": program]),
                ] {
                    #expect(try await browser.page.post(path, fields.merging(["csrfToken": proof]) { one, _ in one }).status == 403, "\(path)")
                }
            }
            #expect(try await app.rowCounts() == before)
            #expect(try await browser.page.get("/portal").status == 200, "still signed in")
            // Without the cookie of the form, a letter's link stays unused.
            let link = try await MemberBrowser(app).askForLink("anna@members.test")
            let thief = PageVisitor(app)
            #expect(try await thief.post("/portal/enter", ["token": String(link.split(separator: "=").last ?? "")]).status == 403)
            #expect(try await MemberBrowser(app).enter(link).status == 303)
        }
    }

    @Test(arguments: Engine.allCases)
    func oneAddressInTwoWorkspacesIsTwoPeople(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let here = try await app.program()
            _ = try await app.member(here, "anna")
            let live = try await app.post("/programs", ["name": "Live", "currency": "EUR"], as: app.liveKey)["id"].text
            _ = try await app.post("/members", ["programId": .text(live), "email": "anna@members.test", "name": "Anna Live"], as: app.liveKey)
            _ = try await PageVisitor(app).submit("/portal/sign-in", from: "/portal/sign-in", ["email": "anna@members.test"])
            let links = try await app.letters(to: "anna@members.test").compactMap(\.signInURL)
            #expect(links.count == 2, "a letter of each company")
            var names: Set<String> = []
            for link in links {
                let browser = MemberBrowser(app)
                #expect(try await browser.enter(String(link.dropFirst(app.installation.baseURL.count))).status == 303)
                names.insert(try PageVisitor.field("name", in: try await browser.page.get("/portal/profile").text.replacing("id=\"name\" name", with: "name")))
            }
            #expect(names == ["anna", "Anna Live"])
        }
    }
}

/// What members see adds up, and what they do is done.
struct PortalDoingTests {
    @Test(arguments: Engine.allCases)
    func fromEarningToPayment(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna, _) = try await app.twoEarners()
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let page = try await browser.page.get("/portal/earnings").text
            #expect(page.contains("€10.00"), "what the ledger says is available")
            #expect(try await app.balance(anna)[2] == 1_000)
            #expect(try await browser.page.submit("/portal/account", from: "/portal/profile", ["kind": "iban", "holder": "Anna", "iban": "DE00370400440532013000"]).status == 422)
            #expect(try await browser.page.submit("/portal/account", from: "/portal/profile", ["kind": "iban", "holder": "Anna", "iban": "DE89 3704 0044 0532 0130 00"]).status == 303)
            for _ in 0..<3 { #expect(try await browser.page.submit("/portal/payout-requests", from: "/portal/profile", ["programId": program]).status == 303) }
            #expect(try await app.balance(anna) == [0, 0, 0, 1_000, 0, 0], "asking thrice is asking once")
            let shown = try await browser.page.get("/portal/earnings").text
            let start = try #require(shown.range(of: "/portal/payout-requests/prq_"))
            let action = String(shown[start.lowerBound...].prefix { $0 != "\"" })
            #expect(try await browser.page.submit(action, from: "/portal/profile").status == 303)
            #expect(try await app.balance(anna)[2] == 1_000, "taken back")
        }
    }

    @Test(arguments: Engine.allCases)
    func profileLettersAndErasure(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let id = try await app.member(program, "anna")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.submit("/portal/profile", from: "/portal/profile", ["name": "Anna Ö.", "locale": "en", "timeZone": "Asia/Tokyo"]).status == 303)
            let member = try await app.get("/members/\(id)")
            #expect(member["name"].text == "Anna Ö." && member["timezone"].text == "Asia/Tokyo")
            #expect(try await browser.page.submit("/portal/profile", from: "/portal/profile", ["name": "", "timeZone": "Mars/Base"]).status == 422)
            #expect(try await browser.page.submit("/portal/letters", from: "/portal/profile").status == 303)
            #expect(try await app.rowCounts()["mail_stop"] == Int64(PortalProfile.stoppable.count))
            #expect(try await browser.page.submit("/portal/letters", from: "/portal/profile", ["letter": "commissionsApproved"]).status == 303)
            #expect(try await app.rowCounts()["mail_stop"] == Int64(PortalProfile.stoppable.count - 1))
            #expect(try await browser.page.submit("/portal/erasure", from: "/portal/profile").status == 303)
            #expect(try await app.letters(to: "owner@example.test").contains { if case .erasureAsked = $0 { true } else { false } })
            #expect(try await app.get("/members/\(id)")["status"].text == "active", "a person of the team erases")
        }
    }

    @Test(arguments: Engine.allCases)
    func newTermsAreAskedForAgain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            for version in 1...2 {
                _ = try await app.post("/programs/\(program)/terms", ["text": .text("Terms number \(version)")])
                #expect(try await browser.page.get("/portal/profile").text.contains("Terms number \(version)"))
                #expect(
                    try await browser.page.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": String(version + 1)]).status == 404,
                    "what nobody published cannot be accepted")
                #expect(try await browser.page.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": String(version)]).status == 303)
                #expect(!(try await browser.page.get("/portal/profile").text.contains("Terms number \(version)")))
            }
            #expect(try await app.rowCounts()["terms_acceptance"] == 2)
            #expect(try await browser.page.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": "1"]).status == 404)
        }
    }
}

extension AppHarness {
    /// Two members with €10.00 each, free to be paid.
    func twoEarners() async throws -> (program: String, anna: String, ben: String) {
        let program = try await program(["allowedHosts": ["shop.example"]])
        _ = try await percentRule(program, "0.10")
        var members: [String] = []
        for name in ["anna", "ben"] {
            let id = try await member(program, name)
            members.append(id)
            let code = try await post("/links", ["programId": .text(program), "memberId": .text(id), "destination": "https://shop.example/", "code": .text("CODE-\(name)")])["code"].text
            _ = try await post(
                "/track/sale",
                [
                    "customerExternalId": .text("buyer-\(name)"), "customerEmail": .text("buyer-\(name)@mail.test"), "amount": 10_000, "currency": "EUR",
                    "invoiceId": .text("order-\(name)"), "code": .text(code),
                ])
        }
        try await moveClock(days: 31)
        return (program, members[0], members[1])
    }
}
