import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A stolen password opens nothing once a phone is known, and money asks again.
struct SecondFactorTests {
    @Test(arguments: Engine.allCases)
    func signingInAsksForACodeAndTakesEachOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            let codes = try await person.setUpSecondFactor(app)
            #expect(codes.count == SecondFactor.recoveryCodes)

            let browser = PageVisitor(app)
            let asked = try await person.signIn(browser)
            #expect(asked.status == 200, "the password alone opens nothing")
            #expect(try await browser.get("/account").status == 303)
            app.clock.advance(ms: 60_000)
            let code = try await person.code(app)
            #expect(try await person.send(code, asked, browser).status == 303)
            #expect(try await browser.get("/account").status == 200)

            let other = PageVisitor(app)
            let again = try await person.signIn(other)
            #expect(try await person.send(code, again, other).status == 422, "no code works twice")
            app.clock.advance(ms: 30_000)
            #expect(try await person.send(try await person.code(app), again, other).status == 303)
            // A ticket belongs to the browser that the password was typed into, and ends.
            let thief = PageVisitor(app)
            _ = try await thief.get("/sign-in")
            app.clock.advance(ms: 30_000)
            #expect(try await person.send(try await person.code(app), again, thief).headers[.location] == "/sign-in")
            let late = PageVisitor(app)
            let early = try await person.signIn(late)
            app.clock.advance(ms: SignInTicket.lifeMs)
            #expect(try await person.send(try await person.code(app), early, late).headers[.location] == "/sign-in")
        }
    }

    @Test(arguments: Engine.allCases)
    func recoveryCodesWorkOnceAndWrongCodesLock(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            let codes = try await person.setUpSecondFactor(app)
            let browser = PageVisitor(app)
            #expect(try await person.send(codes[0], try await person.signIn(browser), browser).status == 303)
            let second = PageVisitor(app)
            let asked = try await person.signIn(second)
            #expect(try await person.send(codes[0], asked, second).status == 422, "a recovery code works once")
            for _ in 1..<SecondFactor.failuresMax { _ = try await person.send("000000", asked, second) }
            app.clock.advance(ms: 60_000)
            #expect(try await person.send(try await person.code(app), asked, second).status == 422, "a right code does not open what waits")
            #expect(try await person.send(codes[1], asked, second).status == 422)
            app.clock.advance(ms: SecondFactor.lockMs)
            let third = PageVisitor(app)
            #expect(try await person.send(codes[1], try await person.signIn(third), third).status == 303, "it opens again by itself")
        }
    }

    /// Twenty requests with one code at once: one is let in.
    @Test(arguments: Engine.allCases)
    func oneCodeTwentyTimesAtOnceIsTakenOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            _ = try await person.setUpSecondFactor(app)
            app.clock.advance(ms: 60_000)
            let code = try await person.code(app)
            let proof = OperatorProof(installation: app.installation)
            let checks = try await withThrowingTaskGroup(of: SecondFactor.Check.self) { group in
                for _ in 0..<20 { group.addTask { try await proof.code(code, of: person.id) } }
                return try await group.reduce(into: [SecondFactor.Check]()) { $0.append($1) }
            }
            #expect(checks.filter { $0 == .accepted }.count == 1)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatIsStoredGivesNothingAway(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            let codes = try await person.setUpSecondFactor(app)
            let secret = try await person.secret(app)
            let (sealed, hashes) = try await app.installation.main.read { connection in
                (
                    try SecondFactorStore.find(person.id, on: connection)?.secretSealed ?? [],
                    try connection.rows("SELECT code_hash FROM recovery_code").map { try $0.get(at: 0, as: [UInt8].self) }
                )
            }
            #expect(sealed.count == secret.count + 28)
            #expect(Data(sealed).range(of: Data(secret)) == nil)
            #expect(hashes.count == codes.count)
            for code in codes { #expect(!hashes.contains(Array(RecoveryCode.plain(code).utf8))) }
        }
    }

    @Test(arguments: Engine.allCases)
    func approvingAsksAgainAfterTenMinutesAndWantsTheCode(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            let person = try await TeamPerson.make("jon", .finance, in: app)
            let browser = try await person.enter(app)
            func state() async throws -> String { try await app.get("/payouts/\(id)")["state"].text }

            app.clock.advance(ms: Confirmation.freshMs)
            let asked = try await browser.submit("/payouts/\(id)/approval", from: "/account")
            #expect(asked.headers[.location] == "/confirm?next=%2Fpayouts%2F\(id)")
            #expect(try await state() == "draft", "nothing is done before the proof")
            #expect(try await browser.get("/payouts/\(id)/file?format=csv").headers[.location]?.hasPrefix("/confirm") == true)
            #expect(try await browser.submit("/confirm", from: "/confirm", ["password": "wrong", "next": "/"]).status == 422)
            #expect(try await browser.submit("/confirm", from: "/confirm", ["password": TeamPerson.password, "next": "/payouts/\(id)"]).headers[.location] == "/payouts/\(id)")

            let codes = try await person.setUpSecondFactor(app, in: browser)
            app.clock.advance(ms: Confirmation.freshMs)
            #expect(try await browser.submit("/confirm", from: "/confirm", ["password": TeamPerson.password]).status == 422, "once set, the code is asked for")
            #expect(try await browser.submit("/confirm", from: "/confirm", ["password": TeamPerson.password, "code": codes[0]]).status == 303)
            #expect(try await browser.submit("/payouts/\(id)/approval", from: "/account").headers[.location] == "/payouts/\(id)")
            #expect(try await state() == "approved")
            #expect(try await browser.get("/payouts/\(id)/file?format=csv").text.contains("DE89370400440532013000"))
        }
    }

    @Test(arguments: Engine.allCases)
    func lettersTellOfNewBrowsersFactorsAndPasswords(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            let first = PageVisitor(app)
            _ = try await person.signIn(first)
            #expect(try await person.letters(app) == [], "the first browser ever is no news")
            first.forget("kith_session")
            _ = try await person.signIn(first)
            #expect(try await person.letters(app) == [], "a known browser is no news")
            let second = PageVisitor(app)
            _ = try await person.signIn(second)
            #expect(try await person.letters(app) == ["newSignIn"])
            #expect(try await second.submit("/account/password", from: "/account", ["password": "short"]).status == 422)
            #expect(try await second.submit("/account/password", from: "/account", ["password": "another long password"]).status == 303)
            #expect(try await first.get("/account").status == 303, "signed out everywhere else")
            #expect(try await second.get("/account").status == 200)
            _ = try await person.setUpSecondFactor(app, in: second)
            #expect(try await second.submit("/account/second-factor/removal", from: "/account").status == 303)
            #expect(try await person.letters(app) == ["newSignIn", "passwordChanged", "secondFactorOff", "secondFactorOn"])
        }
    }

    @Test(arguments: Engine.allCases)
    func whoeverRunsTheServerCanTakeALostFactorAway(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let person = try await TeamPerson.make("mira", .owner, in: app)
            let browser = PageVisitor(app)
            _ = try await person.signIn(browser)
            _ = try await person.setUpSecondFactor(app, in: browser)
            _ = try await CommandVerbs.run("team-remove-second-factor", ["email": .text(person.email)], app.installation)
            #expect(try await browser.get("/account").status == 303, "sessions end")
            #expect(try await person.signIn(browser).status == 303, "the password alone signs in")
            #expect(try await person.letters(app) == ["secondFactorOff", "secondFactorOn"])
        }
    }
}

