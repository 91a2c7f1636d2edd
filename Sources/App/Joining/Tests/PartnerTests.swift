import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Partners who are invited by name, what to look at before somebody is let in, and what each place brings.
@Suite struct PartnerTests {
    private static func invite(_ app: AppHarness, _ program: String, _ name: String, source: String = "fair-2026") async throws -> Reply {
        try await app.api(
            .post, "/partner-invitations", ["programId": .text(program), "name": .text(name), "email": .text("\(name.lowercased())@partners.test"), "source": .text(source)])
    }

    private static func links(_ app: AppHarness, to email: String) async throws -> [String] {
        try await app.letters(to: email).compactMap { if case .partnerInvitation(_, _, let url) = $0 { String(url.dropFirst(app.installation.baseURL.count)) } else { nil } }
    }

    @Test(arguments: Engine.allCases)
    func fromTheLetterToTheApplication(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await app.joinPage("byHand")
            let made = try await Self.invite(app, program, "Olga").success("inviting")
            #expect(made["state"].text == "invited" && made["name"].text == "Olga" && made["source"].text == "fair-2026")
            let first = try #require(try await Self.links(app, to: "olga@partners.test").first)
            #expect(first.hasPrefix(path + "?invitation="))
            let id = made["id"].text
            _ = try await app.api(.post, "/partner-invitations/\(id)/letters").success("again")
            let link = try #require(try await Self.links(app, to: "olga@partners.test").first { $0 != first })
            #expect(try await !PageVisitor(app).get(first).text.contains("olga@partners.test"), "the link before leads to the page alone")
            let browser = MemberBrowser(app)
            let page = try await browser.page.get(link)
            #expect(page.text.contains("value=\"Olga\"") && page.text.contains("value=\"olga@partners.test\"") && page.headers[.xRobotsTag] == "noindex")
            let token = String(link.split(separator: "=").last ?? "")
            _ = try await browser.apply(path, "olga@partners.test", ["invitation": token, "from": "elsewhere"])
            let url = try #require(try await app.letters(to: "olga@partners.test").compactMap(\.confirmationURL).first)
            #expect(try await browser.confirm(url).status == 200)
            let application = try #require(try await app.get("/applications")["data"].list.first)
            #expect(application["source"].text == "fair-2026", "the invitation says where from, not the address")
            #expect(application["partnerInvitationId"].text == id)
            let after = try #require(try await app.get("/partner-invitations")["data"].list.first)
            #expect(after["state"].text == "accepted" && after["name"] == .null && after["email"] == .null, "the application knows them from here on")
            #expect(try await !PageVisitor(app).get(link).text.contains("olga@partners.test"), "used")
            #expect(try await app.api(.post, "/partner-invitations/\(id)/letters").code == "invitation_ended")
            #expect(try await app.api(.delete, "/partner-invitations/\(id)").status == 409)
        }
    }

    @Test(arguments: Engine.allCases)
    func endedWithdrawnAndRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let closed = try await app.program(["name": "Closed"])
            #expect(try await Self.invite(app, closed, "Olga").code == "join_page_closed")
            let (program, path) = try await app.joinPage("byHand")
            for bad: JSONValue in [
                ["programId": .text(program), "name": "", "email": "a@b.test", "source": "x"], ["programId": .text(program), "name": "A", "email": "b.test", "source": "x"],
                ["programId": .text(program), "name": "A", "email": "a@b.test", "source": "two words"], ["programId": .text(program), "name": "A", "email": "a@b.test", "source": "direct"],
                ["programId": "prog_00000000000000000000000000", "name": "A", "email": "a@b.test", "source": "x"],
            ] { #expect(try await app.api(.post, "/partner-invitations", bad).status == 422, "\(bad)") }
            let id = try await Self.invite(app, program, "Pia").success("it")["id"].text
            for _ in 1..<PartnerInvitation.sendsMax { _ = try await app.api(.post, "/partner-invitations/\(id)/letters").success("again") }
            #expect(try await app.api(.post, "/partner-invitations/\(id)/letters").code == "sent_often_enough")
            let link = try #require(try await Self.links(app, to: "pia@partners.test").first)
            let withdrawn = try await app.api(.delete, "/partner-invitations/\(id)").success("withdrawn")
            #expect(withdrawn["state"].text == "withdrawn" && withdrawn["email"] == .null)
            #expect(try await app.api(.delete, "/partner-invitations/\(id)").status == 200, "twice is once")
            #expect(try await !PageVisitor(app).get(link).text.contains("pia@"))
            // A link that has ended fills nothing in; who let it rest is forgotten thirty days later.
            _ = try await Self.invite(app, program, "Rosa").success("it")
            let rosa = try #require(try await Self.links(app, to: "rosa@partners.test").first)
            try await app.moveClock(days: 15)
            #expect(try await !PageVisitor(app).get(rosa).text.contains("rosa@"))
            let browser = MemberBrowser(app)
            _ = try await browser.apply(path, "rosa@partners.test", ["invitation": String(rosa.split(separator: "=").last ?? "")])
            let url = try #require(try await app.letters(to: "rosa@partners.test").compactMap(\.confirmationURL).first)
            _ = try await browser.confirm(url)
            #expect(try await app.get("/applications")["data"].list.first?["partnerInvitationId"] == .null)
            #expect(try await app.get("/partner-invitations")["data"].list.first { $0["name"].text == "Rosa" }?["isExpired"] == .boolean(true))
            try await app.moveClock(days: 31)
            try await app.installation.write(app.twinID, actor: .system("test")) { write in try PartnerInvitation.forgetDue(in: write) }
            #expect(try await app.get("/partner-invitations")["data"].list.allSatisfy { $0["email"] == .null && $0["state"].text == "withdrawn" })
            #expect(try await app.api(.get, "/partner-invitations", as: app.publishableKey).status == 403)
        }
    }

    @Test(arguments: Engine.allCases)
    func hintsNameWhatToLookAt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.example"]])
            let path = try await app.put(
                "/programs/\(program)/join-page", ["isOpen": true, "approval": "byHand", "questions": [["label": "Telephone"]]])["path"].text
            _ = try await app.post("/members", ["programId": .text(program), "email": "nadia.sommer@gmail.com", "name": "Nadia Sommer"])
            @Sendable func apply(_ browser: MemberBrowser, _ name: String, _ email: String, _ phone: String = "") async throws {
                _ = try await browser.page.submit(path, from: path, ["name": name, "email": email, "answer0": phone])
                let url = try #require(try await app.letters(to: email).compactMap(\.confirmationURL).first)
                #expect(try await browser.confirm(url).status == 200)
            }
            let browser = MemberBrowser(app)
            try await apply(browser, "Nadia S", "nadiasommer+2@gmail.com", "+43 (0)660 123 45 67")
            try await apply(browser, "Otto", "otto@team.mailinator.com", "0043 660 1234567")
            try await apply(MemberBrowser(app), "Quiet", "quiet@people.test", "none of it")
            // Anybody can type anybody's mailbox: what was never confirmed tells nothing of it.
            _ = try await PageVisitor(app).submit(path, from: path, ["name": "Nobody", "email": "quiet@people.test"])
            let found = try await app.get("/applications?state=waiting")["data"].list
            func kinds(_ name: String) -> [String: JSONValue] {
                Dictionary((found.first { $0["name"].text == name }?["hints"].list ?? []).map { ($0["kind"].text, $0) }, uniquingKeysWith: { first, _ in first })
            }
            let nadia = kinds("Nadia S")
            #expect(nadia["memberMailbox"]?["memberIds"].list.count == 1)
            #expect(nadia["applicantPhone"]?["applicationIds"].list.count == 1 && nadia["applicantBrowser"]?["count"].integer == 1)
            #expect(nadia["disposableMail"] == nil)
            #expect(kinds("Otto")["disposableMail"]?["domain"].text == "mailinator.com")
            let quiet = kinds("Quiet")
            #expect(quiet["applicantMailbox"] == nil && quiet["applicantPhone"] == nil && quiet["applicantBrowser"] == nil && quiet["memberMailbox"] == nil)
            let page = try await app.page("/applications").text
            for words in ["A member has this mailbox: Nadia Sommer", "Somebody else gave this telephone number: Otto", "Mailboxes of mailinator.com are to be thrown away"] {
                #expect(page.contains(words), "\(words)")
            }
            // Nobody is turned away by a hint, and the erased leave no trait.
            let id = try #require(found.first { $0["name"].text == "Otto" })["id"].text
            _ = try await app.api(.post, "/applications/\(id)/approval").success("approved")
            #expect(try await app.get("/applications?state=approved")["data"].list.first?["hints"].list.isEmpty == true)
            let before = try await app.rowCounts()["application_trait"] ?? 0
            let person = try await app.installation.person(named: try #require(found.first { $0["name"].text == "Nadia S" })["id"].text)
            let erased = try #require(person)
            try await app.installation.erase(person: erased.person, in: erased.workspace, actor: .system("test"))
            #expect(try await app.rowCounts()["application_trait"] ?? 0 < before)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatEachSourceBrings(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"], "holdDays": 0])
            _ = try await app.percentRule(program, "0.10")
            let path = try await app.put("/programs/\(program)/join-page", ["isOpen": true, "approval": "automatic"])["path"].text
            @Sendable func join(_ name: String, _ from: String?) async throws -> String {
                let browser = MemberBrowser(app)
                let there = path + (from.map { "?from=\($0)" } ?? "")
                let shown = try await browser.page.get(there).text
                _ = try await browser.page.submit(
                    path, from: there, ["name": name, "email": "\(name)@people.test", "from": try PageVisitor.field("from", in: shown)])
                let url = try #require(try await app.letters(to: "\(name)@people.test").compactMap(\.confirmationURL).first)
                _ = try await browser.confirm(url)
                return try #require(try await app.get("/members")["data"].list.first { $0["email"].text == "\(name)@people.test" })["id"].text
            }
            let anna = try await join("anna", "Instagram")
            _ = try await join("bea", "instagram")
            _ = try await join("cem", nil)
            _ = try await join("dora", "member")
            try await app.link(program, anna, code: "anna")
            _ = try await app.sale("inv-1", "c-1", 10_000, ["code": "anna"])
            _ = try await app.sale("inv-2", "c-2", 30_000, ["code": "anna"])
            _ = try await app.post("/track/refund", ["invoiceId": "inv-1", "refundId": "r-1"])
            let found = try await app.get("/programs/\(program)/sources").elements
            #expect(found.map { $0["source"].text } == ["direct", "instagram"], "words that mean something else are no words: \(found)")
            let instagram = try #require(found.last)
            #expect(instagram["applications"].integer == 2 && instagram["approved"].integer == 2 && instagram["settled"].integer == 0)
            #expect(instagram["sales"].integer == 2 && instagram["salesAmount"].integer == 40_000 && instagram["refundedAmount"].integer == 10_000)
            #expect(instagram["cost"].integer == 3_000)
            try await app.moveClock(days: 31)
            _ = try await app.sale("inv-3", "c-3", 1_000, ["code": "anna"])
            let later = try #require(try await app.get("/programs/\(program)/sources").elements.last)
            #expect(later["settled"].integer == 2 && later["active"].integer == 1)
            let page = try await app.page("/applications/sources").text
            #expect(page.contains("instagram") && page.contains("1 of 2") && page.contains("Not known"))
            #expect(try await app.api(.get, "/programs/prog_00000000000000000000000000/sources").status == 404)
        }
    }

    @Test func phonesAndDomains() {
        for (text, phone) in [("+43 (0)660 123 45 67", "436601234567"), ("0043-660/1234567", "436601234567"), ("call me", nil), ("12", nil), ("1234567890123456", nil)] {
            #expect(ApplicationTrait.phone(text) == phone, "\(text)")
        }
        for (email, domain) in [("a@yopmail.com", "yopmail.com"), ("a@x.y.grr.la", "grr.la"), ("a@notyopmail.com", nil), ("a@la", nil)] {
            #expect(DisposableMail.domain(of: email) == domain, "\(email)")
        }
    }

    @Test func questionsUseAnIndex() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (workspace, now) = (app.twinID, AppHarness.start)
            let scans = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                for trait in ApplicationTrait.allCases {
                    _ = try ApplicationTraitStore.others(with: trait, of: ApplicationID(stored: "app_x"), in: workspace, limit: 5, on: plans)
                }
                _ = try ApplicationTraitStore.members(mailbox: [1], in: workspace, limit: 5, on: plans)
                _ = try PartnerInvitationStore.find(token: SessionToken().text, of: ProgramID(stored: "prog_x"), at: now, on: plans)
                _ = try PartnerInvitationStore.newest(in: workspace, limit: 10, on: plans)
                _ = try PartnerInvitationStore.workspacesDue(before: now, on: plans)
                return plans.scans
            }
            #expect(scans.isEmpty, "\(scans)")
        }
    }
}
