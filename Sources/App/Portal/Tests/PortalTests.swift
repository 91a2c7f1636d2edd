import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A member's way in and what they see: only their own.
@Suite struct PortalTests {
    @Test(arguments: Engine.allCases) func fromTheJoinPageToTheFirstEarnings(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"], "minimumPayout": 100])
            _ = try await app.percentRule(program, "0.10")
            let page = try await app.put(
                "/programs/\(program)/join-page",
                ["isOpen": true, "approval": "automatic", "questions": [["label": "Where do you share?", "isRequired": true]]])
            _ = try await app.post("/programs/\(program)/terms", ["text": "Be kind & <fair>."])
            let path = page["path"].text
            let phone = PageVisitor(app)
            let form = try await phone.get(path)
            #expect(form.status == 200)
            #expect(form.text.contains("Be kind &amp; &lt;fair&gt;."))
            // Everything that is missing is said at once, and nothing is kept.
            let refused = try await phone.submit(path, from: path, ["name": "", "email": "x"])
            #expect(refused.status == 422)
            for id in ["name-error", "email-error", "answer0-error", "terms-error"] { #expect(refused.text.contains("id=\"\(id)\""), "\(id)") }
            let right = ["name": "Nadia <S>", "email": "nadia@friends.test", "answer0": "At work", "terms": "1"]
            let sent = try await phone.submit(path, from: path, right)
            #expect(sent.status == 200)
            #expect(try await app.get("/members")["data"].list.isEmpty, "nobody is a member before they confirmed")
            let link = try #require(try await app.letterLinks("joinConfirmation").first)
            let asked = try await phone.get(link)
            #expect(asked.status == 200)
            #expect(try await app.get("/members")["data"].list.isEmpty, "a program that follows links confirms nothing")
            let entered = try await phone.submit("/join-confirmation", from: link, ["token": Self.token(link)])
            #expect(entered.headers[.location] == "/portal")
            let home = try await phone.get("/portal")
            #expect(home.status == 200)
            #expect(home.text.contains("Nadia &lt;S&gt;"))
            // The link works once.
            #expect(try await PageVisitor(app).get(link).status == 410)

            let share = try await phone.submit("/portal/links", from: "/portal/share", ["programId": program, "code": "nadia"])
            #expect(share.headers[.location] == "/portal/share")
            #expect(try await phone.get("/portal/share").text.contains("/r/nadia"))
            #expect(try await phone.submit("/portal/links", from: "/portal/share", ["programId": program, "code": "NADIA"]).status == 422)
            _ = try await app.sale("inv-1", "c-1", 10_000, ["code": "nadia"])
            let earnings = try await phone.get("/portal/earnings").text
            #expect(earnings.contains("€10.00"))
            let line = try #require(earnings.firstMatch(of: /\/portal\/earnings\/com_[0-9a-z]{26}/)).output
            let receipt = try await phone.get(String(line))
            #expect(receipt.status == 200)
            #expect(receipt.text.contains("€100.00") && receipt.text.contains("10%") && receipt.text.contains("€10.00"))
            #expect(!receipt.text.contains("c-1"), "the buyer is not named")

            // The hold ends, an account is set, and the money is asked for, once.
            try await app.moveClock(days: 31)
            #expect(try await phone.submit("/portal/account", from: "/portal/profile", ["kind": "iban", "holder": "Nadia", "iban": "DE00"]).status == 422)
            #expect(
                try await phone.submit("/portal/account", from: "/portal/profile", ["kind": "iban", "holder": "Nadia", "iban": "DE89 3704 0044 0532 0130 00"])
                    .status == 303)
            for _ in 0..<2 { #expect(try await phone.submit("/portal/payout-requests", from: "/portal/profile", ["programId": program]).status == 303) }
            let requests = try await app.get("/payout-requests")["data"].list
            #expect(requests.map { $0["amount"].integer } == [1_000])
            #expect(try await phone.get("/portal/earnings").text.contains("It is paid with the next batch"))
            // New terms are asked for again, and what was agreed to is kept by version.
            _ = try await app.post("/programs/\(program)/terms", ["text": "Be kinder."])
            #expect(try await phone.get("/portal").text.contains("/portal/profile#terms"))
            #expect(try await phone.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": "1"]).status == 404)
            #expect(try await phone.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": "2"]).status == 303)
            #expect(!(try await phone.get("/portal").text.contains("/portal/profile#terms")))
            let versions = try await app.installation.main.read { try $0.rows("SELECT version FROM terms_acceptance ORDER BY version").map { try $0.get(at: 0, as: Int.self) } }
            #expect(versions == [1, 2])
        }
    }

