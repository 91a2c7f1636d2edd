import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members write to friends: the letter arrives once, nothing leads back to its address, and who wants none gets none.
@Suite struct FriendInvitationTests {
    struct Shop: Sendable {
        var program: String
        var anna: String
    }

    /// A program of the live workspace whose members may write to friends. A test workspace sends nothing.
    static func shop(_ app: AppHarness, as key: String? = nil, invites: Bool = true) async throws -> Shop {
        let key = key ?? app.liveKey
        let program = try await app.post("/programs", ["name": "Friends of Harness", "currency": "EUR", "allowedHosts": ["shop.test"]], as: key)["id"].text
        _ = try await app.post("/programs/\(program)/rules", ["name": "Sharer", "event": "sale", "reward": ["kind": "percent", "rate": "0.10"], "for": "member", "level": 0], as: key)
        let anna = try await app.post("/members", ["programId": .text(program), "email": "anna@members.test", "name": "Amira König"], as: key)["id"].text
        _ = try await app.api(
            .put, "/programs/\(program)/friend-page", ["isShared": true, "imprintUrl": "https://shop.test/imprint", "invitations": .boolean(invites)], as: key
        ).success("the page")
        return Shop(program: program, anna: anna)
    }

    static func invite(
        _ app: AppHarness, _ shop: Shop, _ emails: [String], words: String = "", confirmed: Bool = true, as key: String? = nil
    ) async throws -> Reply {
        try await app.api(
            .post, "/members/\(shop.anna)/invitations",
            ["emails": .array(emails.map { .text($0) }), "words": .text(words), "confirmed": .boolean(confirmed)], as: key ?? app.liveKey)
    }

    static func with(_ engine: Engine, _ body: @escaping @Sendable (AppHarness, MailSink, MailWorker) async throws -> Void) async throws {
        try await MailSink.with { sink, port in
            try await AppHarness.with(engine, settings: { $0.smtpURL = "smtp://127.0.0.1:\(port)" }) { app in
                try await body(app, sink, MailWorker(installation: app.installation, site: try AppHarness.site.get()))
            }
        }
    }

    /// The letters to a friend that arrived, the oldest first.
    static func letters(_ sink: MailSink, to email: String) throws -> [ReadMail] {
        try sink.received.filter { $0.recipients.joined().contains("<\(email)>") }.map { try ReadMail($0.message) }
    }

    static func unwantedPath(_ letter: ReadMail, _ app: AppHarness) throws -> String {
        let header = try #require(letter.headers["List-Unsubscribe"])
        return String(header.dropFirst().dropLast().dropFirst(app.installation.baseURL.count))
    }

    /// Own words hold nothing of which a mail program makes a link.
    @Test func wordsNameNoAddress() {
        for words in [
            "see gewinn-jetzt.example/preis", "or evil.com", "EVIL.COM!", "evil。com", "evil．com", "(shop.evil.com)", "mail me: x@evil.com", "10.0.0.1/a", "ftp://x",
            "www.evil", "bücher.de",
        ] {
            #expect(FriendInvitation.namesAddress(words.lowercased()), "\(words)")
        }
        for words in [
            "Try the coffee. It is good.", "It is €12.50, e.g. at 9.30 on 12.10.2026...", "z.B. der Kaffee", "Tea and/or coffee", "Wait… what?", "No. 3.5 of them", "",
        ] {
            #expect(!FriendInvitation.namesAddress(words.lowercased()), "\(words)")
        }
    }

