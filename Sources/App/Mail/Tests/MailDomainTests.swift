import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A check says in words what receivers would find wrong, as told by a real name server.
@Suite struct MailDomainTests {
    static let key = "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392)

    private static func domain() -> MailDomain {
        MailDomain(senderAddress: "hello@shop.test", spfInclude: "spf.provider.test", dkimSelector: "s1", dkimValue: key, returnPathHost: "bounce.shop.test", returnPathTarget: "bounce.provider.test")
    }

    /// A zone in which all is right.
    private static func fill(_ server: DNSServer) {
        server.set("shop.test", .txt("google-site-verification=x"), .txt("v=spf1 include:spf.provider.test -all"))
        server.set("spf.provider.test", .txt("v=spf1 ip4:192.0.2.0/24 -all"))
        server.set("s1._domainkey.shop.test", .txt(key))
        server.set("_dmarc.shop.test", .txt("v=DMARC1; p=reject"))
        server.set("bounce.shop.test", .cname("bounce.provider.test"), .a("192.0.2.4"))
    }

    private static func codes(_ change: (DNSServer) -> Void, _ domain: MailDomain = domain()) async throws -> Set<MailFinding.Code> {
        let server = try DNSServer()
        defer { server.stop() }
        fill(server)
        change(server)
        let dns = DNSClient([try #require(DNSClient.Server(server.setting))])
        return Set(await MailDomainCheck(look: { await dns.look(up: $0, $1) }).check(domain).map(\.code))
    }

    private static let fine: Set<MailFinding.Code> = [.spfFine, .dkimFine, .dmarcFine, .returnPathFine]

    @Test func whatIsRightIsFine() async throws { #expect(try await Self.codes { _ in } == Self.fine) }

    struct Fault: Sendable, CustomTestStringConvertible {
        var code: MailFinding.Code
        var change: @Sendable (DNSServer) -> Void
        init(_ code: MailFinding.Code, _ change: @escaping @Sendable (DNSServer) -> Void) { (self.code, self.change) = (code, change) }
        var testDescription: String { code.rawValue }
    }

    static let faults: [Fault] = [
        Fault(.spfMissing) { $0.set("shop.test", .txt("v=spf10 nothing")) },
        Fault(.spfSeveral) { $0.set("shop.test", .txt("v=spf1 include:spf.provider.test -all"), .txt("v=spf1 a -all")) },
        Fault(.spfWithoutInclude) { $0.set("shop.test", .txt("v=spf1 a mx -all")) },
        Fault(.spfTooManyLookups) { server in
            server.set("shop.test", .txt("v=spf1 include:spf.provider.test include:deep.test -all"))
            server.set("deep.test", .txt("v=spf1 a mx exists:a.test exists:b.test exists:c.test ptr a:d.test mx:e.test a:f.test -all"))
        },
        Fault(.spfTooManyLookups) { server in
            server.set("shop.test", .txt("v=spf1 include:spf.provider.test include:ring.test -all"))
            server.set("ring.test", .txt("v=spf1 include:ring.test -all"))
        },
        Fault(.spfWithoutInclude) { $0.set("shop.test", .txt("v=spf1 -include:spf.provider.test -all")) },
        Fault(.spfWithoutInclude) { $0.set("shop.test", .txt("v=spf1 -all include:spf.provider.test")) },
        Fault(.spfWithoutInclude) { $0.set("shop.test", .txt("v=spf1 redirect=spf.provider.test -all")) },
        Fault(.dkimOther) { $0.set("s1._domainkey.shop.test", .txt(key.replacing("DKIM1", with: "DKIM2"))) },
        Fault(.spfPassesAll) { $0.set("shop.test", .txt("v=spf1 include:spf.provider.test +all")) },
        Fault(.dkimMissing) { $0.set("s1._domainkey.shop.test", answers: []) },
        Fault(.dkimOther) { $0.set("s1._domainkey.shop.test", .txt("v=DKIM1; k=rsa; p=" + String(repeating: "B", count: 392))) },
        Fault(.dkimOther) { $0.set("s1._domainkey.shop.test", .txt("no key")) },
        Fault(.dkimRevoked) { $0.set("s1._domainkey.shop.test", .txt("v=DKIM1; p=")) },
        Fault(.dmarcMissing) { $0.set("_dmarc.shop.test", answers: []) },
        Fault(.dmarcNone) { $0.set("_dmarc.shop.test", .txt("v=DMARC1; p=none")) },
        Fault(.dmarcSeveral) { $0.set("_dmarc.shop.test", .txt("v=DMARC1; p=none"), .txt("v=DMARC1; p=reject")) },
        Fault(.dmarcBroken) { $0.set("_dmarc.shop.test", .txt("v=DMARC1; p=perhaps")) },
        Fault(.returnPathMissing) { $0.set("bounce.shop.test", answers: []) },
        Fault(.returnPathOther) { $0.set("bounce.shop.test", .cname("old.test")) },
    ]

    @Test(arguments: faults) func whatIsWrongIsNamed(_ fault: Fault) async throws {
        let codes = try await Self.codes(fault.change)
        #expect(codes.contains(fault.code) && codes.intersection(Self.fine).count == 3, "\(codes)")
    }

    @Test func aPolicyMayStandAbove() async throws {
        var domain = Self.domain()
        domain.senderAddress = "hello@mail.shop.test"
        let codes = try await Self.codes({ server in
            server.set("mail.shop.test", .txt("v=spf1 redirect=shop.test"))
            server.set("s1._domainkey.mail.shop.test", .txt(Self.key))
        }, domain)
        #expect(codes == Self.fine, "\(codes)")
    }

    @Test func aKeyMayBeTheProviders() async throws {
        var domain = Self.domain()
        domain.dkimValue = "s1.keys.provider.test"
        let right: (DNSServer) -> Void = { $0.set("s1._domainkey.shop.test", .cname("s1.keys.provider.test"), .txt(Self.key)) }
        #expect(try await Self.codes(right, domain) == Self.fine)
        let wrong: (DNSServer) -> Void = { $0.set("s1._domainkey.shop.test", .cname("s2.keys.provider.test"), .txt(Self.key)) }
        #expect(try await Self.codes(wrong, domain).contains(.dkimOther))
        #expect(try await Self.codes({ _ in }, domain).contains(.dkimOther), "a key of one's own is not the provider's")
    }

    @Test func silenceIsNoVerdict() async throws {
        #expect(try await Self.codes { $0.behave(.fails) } == [.unanswered])
    }

    /// Whom the newest letter would come from.
    private func sender(_ app: AppHarness) async throws -> String? {
        let newest = try await app.installation.main.read { connection in try MailStore.newest(limit: 1, on: connection).first }
        return try await MailWriter(installation: app.installation, site: try Site.load()).write(try #require(newest))?.senderAddress
    }

    @Test(arguments: Engine.allCases) func lettersComeFromTheDomain(_ engine: Engine) async throws {
        let server = try DNSServer()
        defer { server.stop() }
        Self.fill(server)
        let setting = server.setting
        try await AppHarness.with(engine, settings: { $0.dnsServers = [setting] }) { app in
            #expect(try await app.api(.get, "/mail-domain").status == 404)
            let input: JSONValue = [
                "senderAddress": "Hello@Shop.test", "spfInclude": "spf.provider.test", "dkimSelector": "s1", "dkimValue": .text(Self.key),
                "returnPathHost": "bounce.shop.test", "returnPathTarget": "bounce.provider.test",
            ]
            let set = try await app.put("/mail-domain", input)
            #expect(set["domain"].text == "shop.test" && set["state"].text == "unchecked" && set["records"].list.count == 5)
            #expect(set["records"].list[1]["value"].text == "v=spf1 include:spf.provider.test ~all")
            let (vault, world) = (app.installation.vault, app.installation.world)
            let isTaken = try await app.installation.writeAnywhere { connection -> [Bool] in
                let other = try Workspace.create(
                    name: "Other", ownerEmail: "owner@other.test", ownerPasswordHash: "none", world: world, vault: vault, on: connection)
                return try ["shop.test", "op.test", "s_op.test", "other.test"].map { try MailDomainStore.isTaken($0, by: other.workspace, on: connection) }
            }
            #expect(isTaken == [true, false, false, false], "another team's letters come from elsewhere")
            // Anybody can type an address: letters wait for the record that shows whose the domain is.
            let proof = try #require(set["records"].list.first)
            #expect(proof["name"].text == "_kith.shop.test" && proof["value"].text.hasPrefix("kith-mail="))
            let unproved = try await app.post("/mail-domain/check", [:])
            #expect(unproved["state"].text == "failing" && unproved["findings"].list.first["code"].text == "ownerMissing")
            let owner = try await TeamPerson.make("first-editor", .owner, in: app).enter(app)
            #expect(try await owner.get(MailDomainPages.path).text.contains("until the record that shows whose the domain is"))
            _ = try await app.shopWithAnna()
            #expect(try await sender(app) != "hello@shop.test")
            server.set("_kith.shop.test", .txt("kith-mail=somebody-else"))
            #expect(try await app.post("/mail-domain/check", [:])["findings"].list.first["code"].text == "ownerOther")
            server.set("_kith.shop.test", .txt("kith-domain=another"), .txt(proof["value"].text))
            let checked = try await app.post("/mail-domain/check", [:])
            #expect(try await sender(app) == "hello@shop.test")
            #expect(try await app.put("/mail-domain", input)["records"].list.first == proof, "what else is entered changes nothing of whose it is")
            #expect(try await sender(app) == "hello@shop.test")
            #expect(try await app.post("/mail-domain/check", [:])["state"].text == "verified")
            #expect(checked["state"].text == "verified", "\(checked)")
            #expect(try await app.get("/mail-domain", as: app.liveKey)["state"].text == "verified", "live and test workspace share it")
            server.set("shop.test", .txt("v=spf1 -all"))
            #expect(try await app.post("/mail-domain/check", [:])["state"].text == "failing")
            for bad: JSONValue in [
                ["senderAddress": "nobody"], ["senderAddress": "a@shop.test", "spfInclude": "include:x y"], ["senderAddress": "a@shop.test", "dkimValue": "x"],
                ["senderAddress": "a@shop.test", "returnPathHost": "b.shop.test"], ["senderAddress": "a@shop.test", "dkimSelector": "a;b"],
            ] { #expect(try await app.api(.put, "/mail-domain", bad).status == 422, "\(bad)") }
            let editor = try await TeamPerson.make("editor", .owner, in: app).enter(app)
            let page = try await editor.get(MailDomainPages.path)
            #expect(page.status == 200 && page.text.contains("does not include spf.provider.test") && page.text.contains("some receivers will refuse"))
            let refused = try await editor.submit(MailDomainPages.path, from: MailDomainPages.path, ["senderAddress": "x"])
            #expect(refused.status == 422 && refused.text.contains("A mail address is needed"))
            // Letters carry the sender, the accent and the logo.
            try await app.put("/theme", ["accent": "#0a7d4f"])
            let newest = try await app.installation.main.read { connection in try MailStore.newest(limit: 1, on: connection).first }
            let mail = try #require(newest)
            let written = try await MailWriter(installation: app.installation, site: try Site.load()).write(mail)
            let message = try #require(written)
            #expect(message.senderAddress == "hello@shop.test" && message.html.contains("background: #"))
            #expect(try await app.api(.delete, "/mail-domain").status == 200)
            #expect(try await app.api(.delete, "/mail-domain").status == 404)
        }
    }
}