    @Test(arguments: Engine.allCases) func linksInLettersSignInOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            _ = try await app.member(try await app.get("/programs")["data"].list.first["id"].text, "ben")
            let visitor = PageVisitor(app)
            #expect(try await visitor.get("/portal").headers[.location] == "/portal/sign-in")
            // Known or not: the same answer.
            let known = try await visitor.submit("/portal/sign-in", from: "/portal/sign-in", ["email": "ANNA@members.test"])
            let unknown = try await visitor.submit("/portal/sign-in", from: "/portal/sign-in", ["email": "nobody@members.test"])
            #expect(known.status == unknown.status)
            #expect(known.text.replacing("anna@members.test", with: "*") == unknown.text.replacing("nobody@members.test", with: "*"))
            let links = try await app.letterLinks("memberSignIn")
            #expect(links.count == 1)
            let link = try #require(links.first)
            let stored = try await app.installation.main.read { try $0.rows("SELECT token_hash FROM magic_link").map { try $0.get(at: 0, as: [UInt8].self) } }
            #expect(stored.count == 1 && stored[0].count == 32, "only a hash is kept")
            // A letter opened elsewhere: another browser's proof does not fit this one's form.
            _ = try await visitor.get(link)
            #expect(try await visitor.submit("/portal/enter", from: link, ["token": Self.token(link)]).headers[.location] == "/portal")
            #expect(try await visitor.get("/portal").status == 200)
            let late = PageVisitor(app)
            #expect(try await late.get(link).status == 410)
            #expect(try await late.submit("/portal/enter", from: "/portal/sign-in", ["token": Self.token(link)]).status == 410)
            // An old link is no good.
            _ = try await late.submit("/portal/sign-in", from: "/portal/sign-in", ["email": "anna@members.test"])
            let second = try #require(try await app.letterLinks("memberSignIn").last)
            app.clock.advance(ms: MagicLink.lifeMs + 1)
            #expect(try await late.get(second).status == 410)
            // A stranger's form is refused, and so is one without its proof.
            #expect(try await visitor.post("/portal/letters", ["letter": "memberWelcome"]).status >= 400)
            // Terminated: out at once.
            _ = try await app.patch("/members/\(anna)", ["status": "terminated"])
            #expect(try await visitor.get("/portal").headers[.location] == "/portal/sign-in")
        }
    }

    @Test(arguments: Engine.allCases) func nobodySeesAnothersMoney(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            _ = try await app.percentRule(program, "0.10")
            let ben = try await app.member(program, "ben")
            _ = try await app.sale("inv-1", "c-1", 10_000, ["code": "anna"])
            let commission = try await app.get("/commissions?memberId=\(anna)")["data"].list.first["id"].text
            let other = try await app.signInMember(ben)
            let own = try await app.signInMember(anna)
            #expect(try await own.get("/portal/earnings/\(commission)").status == 200)
            #expect(try await other.get("/portal/earnings/\(commission)").status == 404)
            #expect(!(try await other.get("/portal/earnings").text.contains(commission)))
            #expect(!(try await other.get("/portal/data.json").text.contains(commission)))
            let data = try await own.get("/portal/data.json")
            #expect(data.text.contains(commission) && data.text.contains("anna@members.test"))
            // Another's request cannot be taken back.
            try await app.moveClock(days: 31)
            _ = try await app.put("/members/\(anna)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000", "holder": "Anna"])
            let request = try await app.post("/members/\(anna)/payout-requests", ["programId": .text(program)])["id"].text
            #expect(try await other.submit("/portal/payout-requests/\(request)/cancellation", from: "/portal/profile").status == 404)
            #expect(try await own.submit("/portal/payout-requests/\(request)/cancellation", from: "/portal/profile").status == 303)
            // An operator's session is none of the portal's, and the other way round.
            #expect(try await own.get("/members").headers[.location]?.hasPrefix("/sign-in") == true)
            let operator_ = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            #expect(try await operator_.get("/portal").headers[.location] == "/portal/sign-in")
        }
    }

    @Test(arguments: Engine.allCases) func sessionsRotateAndEnd(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let phone = try await app.signInMember(anna)
            let laptop = try await app.signInMember(anna)
            app.clock.advance(ms: PortalDoor.rotateMs)
            #expect(try await phone.get("/portal").headers[values: .setCookie].contains { $0.hasPrefix("__Host-kith_member=") })
            #expect(try await phone.get("/portal").status == 200)
            #expect(try await phone.submit("/portal/sign-out", from: "/portal/profile", ["everywhere": "true"]).status == 303)
            #expect(try await laptop.get("/portal").headers[.location] == "/portal/sign-in")
            let idle = try await app.signInMember(anna)
            app.clock.advance(ms: PortalDoor.idleMs)
            #expect(try await idle.get("/portal").headers[.location] == "/portal/sign-in")
            let long = try await app.signInMember(anna)
            for _ in 0..<4 {
                app.clock.advance(ms: PortalDoor.lifeMs / 4)
                _ = try await long.get("/portal")
            }
            #expect(try await long.get("/portal").headers[.location] == "/portal/sign-in", "a session ends, however often it is used")
        }
    }

    @Test(arguments: Engine.allCases) func aMemberDecidesTheirOwn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let phone = try await app.signInMember(anna)
            let wrong = try await phone.submit("/portal/profile", from: "/portal/profile", ["name": " ", "timeZone": "Moon/Sea"])
            #expect(wrong.status == 422)
            #expect(
                try await phone.submit("/portal/profile", from: "/portal/profile", ["name": "Anna B.", "timeZone": "America/Lima", "locale": "en"]).status == 303)
            let member = try await app.get("/members/\(anna)")
            #expect(member["name"].text == "Anna B.")
            #expect(member["timezone"].text == "America/Lima")
            _ = try await phone.submit("/portal/letters", from: "/portal/profile")
            let stopped = try await app.installation.main.read { try $0.value("SELECT count(*) FROM mail_stop", as: Int.self) }
            #expect(stopped == PortalProfile.stoppable.count)
            _ = try await phone.submit("/portal/letters", from: "/portal/profile", ["letter": "commissionsApproved"])
            #expect(try await app.installation.main.read { try $0.value("SELECT count(*) FROM mail_stop", as: Int.self) } == PortalProfile.stoppable.count - 1)
            #expect(try await phone.submit("/portal/erasure", from: "/portal/profile").status == 303)
            #expect(try await app.letterLinks("erasureAsked").count == 1)
            // Suspended: they see what they have, and begin nothing new.
            _ = try await app.patch("/members/\(anna)", ["status": "suspended"])
            #expect(try await phone.get("/portal").status == 200)
            let program = try await app.get("/programs")["data"].list.first["id"].text
            #expect(try await phone.submit("/portal/links", from: "/portal/profile", ["programId": program]).status == 403)
        }
    }

    static func token(_ link: String) -> String { String(link.split(separator: "token=").last ?? "") }
}

extension AppHarness {
    /// The addresses in letters of a kind, the oldest first, without the server's own part.
    func letterLinks(_ kind: String) async throws -> [String] {
        let vault = installation.vault
        return try await installation.main.read { connection in
            let wanted = Mail.Kind(rawValue: kind)
            return try MailStore.newest(limit: 1_000, on: connection).filter { $0.kind == wanted }.reversed().compactMap { mail -> String? in
                let url: String? =
                    switch try MailStore.letter(mail, vault: vault, on: connection)?.content {
                    case .memberSignIn(let url), .joinConfirmation(_, let url), .applicationWaiting(_, let url), .erasureAsked(let url): url
                    default: nil
                    }
                return url.map { String($0.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }) }
            }
        }
    }

    /// A browser in which this member is signed in.
    func signInMember(_ id: String) async throws -> PageVisitor {
        let browser = PageVisitor(self)
        let installation = installation
        let member = MemberID(stored: id)
        let token = try await installation.write(twinID, actor: .system("test")) { write in try MagicLink.make(for: member, in: write) }
        let link = MagicLink.path + "?token=" + (token?.text ?? "")
        _ = try await browser.submit("/portal/enter", from: link, ["token": PortalTests.token(link)])
        return browser
    }
}