    @Test(arguments: Engine.allCases)
    func theLetterArrivesAndNothingLeadsToItsAddress(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let shop = try await Self.shop(app)
            let mark = UUID().uuidString.lowercased()
            let friend = "ben-\(mark)@friends.test"
            let asked: JSONValue = ["emails": [.text(friend)], "words": "Try the <filter> roast.", "confirmed": true]
            let reply = try await app.api(.post, "/members/\(shop.anna)/invitations", asked, as: app.liveKey, idempotencyKey: "once")
            #expect(reply.status == 201, "\(reply.text)")
            #expect(!reply.text.contains(mark))
            let waiting = try await Self.letterKeys(app)
            #expect(waiting.count == 1 && waiting[0].isSealed && !waiting[0].isErased)
            #expect(try await !Self.database(app, holds: mark), "never readable, not even while it waits")
            try await worker.sendDue()
            let letter = try #require(try Self.letters(sink, to: friend).first)
            #expect(letter.headers["Subject"] == "Amira recommends Harness to you")
            for words in ["Amira had this letter sent to you", "Try the", "See what it is", "I did not want this", "Imprint of Harness", "https://shop.test/imprint", "typed in your address", "Advertisement."] {
                #expect(letter.text.contains(words) && letter.html.contains(words), "\(words)")
            }
            #expect(!letter.text.contains("König") && letter.html.contains("&lt;filter&gt;"))
            #expect(letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
            // Its one button greets the friend, and counts by its link.
            let page = try #require(letter.text.firstMatch(of: /http\S+\/f\/([0-9a-z]+)/)).output
            let greeted = try await PageVisitor(app).get("/f/\(page.1)")
            #expect(greeted.status == 200 && greeted.text.contains("Amira"))
            // Nothing that is left says where it went: the row is empty, and the key that older states of it need is destroyed.
            let sent = try await Self.letterKeys(app)
            #expect(sent.count == 1 && !sent[0].isSealed && sent[0].isErased)
            #expect(try app.installation.vault.key(waiting[0].key) == nil)
            #expect(try await app.installation.main.read { connection in try KeyStore.toDestroy(on: connection) }.isEmpty)
            #expect(try await !Self.database(app, holds: mark))
            try await worker.sendDue()
            #expect(sink.received.filter { $0.recipients.joined().contains(mark) }.count == 1)
            // The same request again writes no second letter.
            let again = try await app.api(.post, "/members/\(shop.anna)/invitations", asked, as: app.liveKey, idempotencyKey: "once")
            #expect(again.status == 201 && again.text == reply.text)
        }
    }

    /// A letter that no server takes, or that waits too long, leaves as little.
    @Test(arguments: Engine.allCases)
    func whatNeverArrivesIsForgottenToo(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let shop = try await Self.shop(app)
            try await worker.sendDue()
            sink.manner = MailSink.Manner(toRecipient: "550 nobody here", toMessage: "250 kept")
            #expect(try await Self.invite(app, shop, ["ben@friends.test"]).status == 201)
            try await worker.sendDue()
            sink.manner = MailSink.Manner(toRecipient: "451 later", toMessage: "250 kept")
            #expect(try await Self.invite(app, shop, ["cem@friends.test"]).status == 201)
            try await worker.sendDue()
            #expect(try await Self.letterKeys(app).map(\.isSealed).sorted { !$0 && $1 } == [false, true])
            app.clock.advance(ms: Mail.lifeMs + 1_000)
            try await worker.forgetOld()
            let left = try await Self.letterKeys(app)
            #expect(left.allSatisfy { !$0.isSealed && $0.isErased })
            for row in left { #expect(try app.installation.vault.key(row.key) == nil) }
            app.clock.advance(ms: FriendInvitation.addressPauseMs)
            try await worker.forgetOld()
            #expect(try await app.rowCounts()["invited_address"] == 0, "hashes go after thirty days")
        }
    }

    @Test(arguments: Engine.allCases)
    func refusalsSayWhatHelps(_ engine: Engine) async throws {
        try await Self.with(engine) { app, _, _ in
            let off = try await Self.shop(app, invites: false)
            #expect(try await Self.invite(app, off, ["ben@friends.test"]).code == "invitation_off")
            #expect(
                try await app.api(.put, "/programs/\(off.program)/friend-page", ["invitations": true], as: app.liveKey).code == "imprint_needed")
            _ = try await app.api(.put, "/programs/\(off.program)/friend-page", ["invitations": true, "imprintUrl": "https://shop.test/i"], as: app.liveKey)
            for (emails, words, isConfirmed, code) in [
                (["ben@friends.test"], "", false, "invitation_notConfirmed"), ([], "", true, "invitation_empty"), (["ben"], "", true, "invitation_address"),
                (["Anna+shop@members.test"], "", true, "invitation_own"), (["ben@friends.test"], "see https://evil.test", true, "invitation_words"),
                (["ben@friends.test"], "a\u{7}b", true, "invitation_words"), (["ben@friends.test"], "win at evil.com", true, "invitation_words"),
            ] {
                let refused = try await Self.invite(app, off, emails, words: words, confirmed: isConfirmed)
                #expect(refused.code == code && refused.status == 422, "\(code): \(refused.text)")
                #expect(!refused.text.contains("friends.test") && !refused.text.contains("members.test"), "an answer may be kept: \(refused.text)")
            }
            #expect(try await Self.invite(app, off, (0..<6).map { "f\($0)@friends.test" }).status == 422)
            #expect(try await app.get("/members/\(off.anna)/invitations", as: app.liveKey)["sent"].integer == 0, "to all or to none")
            // The same friend, told twice at once, gets one letter; told again, the member hears it.
            #expect(try await Self.invite(app, off, ["ben@friends.test", "BEN+x@friends.test"]).json["sent"].integer == 1)
            #expect(try await Self.invite(app, off, ["cem@friends.test", "ben@friends.test"]).code == "invitation_again")
            #expect(try await Self.invite(app, Shop(program: off.program, anna: "mem_00000000000000000000000000"), ["x@friends.test"]).status == 404)
            try await app.api(.patch, "/members/\(off.anna)", ["status": "suspended"], as: app.liveKey).success("suspended")
            #expect(try await Self.invite(app, off, ["dora@friends.test"]).code == "invitation_notActive")
        }
    }

    /// Fifty requests at once write no more than a day's letters.
    @Test(arguments: Engine.allCases)
    func limitsHoldUnderConcurrency(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let statuses = try await withThrowingTaskGroup(of: UInt.self) { group in
                for number in 0..<50 {
                    group.addTask { UInt(try await Self.invite(app, shop, ["f\(number)@friends.test"]).status) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == FriendInvitation.memberDayMax)
            #expect(statuses.filter { $0 == 409 }.count == 50 - FriendInvitation.memberDayMax)
            #expect(try await app.rowCounts()["friend_invitation"] == Int64(FriendInvitation.memberDayMax))
            let counts = try await app.get("/members/\(shop.anna)/invitations", as: app.liveKey)
            #expect(counts["leftToday"].integer == 0 && counts["sent"].integer == Int64(FriendInvitation.memberDayMax))
            app.clock.advance(ms: FriendInvitation.dayMs + 1)
            #expect(try await Self.invite(app, shop, ["later@friends.test"]).status == 201)
        }
    }

    @Test(arguments: Engine.allCases)
    func aTestWorkspaceSendsNothing(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let shop = try await Self.shop(app, as: app.key)
            #expect(try await Self.invite(app, shop, ["ben@friends.test"], as: app.key).status == 201)
            #expect(try await Self.letterKeys(app).isEmpty, "not even a sealed letter is made")
            try await worker.sendDue()
            #expect(sink.received.isEmpty)
        }
    }

    @Test(arguments: Engine.allCases)
    func countsGoByTheLink(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, as: app.key)
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let page = try await browser.page.get("/portal/share").text
            #expect(page.contains("Write to friends") && page.contains("You can write to 20 more today"))
            let wrong = try await browser.page.submit(
                "/portal/invitations", from: "/portal/share", ["programId": shop.program, "emails": "ben@friends.test\nnobody", "words": "Hi <b>", "confirmed": "yes"])
            #expect(wrong.status == 422 && wrong.text.contains("“nobody” is no mail address") && wrong.text.contains("Hi &lt;b&gt;"))
            let unconfirmed = try await browser.page.submit(
                "/portal/invitations", from: "/portal/share", ["programId": shop.program, "emails": "ben@friends.test"])
            #expect(unconfirmed.status == 422 && unconfirmed.text.contains("Say that you know these people"))
            let sent = try await browser.page.submit(
                "/portal/invitations", from: "/portal/share", ["programId": shop.program, "emails": "ben@friends.test, cem@friends.test", "confirmed": "yes"])
            #expect(sent.headers[.location] == "/portal/share?done=invited", "\(sent.text.prefix(300))")
            let link = try await app.installation.main.read { connection in
                try connection.row("SELECT l.code FROM link l JOIN invitation_link i ON i.link_id = l.id")?.get(at: 0, as: String.self)
            }
            let code = try #require(link)
            _ = try await app.sale("inv-1", "c-1", 10_000, ["code": .text(code)])
            let counts = try await app.get("/members/\(shop.anna)/invitations")
            #expect(counts["sent"].integer == 2 && counts["bought"].integer == 1)
            let after = try await browser.page.get("/portal/share?done=invited").text
            #expect(after.contains("2 letters · 0 visits · one bought") && after.contains("The letters are on their way"))
            #expect(!after.contains(code.uppercased()), "the letters' link is not one to share by hand")
        }
    }

    // MARK: What is left

    struct LetterKey: Sendable {
        var isSealed: Bool
        var isErased: Bool
        var key: PersonKeyID
    }

    static func letterKeys(_ app: AppHarness) async throws -> [LetterKey] {
        try await app.installation.main.read { connection in
            try connection.rows(
                "SELECT m.sealed, p.erased_at, p.key_id FROM mail m JOIN person p ON p.id = m.person_id WHERE m.kind = 'friendInvitation' ORDER BY m.id"
            ).map { row in
                let (sealed, erased): ([UInt8]?, Int64?) = (try row.get(at: 0), try row.get(at: 1))
                return LetterKey(isSealed: sealed != nil, isErased: erased != nil, key: try row.get(at: 2))
            }
        }
    }

    /// Whether any file of the databases holds a text: what is deleted and what the logs say too.
    static func database(_ app: AppHarness, holds text: String) async throws -> Bool {
        switch app.engine {
        case .sqlite:
            let path = app.location.replacing("sqlite://", with: "")
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            where try Data(contentsOf: file).range(of: Data(text.utf8)) != nil { return true }
            return false
        case .postgres:
            try await PostgresDatabase.outsideTransaction(url: app.location, "CHECKPOINT")
            let (files, keys) = (try await DataFiles.of(app.installation.main), try await DataFiles.of(app.installation.keys))
            return files.hold(text) || keys.hold(text)
        }
    }
}
