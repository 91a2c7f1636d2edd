import HTTPTypes
import Hummingbird
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Links of another system lead on where their paths don't meet ours.
@Suite struct LinkPathTests {
    @Test(arguments: Engine.allCases) func oldPathsLeadOn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["linkPaths": ["/partner", "Go/To/", "a"], "linkParameters": ["via", "fpr"]])
            #expect(try await app.get("/programs/\(program)")["linkPaths"].list.map(\.textValue) == ["/partner", "/go/to", "/a"])
            let anna = try await app.member(program, "anna")
            let link = try await app.link(program, anna, code: "Anna7")
            for path in ["/partner/anna7", "/PARTNER/ANNA7", "/partner/Anna7/", "/go/to/anna7?utm_source=x", "/a/anna7"] {
                let reply = try await app.visit(path)
                #expect(reply.status == 302 && reply.headers[.location]?.hasPrefix("https://shop.test/?kith_click=clk_") == true, "\(path): \(reply.status)")
            }
            for path in ["/partner/nobody", "/partner", "/go/anna7", "/other/anna7", "/anna7", "/partner/x/anna7", "/partner/anna7/x", "/a/%00", "/a/b/c/d/anna7"] {
                #expect(try await app.visit(path).status == 404, "\(path)")
            }
            #expect(try await app.call(.post, "/partner/anna7").status == 404)
            try await app.installation.applyClicks()
            #expect(try await app.get("/links/\(link)")["clicksLogged"] == 5)
            // A click told with its address is the same link's.
            for url in ["https://old.test/partner/anna7", "https://shop.test/?fpr=anna7", "https://old.test/go/to/anna7?x=1"] {
                let told = try await app.api(.post, "/track/click", ["url": .text(url)]).success("click")
                #expect(told["member"]["id"].text == anna, "\(url): \(told)")
            }
            // A program without such paths keeps its codes to itself.
            let other = try await app.program()
            let ben = try await app.member(other, "ben")
            try await app.link(other, ben, code: "ben")
            #expect(try await app.visit("/partner/ben").status == 404)
            // Taken back, the path leads nowhere.
            _ = try await app.patch("/programs/\(program)", ["linkPaths": []])
            #expect(try await app.visit("/partner/anna7").status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func pathsOfOursAreRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for path in ["/members", "r", "/portal/x", "API/v1", "/join", "/assets", "a/b/c/d", "/ä", "/a b", "..", "/partner/../r"] {
                let reply = try await app.api(.patch, "/programs/\(program)", ["linkPaths": [.text(path)]])
                #expect(reply.status == 422 && reply.json["errors"].list.map { $0["field"].text } == ["linkPaths"], "\(path): \(reply.status) \(reply.text)")
            }
        }
    }

    /// `partners.shop.test/anna`, as some systems have it, works under a domain that the company has proved, and nowhere else.
    @Test(arguments: Engine.allCases) func codesAtTheRootOfACompanysHost(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["linkPaths": ["/"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            try await app.prove("partners.shop.test")
            try await app.prove("partners.live.test", in: app.workspace.workspace.id)
            #expect(try await app.visit("http://partners.shop.test/anna").status == 302)
            #expect(try await app.visit("http://partners.shop.test/nobody").status == 404)
            #expect(try await app.visit("http://partners.live.test/anna").status == 404)
            #expect(try await app.visit("http://forged.test/anna").status == 404)
            #expect(try await app.visit("/anna").status == 404)
            let taken = try await app.api(.post, "/links", ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": "embed"])
            #expect(taken.status == 422 && taken.code == "reserved_code")
        }
    }

    /// A page that is added is no path of anybody else's.
    @Test func everyPathOfOursIsKnown() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (_, api) = Routes.build(app.installation, site: try Site.load())
            #expect(api.table.firstWords.subtracting(OwnPaths.firstWords) == [])
        }
    }
}
