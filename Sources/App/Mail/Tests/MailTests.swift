import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Letters from the verb that writes them to the mailbox.
@Suite struct MailTests {
    @Test(arguments: Engine.allCases) func invitationArrives(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let url = try await app.post("/team", ["email": "nora@example.test", "role": "viewer"], as: app.liveKey)["invitationUrl"].text
            try await worker.sendDue()
            try await worker.sendDue()
            #expect(sink.received.count == 1)
            let mail = try #require(sink.received.first)
            #expect(mail.recipients.count == 1 && mail.recipients[0].hasPrefix("RCPT TO:<nora@example.test>"))
            let read = try ReadMail(mail.message)
            #expect(read.headers["Subject"] == "Join Harness")
            #expect(read.headers["List-Unsubscribe"] == nil)
            #expect(read.text.contains(url))
            #expect(read.html.contains(url))
            // What it said is forgotten; that it was sent is not.
            let rows = try await Self.rows(app)
            #expect(rows.map(\.mail.state) == [.sent])
            #expect(rows.map(\.isSealed) == [false])
        }
    }

    @Test(arguments: Engine.allCases) func anyLanguageArrivesAndNobodyAddsHeaders(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let name = "Šárka & Möwe <b>友達</b> 👩‍👩‍👧 \"q\" مرحبا — a name that is much longer than a line of a mail may be"
            try await Self.welcome(app, "li", program: name)
            try await Self.welcome(app, "mo", program: "Shop\r\nBcc: everybody@example.test")
            try await worker.sendDue()
            #expect(sink.received.count == 2)
            let mails = try sink.received.map { try ReadMail($0.message) }
            let mail = try #require(mails.first { $0.headers["Subject"] == "Welcome to \(name)" })
            // A name that had line breaks before they were refused: on one line, and nobody's header.
            let old = try #require(mails.first { $0.headers["Subject"] == "Welcome to Shop Bcc: everybody@example.test" })
            #expect(old.headers["Bcc"] == nil)
            #expect(mail.headers["Bcc"] == nil)
            #expect(mail.text.contains(name))
            #expect(mail.html.contains("Möwe &lt;b&gt;友達&lt;/b&gt;"))
            #expect(mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
            #expect(sink.received[0].message.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 998 })
            #expect(try await Self.rows(app).map(\.mail.state) == [.sent, .sent])
        }
    }

    /// The first letter says where to go: their own link, and how to sign in.
    @Test(arguments: Engine.allCases) func aWelcomeHasTheLinkAndTheWayIn(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let member = try await Self.welcome(app, "li")
            let program = try await app.get("/members/\(member)", as: app.liveKey)["programIds"].list.first.text
            let link = try await app.post(
                "/links", ["programId": .text(program), "memberId": .text(member), "destination": "https://shop.test/", "code": "lili"], as: app.liveKey)
            try await Self.welcome(app, "mo")
            try await worker.sendDue()
            let mails = try sink.received.map { (to: $0.recipients.joined(), read: try ReadMail($0.message)) }
            let first = try #require(mails.first { $0.to.contains("li@") }).read
            #expect(first.text.contains(link["url"].text) && first.html.contains(link["url"].text))
            #expect(mails.count == 2)
            for mail in mails { #expect(mail.read.text.contains(app.installation.baseURL + "/portal/sign-in")) }
            let second = try #require(mails.first { $0.to.contains("mo@") }).read
            #expect(second.text.contains("make your link under Share"))
            // The company of a program that bears its name is not named twice.
            let draft = { (program: String) in
                MailDraft(
                    .joinConfirmation(program: program, url: "https://kith.test/x"), workspace: app.workspace.workspace,
                    language: PageLanguage(messages: try AppHarness.site.get().catalogue.messages(for: "en"), zone: .utc), stopURL: nil)
            }
            #expect("\(try draft("Friends of Harness").page["lead"] ?? nil)".contains("asked to join Friends of Harness with it"))
            #expect("\(try draft("Fans").page["lead"] ?? nil)".contains("asked to join Fans of Harness with it"))
        }
    }

    @Test(arguments: Engine.allCases) func triedAgainAfter4xxUnderTheSameID(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            try await Self.welcome(app, "li")
            sink.manner = MailSink.Manner(toRecipient: "451 li@members.test: later", toMessage: "250 kept")
            try await worker.sendDue()
            let waiting = try #require(try await Self.rows(app).first).mail
            #expect(waiting.state == .waiting)
            #expect(waiting.tries == 1)
            // Never the server's own words: they name the person.
            #expect(waiting.lastFailure == "The mail server answered 451.")
            sink.manner = MailSink.Manner()
            try await worker.sendDue()
            #expect(sink.received.isEmpty)
            app.clock.advance(ms: Mail.pauseMs(afterTries: 1))
            try await worker.sendDue()
            #expect(sink.received.count == 1)
            #expect(try ReadMail(sink.received[0].message).headers["Message-ID"]?.hasPrefix("<\(waiting.id.text)@") == true)
        }
    }

    @Test func tenTriesThenNoMore() async throws {
        try await Self.with(.sqlite) { app, sink, worker in
            try await Self.welcome(app, "li")
            sink.manner = MailSink.Manner(toRecipient: "250 ok", toMessage: "452 full")
            for _ in 0..<12 {
                try await worker.sendDue()
                app.clock.advance(ms: 720 * 60_000)
            }
            let mail = try #require(try await Self.rows(app).first).mail
            #expect(mail.state == .failed)
            #expect(mail.tries == Mail.triesMax)
            #expect(sink.conversations == Mail.triesMax)
        }
    }

    @Test(arguments: ["recipient", "message"]) func notTriedAgainAfter5xx(_ place: String) async throws {
        try await Self.with(.sqlite) { app, sink, worker in
            try await Self.welcome(app, "li")
            sink.manner =
                place == "recipient"
                ? MailSink.Manner(toRecipient: "550 no such mailbox", toMessage: "250 ok") : MailSink.Manner(toRecipient: "250 ok", toMessage: "554 spam")
            try await worker.sendDue()
            app.clock.advance(ms: Mail.leaseMs * 2)
            try await worker.sendDue()
            #expect(sink.conversations == 1)
            #expect(try await Self.rows(app).map(\.mail.state) == [.failed])
        }
    }

    @Test(arguments: Engine.allCases) func anErasedPersonsLettersAreUnreadable(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let member = try await Self.welcome(app, "li")
            let before = try #require(try await Self.rows(app).first)
            let sealed = try #require(before.sealed)
            let named = try #require(try await app.installation.person(named: member))
            try await app.installation.erase(person: named.person, in: named.workspace, actor: .command)
            // From a backup, too: the letter is put back as it was.
            let installation = app.installation
            try await installation.writeAnywhere { connection in
                try connection.execute("UPDATE mail SET state = 'waiting', due_at = 0, sealed = \(sealed) WHERE id = \(before.mail.id)")
            }
            let letter = try await installation.main.read { connection in
                try MailStore.letter(before.mail, vault: installation.vault, on: connection)
            }
            #expect(letter == nil)
            try await worker.sendDue()
            #expect(sink.received.isEmpty)
            #expect(try await Self.rows(app).map(\.mail.state) == [.suppressed])
        }
    }

    @Test(arguments: Engine.allCases) func oneLetterForADaysEarnings(_ engine: Engine) async throws {
        try await Self.with(engine) { app, sink, worker in
            let installation = app.installation
            let member = try await Self.welcome(app, "li")
            try await worker.sendDue()
            let named = try #require(try await installation.person(named: member))
            func earn(_ amount: Int64) async throws {
                try await installation.write(app.workspace.workspace.id, actor: .system("test")) { write in
                    try Mail.gather(
                        .commissionsApproved(count: 1, minorByUnit: ["EUR": amount]), for: MemberID(stored: member), person: named.person,
                        locale: nil, in: write)
                }
            }
            try await earn(500)
            try await earn(740)
            app.clock.advance(ms: 31 * 3_600_000)
            try await worker.sendDue()
            #expect(sink.received.count == 1)
            app.clock.advance(ms: 3_600_000)
            try await worker.sendDue()
            #expect(sink.received.count == 2)
            let mail = try ReadMail(sink.received[1].message)
            #expect(mail.text.contains("2 commissions were approved"))
            #expect(mail.text.contains("€12.40"))

            // One POST, as mailboxes send it, and there are no more of these.
            let stop = try #require(mail.headers["List-Unsubscribe"])
            let path = String(stop.drop { $0 != "m" }.dropLast())
            #expect(path.hasPrefix("mail/stop/per_"))
            #expect(try await app.call(.get, "/\(path)").status == 200)
            try await earn(100)
            #expect(try await Self.rows(app).count == 3)
            #expect(try await app.call(.post, "/\(path)", bytes: Array("List-Unsubscribe=One-Click".utf8)).status == 200)
            #expect(try await app.call(.post, "/\(path)x", bytes: []).status == 404)
            app.clock.advance(ms: 86_400_000)
            try await earn(100)
            try await worker.sendDue()
            #expect(sink.received.count == 2)
            #expect(try await Self.rows(app).count == 3)
        }
    }

    @Test(arguments: Engine.allCases) func nothingLeavesATestWorkspace(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            #expect(try await Self.rows(app).map(\.mail.state) == [.suppressed])
            #expect(try await Self.rows(app).map(\.isSealed) == [true])

            // Without a mail server, letters are pages; not through a proxy, and not under another host's name.
            let list = try await app.call(.get, "/dev/mail")
            let path = try await "/dev/mail/\(Self.rows(app)[0].mail.id.text)"
            let shown = try await app.call(.get, path)
            #expect(list.status == 200)
            #expect(list.text.contains("Welcome"))
            #expect(shown.text.contains("Welcome to Shop"))
            #expect(shown.text.contains("anna@members.test"))
            #expect(try await app.call(.get, path + "/html").text.contains("<!doctype html>"))
            var proxied = HTTPFields()
            if let name = HTTPField.Name("X-Forwarded-For") { proxied[name] = "192.0.2.1" }
            #expect(try await app.call(.get, path, headers: proxied).status == 404)
        }
    }

    @Test func developmentPagesAreForThisMachineAlone() {
        func offered(_ change: (inout Settings) -> Void) -> Bool {
            var settings = Settings()
            change(&settings)
            return DevelopmentMail.isOffered(settings)
        }
        #expect(offered { _ in })
        #expect(offered { $0.baseURL = "http://localhost:8080" })
        #expect(!offered { $0.baseURL = "https://kith.example" })
        #expect(!offered { $0.host = "0.0.0.0" })
        #expect(!offered { $0.smtpURL = "smtp://mail.example" })
        #expect(!offered { $0.trustedProxies = ["127.0.0.1/32"] })
    }

    @Test func mailServersAreReadStrictly() throws {
        let server = try MailServer("smtp://kith%40shop.example:p%3Aw@mail.example:587")
        #expect(server.url == "smtp://mail.example:587" && server.user == "kith@shop.example" && server.password == "p:w" && server.mustEncrypt)
        #expect(try !MailServer("smtp://127.0.0.1:25").mustEncrypt)
        for wrong in ["http://mail.example", "smtp://", "mail.example:25", "smtp://mail.example/x", "smtp://mail.example?x=1"] {
            #expect(throws: SettingFailure.self, "\(wrong)") { try MailServer(wrong) }
        }
    }

    @Test func pausesGrow() {
        #expect((1...9).map { Mail.pauseMs(afterTries: $0) / 60_000 } == [1, 3, 9, 27, 81, 243, 720, 720, 720])
    }

    // MARK: Beginning

    private static func with(
        _ engine: Engine, _ body: @escaping @Sendable (AppHarness, MailSink, MailWorker) async throws -> Void
    ) async throws {
        try await MailSink.with { sink, port in
            try await AppHarness.with(engine, settings: { $0.smtpURL = "smtp://127.0.0.1:\(port)" }) { app in
                try await body(app, sink, MailWorker(installation: app.installation, site: try AppHarness.site.get()))
            }
        }
    }

    /// A member of the live workspace, whose welcome is written. The letter takes the program's name as the database holds it.
    @discardableResult
    private static func welcome(_ app: AppHarness, _ name: String, program: String = "Shop") async throws -> String {
        let id = try await app.post("/programs", ["name": "Shop", "currency": "EUR"], as: app.liveKey)["id"].text
        let before = Set(try await rows(app).map(\.mail.id))
        let member = try await app.post(
            "/members", ["programId": .text(id), "email": .text("\(name)@members.test"), "name": .text(name)], as: app.liveKey)["id"].text
        let row = try #require(try await rows(app).first { !before.contains($0.mail.id) })
        let installation = app.installation
        guard program != "Shop" else { return member }
        try await installation.writeAnywhere { connection in
            guard var letter = try MailStore.letter(row.mail, vault: installation.vault, on: connection),
                let key = try MailStore.key(of: row.mail.addressee, vault: installation.vault, on: connection)
            else { return }
            letter.content = .memberWelcome(program: program)
            try MailStore.setLetter(letter, of: row.mail.id, under: key, on: connection)
        }
        return member
    }

    private struct MailRow: Sendable {
        var mail: Mail
        var sealed: [UInt8]?
        var isSealed: Bool { sealed != nil }
    }

    private static func rows(_ app: AppHarness) async throws -> [MailRow] {
        try await app.installation.main.read { connection in
            let ids = try connection.rows("SELECT id, sealed FROM mail ORDER BY created_at, id").map { row -> (MailID, [UInt8]?) in
                (try row.get(at: 0), try row.get(at: 1))
            }
            return try ids.compactMap { id, sealed in try MailStore.find(id, on: connection).map { MailRow(mail: $0, sealed: sealed) } }
        }
    }
}

/// A message as another program reads it: Python's own mail parser.
struct ReadMail {
    var headers: [String: String] = [:]
    var text: String
    var html: String

    init(_ message: String) throws {
        let script = """
            import sys, json, email, email.policy
            m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
            assert not m.defects, m.defects
            print(json.dumps({"headers": {k: str(v) for k, v in m.items()},
                "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content()}))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(message.utf8))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let json = try JSONValue.parse(Array(bytes), maximumBytes: 1 << 20)
        if case .object(let members)? = json["headers"] { for member in members { headers[member.name] = member.value.textValue } }
        text = json["text"].text
        html = json["html"].text
    }
}
