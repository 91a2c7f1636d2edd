import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A till finds by name who let themselves be found, and nobody else.
@Suite struct FindableTests {
    private static func search(_ app: AppHarness, _ name: String, _ more: String = "") async throws -> Reply {
        try await app.api(.get, "/members/search?name=\(LocalPath.encoded(name))\(more)")
    }

    private static func names(_ app: AppHarness, _ name: String) async throws -> [String] {
        try await search(app, name).success(name)["data"].list.map { $0["name"].text }
    }

    private static func fill(_ app: AppHarness) async throws {
        _ = try await app.installation.write(app.twinID, actor: .system("test")) { write in try NameIndex.fill(in: write) }
    }

    @Test(arguments: Engine.allCases)
    func onlyWhoSaidSo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.patch("/members/\(anna)", ["name": "Amira Grün-König"])
            try await app.link(program, anna, code: "AMIRA")
            #expect(try await Self.names(app, "amira").isEmpty, "nobody is found who did not say so")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.get("/portal/profile").text.contains("Find me by name"))
            #expect(try await browser.page.submit("/portal/findable", from: "/portal/profile", ["findable": "yes"]).status == 303)
            // At once, and when the index has them.
            for isFilled in [false, true] {
                if isFilled { try await Self.fill(app) }
                for question in ["amira", "AMI", "grun", "könig", "Konig amira", "amira grü"] {
                    #expect(try await Self.names(app, question) == ["Amira G."], "\(question) \(isFilled)")
                }
                for question in ["mira", "amirab", "amira bauer", "anna@members.test", "members"] {
                    #expect(try await Self.names(app, question).isEmpty, "\(question)")
                }
            }
            for question in ["", "am", "a m i", "%_", "--"] { #expect(try await Self.search(app, question).status == 422, "\(question)") }
            // The code makes a sale theirs, as if it had been said.
            let code = try await Self.search(app, "amira", "&programId=\(program)").success("it")["data"].list[0]["code"].text
            #expect(code == "AMIRA")
            _ = try await app.sale("inv-1", "c-1", 10_000, ["code": .text(code)])
            #expect(try await app.get("/commissions?memberId=\(anna)")["data"].list.count == 1)
            // Keys of browsers may not ask.
            #expect(try await app.api(.get, "/members/search?name=amira", as: app.publishableKey).status == 403)
            let questions = try await app.get("/audit?limit=100")["data"].list.filter { $0["action"].text == "member.search" }
            #expect(!questions.isEmpty && !"\(questions)".lowercased().contains("amira"), "who asked, not which name")
            app.clock.advance(ms: 1_000)
            // Taken back, they are gone; the choice stays in what they decided.
            #expect(try await browser.page.submit("/portal/findable", from: "/portal/profile", [:]).status == 303)
            #expect(try await Self.names(app, "amira").isEmpty)
            #expect(try await app.rowCounts()["findable_member"] == 0)
            #expect(try await app.rowCounts()["findable_choice"] == 2)
            let profile = try await browser.page.get("/portal/profile").text
            #expect(profile.contains("may be found by name at a till") && profile.contains("can no longer be found by name"))
        }
    }

    @Test(arguments: Engine.allCases)
    func fewAreShownAndTheErasedAreGone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            var ids: [String] = []
            for number in 0..<7 {
                let id = try await app.member(program, "m\(number)")
                try await app.patch("/members/\(id)", ["name": .text("Maria Nummer\(number)")])
                try await app.link(program, id, code: "maria\(number)")
                ids.append(id)
            }
            let members = ids
            try await app.installation.write(app.twinID, actor: .system("test")) { write in
                for id in members {
                    if let member = try MemberStore.find(MemberID(stored: id), in: write.workspace.id, on: write.connection) {
                        try Findable.set(true, for: member, in: write)
                    }
                }
            }
            try await Self.fill(app)
            let many = try await Self.search(app, "maria").success("it")
            #expect(many["data"].list.count == Findable.foundMax && many["hasMore"] == .boolean(true))
            let one = try await Self.search(app, "maria nummer3").success("it")
            #expect(one["data"].list.count == 1 && one["hasMore"] == .boolean(false))
            try await app.patch("/members/\(members[3])", ["status": "suspended"])
            #expect(try await Self.names(app, "maria nummer3").isEmpty)
            try await app.api(.delete, "/members/\(members[4])/person").success("erasing")
            #expect(try await Self.names(app, "maria nummer4").isEmpty)
            #expect(try await app.rowCounts()["findable_member"] == 6)
            // Who has another name is found by that one.
            try await app.patch("/members/\(members[5])", ["name": "Zoe Nummer5"])
            #expect(try await Self.names(app, "maria nummer5").isEmpty)
            #expect(try await Self.names(app, "zoe") == ["Zoe N."])
            #expect(try await Self.search(app, "maria", "&programId=\(try await app.program(["name": "Other"]))").success("it")["data"].list.isEmpty)
        }
    }

    @Test func aKeyAsksSoOften() async throws {
        try await AppHarness.with(.sqlite) { app in
            var statuses: [Int] = []
            for _ in 0...Findable.limit.requests { statuses.append(try await Self.search(app, "nobody").status) }
            #expect(statuses == Array(repeating: 200, count: Findable.limit.requests) + [429])
        }
    }

    @Test func shortNames() {
        for (name, short) in [("Amira König", "Amira K."), ("Ana María de Souza", "Ana S."), ("Cher", "Cher"), ("  Li  ", "Li"), ("", "")] {
            #expect(Findable.short(name) == short)
        }
    }

    @Test func questionsUseAnIndex() async throws {
        try await AppHarness.with(.sqlite) { app in
            let workspace = app.twinID
            let scans = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                _ = try FindableStore.candidates([[1], [2]], in: workspace, limit: 10, on: plans)
                _ = try FindableStore.code(of: MemberID(stored: "mem_x"), program: nil, at: AppHarness.start, in: workspace, on: plans)
                _ = try FindableStore.choices(of: MemberID(stored: "mem_x"), limit: 10, on: plans)
                return plans.scans
            }
            #expect(scans.isEmpty, "\(scans)")
        }
    }
}
