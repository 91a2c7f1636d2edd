import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What a member sees of their money: every figure opens what makes it up, every line what explains it, and nothing of anybody else.
struct PortalMoneyTests {
    /// Anna earned €10.00 and was paid it, earned €20.00 that is in a payout, lost the first by a return, and earned €30.00 that is pending.
    private func story(_ app: AppHarness) async throws -> (anna: String, browser: PageVisitor, payout: String) {
        let program = try await app.program(["allowedHosts": ["shop.test"]])
        _ = try await app.percentRule(program, "0.10")
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "ANNA")
        try await app.put("/members/\(anna)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000", "holder": "Anna"])
        let second = try await app.secondPersonsKey()
        func pay() async throws -> String {
            try await app.moveClock(days: 31)
            let cutoff = try await app.get("/workspace")["now"].text
            let id = try await app.post("/payouts", ["programId": .text(program), "cutoff": .text(cutoff), "dryRun": false])["id"].text
            _ = try await app.api(.post, "/payouts/\(id)/approval", nil, as: second).success("approval")
            return id
        }
        try await app.sale("order-1", "buyer-1", 10_000, ["code": "ANNA"])
        let first = try await pay()
        try await app.api(.post, "/payouts/\(first)/dispatch").success("dispatch")
        _ = try await app.post("/payouts/\(first)/outcomes", ["memberId": .text(anna), "outcome": "paid", "reference": "bank-1"])
        try await app.sale("order-2", "buyer-2", 20_000, ["code": "ANNA"])
        let payout = try await pay()
        try await app.sale("order-3", "buyer-3", 30_000, ["code": "ANNA"])
        try await app.refund("order-1", "back-1")
        return (anna, try await app.signInMember(anna), payout)
    }

    @Test(arguments: Engine.allCases)
    func everyFigureOpensRowsThatAddUpToIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (anna, browser, _) = try await story(app)
            let balance = try await app.balance(anna)
            #expect(balance == [3_000, 0, 0, 2_000, 1_000, 1_000], "pending, held, available, in payout, paid, owed back")
            let earnings = try await browser.get("/portal/earnings").text
            for (figure, minor) in zip([PortalFigure.pending, .held, .available, .inPayout, .paid, .debt], balance) {
                let address = "/portal/balance/\(figure.rawValue)?unit=EUR"
                #expect(earnings.contains("href=\"\(address)\""), "\(figure) opens")
                let page = try await browser.get(address)
                #expect(page.status == 200)
                #expect(Self.amounts(page.text).reduce(0, +) == minor, "\(figure): \(Self.amounts(page.text))")
                #expect(!page.text.contains("order-") && !page.text.contains("buyer-"))
            }
            // Lines lead to receipts and payments that are there.
            for figure in PortalFigure.allCases {
                for match in try await browser.get("/portal/balance/\(figure.rawValue)?unit=EUR").text.matches(of: /href="(\/portal\/(?:earnings|payments)\/[^"]+)"/) {
                    #expect(try await browser.get(String(match.output.1)).status == 200, "\(match.output.1)")
                }
            }
            #expect(try await browser.get("/portal/balance/nothing?unit=EUR").status == 404)
            #expect(try await browser.get("/portal/balance/paid").status == 404)
        }
    }

    /// The amounts of a figure's rows, in cents.
    private static func amounts(_ page: String) -> [Int64] {
        page.matches(of: /class="amt"><b>([^<]*)<\/b>/).map { match in
            let text = match.output.1
            let digits = Int64(text.filter(\.isNumber)) ?? 0
            return text.contains { $0 == "-" || $0 == "−" } ? -digits : digits
        }
    }

    @Test(arguments: Engine.allCases)
    func paymentsAndStatementsAreTheMembersOwn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, browser, payout) = try await story(app)
            let ben = try await app.member(try await app.get("/programs")["data"].list.first["id"].text, "ben")
            let other = try await app.signInMember(ben)
            let payment = try await browser.get("/portal/payments/\(payout)")
            #expect(payment.status == 200 && payment.text.contains("€20.00") && payment.text.contains("/portal/earnings/com_"))
            #expect(try await other.get("/portal/payments/\(payout)").status == 404)

            let list = try await browser.get("/portal/statements").text
            #expect(list.contains("/portal/payments/\(payout)"))
            let months = list.matches(of: /href="(\/portal\/statement\?[^"]+)"/).map { String($0.output.1).replacing("&amp;", with: "&") }
            #expect(months.count >= 3, "a statement for each month since they joined")
            #expect(!(try await other.get("/portal/statements").text.contains(payout)))
            let all = "from=2020-01-01&until=2029-12-31"
            let statement = try await browser.get("/portal/statement?\(all)")
            #expect(statement.status == 200)
            for words in ["10.00", "20.00", "30.00", "anna@members.test", "/portal/earnings/com_"] { #expect(statement.text.contains(words), "\(words)") }
            #expect(!statement.text.contains("order-"), "buyers' orders are none of the member's")
            #expect(!(try await other.get("/portal/statement?\(all)").text.contains("10.00")))
            for month in months { #expect(try await browser.get(month).status == 200) }
            let file = try await browser.get("/portal/statement.pdf?\(all)")
            #expect(file.status == 200 && file.headers[.contentType] == "application/pdf")
            #expect(String(decoding: file.body.prefix(5), as: UTF8.self) == "%PDF-")
            #expect(try await PageVisitor(app).get("/portal/statement.pdf?\(all)").status == 303, "nobody else's")
            #expect(try await browser.get("/portal/statement?from=2026-99-99").text.contains("of ten years at most"))
        }
    }

    @Test(arguments: Engine.allCases)
    func aReceiptSaysHowTheBuyerCameAndNamesNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            let ben = try await app.member(program, "ben")
            try await app.link(program, anna, code: "ANNA")
            try await app.link(program, ben, code: "SECRETWORD")
            _ = try await app.click("SECRETWORD", visitor: "v-1")
            app.clock.advance(ms: 60 * 60_000)
            let click = try await app.click("ANNA", visitor: "v-1")
            app.clock.advance(ms: 60_000)
            try await app.sale("order-1", "buyer-1", 10_000, ["clickId": .text(click), "customerName": "Piet Secret", "customerEmail": "piet@mail.test"])
            let line = try await app.get("/commissions?memberId=\(anna)")["data"].list.first["id"].text
            let receipt = try await app.signInMember(anna).get("/portal/earnings/\(line)").text
            for words in ["Your link ANNA", "A link of another member", "A later one counts", "It was the last link", "Takes the whole sale", "€10.00"] {
                #expect(receipt.contains(words), "\(words)")
            }
            for secret in ["SECRETWORD", "secretword", "ben", "Piet", "piet@", "buyer-1", "order-1", click] { #expect(!receipt.contains(secret), "\(secret)") }

            // The same buyer comes again: they are Anna's by now.
            try await app.sale("order-2", "buyer-1", 5_000, ["code": "no-such-word"])
            let later = try await app.get("/commissions?memberId=\(anna)")["data"].list.map { $0["id"].text }.first { $0 != line }
            let again = try await app.signInMember(anna).get("/portal/earnings/\(later ?? "")").text
            #expect(again.contains("is still yours") && again.contains("A code that nobody has") && !again.contains("no-such-word"))
        }
    }

    @Test(arguments: Engine.allCases)
    func lettersTellOfANewDeviceOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            func news() async throws -> Int { try await app.letters(to: "anna@members.test").filter { $0.kind == .memberNewSignIn }.count }
            let phone = MemberBrowser(app)
            try await phone.signIn("anna@members.test")
            #expect(try await news() == 0, "the first one ever is no news")
            _ = try await phone.page.submit("/portal/sign-out", from: "/portal/profile")
            try await phone.signIn("anna@members.test")
            #expect(try await news() == 0, "the same browser again")
            try await MemberBrowser(app).signIn("anna@members.test")
            #expect(try await news() == 1)
            #expect(!Mail.Kind.memberNewSignIn.canBeStopped && !Mail.Kind.applicationApproved.canBeStopped)
        }
    }

    @Test(arguments: Engine.allCases)
    func theLinksPageTellsNobodyItsAddress(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let link = try await MemberBrowser(app).askForLink("anna@members.test")
            let page = try await PageVisitor(app).get(link)
            #expect(page.headers[.referrerPolicy] == "same-origin")
            #expect(page.headers[.cacheControl] == "no-store")
            // Nothing on the page is loaded from anywhere else, so nobody is told of the token.
            #expect(page.text.matches(of: /(?:src|href)="(https?:)?\/\//).isEmpty)
            #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatWasAgreedAndStoppedIsKeptWithItsTime(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            for version in 1...2 {
                _ = try await app.post("/programs/\(program)/terms", ["text": .text("Terms number \(version)")])
                _ = try await browser.page.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": String(version)])
            }
            _ = try await browser.page.submit("/portal/letters", from: "/portal/profile", ["letter": "memberWelcome"])
            app.clock.advance(ms: 1_000)
            _ = try await browser.page.submit("/portal/letters", from: "/portal/profile", ["letter": "commissionsApproved"])
            let profile = try await browser.page.get("/portal/profile").text
            for words in ["version 1", "version 2", "Stopped: When something I earned", "Wanted again: When something I earned", "Stopped: When I join"] {
                #expect(profile.contains(words), "\(words)")
            }
            #expect(try await browser.page.get("/portal/terms/\(program)/1").text.contains("Terms number 1"), "what was agreed to can be read again")
            #expect(try await browser.page.get("/portal/terms/\(program)/3").status == 404)
            let stranger = try await app.program()
            _ = try await app.post("/programs/\(stranger)/terms", ["text": "Not hers"])
            #expect(try await browser.page.get("/portal/terms/\(stranger)/1").status == 404)
        }
    }
}
