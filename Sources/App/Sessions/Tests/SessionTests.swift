import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// How long a person of the team stays signed in, and what ends it.
@Suite struct SessionTests {
    private static let minuteMs: Int64 = 60_000

    private func signedIn(_ app: AppHarness) async throws -> PageVisitor {
        try await app.setOwnerPassword()
        let browser = PageVisitor(app)
        let reply = try await browser.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword)
        #expect(reply.status == 303 && reply.headers[.location] == "/")
        #expect(reply.headers[values: .setCookie].contains { $0.hasPrefix("__Host-kith_session=") && $0.contains("HttpOnly") && $0.contains("Secure") })
        #expect(try await browser.isSignedIn())
        return browser
    }

    /// The same cookies in another browser: what a thief would have.
    private func copy(_ browser: PageVisitor, _ app: AppHarness) -> PageVisitor {
        let other = PageVisitor(app)
        other[PageVisitor.session] = browser[PageVisitor.session]
        return other
    }

    @Test(arguments: Engine.allCases) func tokensAreReplacedAndOldOnesEnd(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let browser = try await signedIn(app)
            let first = browser[PageVisitor.session]
            app.clock.advance(ms: SessionDoor.rotateMs - 1)
            #expect(try await browser.isSignedIn())
            #expect(browser[PageVisitor.session] == first, "young tokens stay")
            let old = copy(browser, app)
            app.clock.advance(ms: 1)
            #expect(try await browser.isSignedIn())
            #expect(browser[PageVisitor.session] != first)
            // Requests under way may still bring the old one, and get no new one by it.
            app.clock.advance(ms: SessionDoor.graceMs - 1)
            #expect(try await old.isSignedIn())
            #expect(old[PageVisitor.session] == first)
            app.clock.advance(ms: 1)
            #expect(try await old.isSignedIn() == false)
            #expect(try await browser.isSignedIn())
            // Only hashes are stored.
            let stored = try await app.installation.main.read { connection in
                try connection.rows("SELECT token_hash FROM operator_session").map { try $0.get(at: 0, as: [UInt8].self) }
            }
            #expect(stored == [SessionToken(text: browser[PageVisitor.session] ?? "")?.hash])
        }
    }

    /// A form that was opened before the token was replaced can still be sent.
    @Test(arguments: Engine.allCases) func formsOutliveARotation(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let browser = try await signedIn(app)
            let page = try await browser.get("/links/new")
            let proof = page.text.firstMatch(of: /name="csrfToken" value="([^"]*)"/).map { String($0.1) } ?? ""
            #expect(!proof.isEmpty)
            app.clock.advance(ms: SessionDoor.rotateMs)
            _ = try await browser.get("/audit")
            var headers = Browser.chrome
            headers[.init("Sec-Fetch-Site") ?? .userAgent] = "same-origin"
            headers[.cookie] = "__Host-kith_session=\(browser[PageVisitor.session] ?? "")"
            headers[.contentType] = "application/x-www-form-urlencoded"
            let out = try await app.call(.post, "/sign-out", headers: headers, bytes: Array("csrfToken=\(proof)".utf8))
            #expect(out.status == 303)
            #expect(try await browser.isSignedIn() == false)
        }
    }

    @Test(arguments: Engine.allCases) func whoIsAwayTooLongSignsInAgain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let browser = try await signedIn(app)
            // Using it keeps it alive, within a minute of exactness.
            for _ in 0..<4 {
                app.clock.advance(ms: SessionDoor.idleMs - 2 * Self.minuteMs)
                #expect(try await browser.isSignedIn())
            }
            app.clock.advance(ms: SessionDoor.idleMs)
            #expect(try await browser.isSignedIn() == false)
            #expect(try await browser.get("/audit").headers[.location] == "/sign-in?next=%2Faudit")
        }
    }

    @Test(arguments: Engine.allCases) func nobodyStaysForEver(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let browser = try await signedIn(app)
            let step = SessionDoor.idleMs / 2
            var spent: Int64 = 0
            while spent + step < SessionDoor.lifeMs {
                app.clock.advance(ms: step)
                spent += step
                let isIn = try await browser.isSignedIn()
                #expect(isIn, "after \(spent) ms")
                if !isIn { return }
            }
            app.clock.advance(ms: SessionDoor.lifeMs - spent - 1)
            #expect(try await browser.isSignedIn())
            app.clock.advance(ms: 1)
            #expect(try await browser.isSignedIn() == false, "however often it is used")
        }
    }

    @Test(arguments: Engine.allCases) func aNewPasswordSignsOutEverywhere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let desk = try await signedIn(app)
            let phone = PageVisitor(app)
            try await phone.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword)
            #expect(try await phone.isSignedIn())
            let old = copy(phone, app)
            app.clock.advance(ms: SessionDoor.rotateMs)
            _ = try await phone.isSignedIn()
            let reset = try await CommandVerbs.resetPassword(JSONReader(["email": .text(AppHarness.ownerEmail)]), app.installation)
            for browser in [desk, phone, old] { #expect(try await browser.isSignedIn() == false) }
            #expect(try await desk.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword).status == 422)
            #expect(try await desk.signIn(AppHarness.ownerEmail, reset["password"].text).status == 303)
            #expect(try await desk.isSignedIn())
        }
    }

    @Test(arguments: Engine.allCases) func signingOutEndsOneSession(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let desk = try await signedIn(app)
            let stolen = copy(desk, app)
            let phone = PageVisitor(app)
            try await phone.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword)
            #expect(try await desk.submit("/sign-out", from: "/links/new").status == 303)
            #expect(try await stolen.isSignedIn() == false)
            #expect(try await phone.isSignedIn())
        }
    }

    /// Ten wrong passwords, and the account waits; it opens again by itself. The right password does not open it sooner.
    @Test(arguments: Engine.allCases) func tooManyTriesLockTheAccount(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.setOwnerPassword()
            func status(_ password: String) async throws -> Int { try await PageVisitor(app).signIn(AppHarness.ownerEmail, password).status }
            func tries(_ count: Int) async throws {
                for _ in 0..<count { #expect(try await status("a wrong password") == 422) }
            }
            // Nine and the right one: counted from the beginning again.
            try await tries(Operator.failuresMax - 1)
            #expect(try await status(AppHarness.ownerPassword) == 303)
            try await tries(Operator.failuresMax)
            #expect(try await status(AppHarness.ownerPassword) == 422)
            app.clock.advance(ms: Operator.lockMs - 1)
            #expect(try await status(AppHarness.ownerPassword) == 422)
            app.clock.advance(ms: 1)
            #expect(try await status(AppHarness.ownerPassword) == 303)
        }
    }

    /// Nobody learns from the answer who has an account.
    @Test(arguments: Engine.allCases) func refusalsLookAlike(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.setOwnerPassword()
            var pages: Set<String> = []
            for email in [AppHarness.ownerEmail, "nobody@example.test"] {
                let reply = try await PageVisitor(app).signIn(email, "a wrong password")
                #expect(reply.status == 422)
                pages.insert(
                    reply.text.replacing(email, with: "MAIL").replacing(/csrfToken" value="[^"]*"/, with: "").replacing(/nonce="[^"]*"/, with: ""))
            }
            #expect(pages.count == 1)
        }
    }
}