extension TeamPerson {
    /// Turns the second factor on by the pages; answers the recovery codes.
    func setUpSecondFactor(_ app: AppHarness, in known: PageVisitor? = nil) async throws -> [String] {
        let browser = known ?? PageVisitor(app)
        if known == nil { _ = try await signIn(browser) }
        let begun = try await browser.submit("/account/second-factor", from: "/account")
        #expect(begun.headers[.location] == "/account/second-factor")
        let wrong = try await browser.submit("/account/second-factor/confirmation", from: "/account/second-factor", ["code": "12345"])
        #expect(wrong.status == 422)
        let done = try await browser.submit("/account/second-factor/confirmation", from: "/account/second-factor", ["code": try await code(app)])
        #expect(done.status == 200)
        let codes = done.text.matches(of: #/[0-9a-z]{4}(?:-[0-9a-z]{4}){3}/#).map { String($0.output) }
        return codes.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    }

    func secret(_ app: AppHarness) async throws -> [UInt8] {
        let vault = app.installation.vault
        return try await app.installation.main.read { connection in
            try SecondFactorStore.find(id, on: connection)?.secret(vault, on: connection) ?? []
        }
    }

    /// What the phone shows now.
    func code(_ app: AppHarness) async throws -> String {
        TimedCode.text(secret: try await secret(app), step: TimedCode.step(at: app.clock.now))
    }

    func send(_ code: String, _ page: Reply, _ browser: PageVisitor) async throws -> Reply {
        let ticket = try PageVisitor.field("ticket", in: page.text)
        return try await browser.submit("/sign-in/code", from: "/sign-in", ["code": code, "ticket": ticket, "next": "/account"])
    }

    /// Kinds of the letters that went to them, sorted.
    func letters(_ app: AppHarness) async throws -> [String] {
        try await app.installation.main.read { connection in
            try connection.rows("SELECT kind FROM mail WHERE operator_id = \(id) ORDER BY kind").map { try $0.get(at: 0, as: String.self) }
        }
    }
}
