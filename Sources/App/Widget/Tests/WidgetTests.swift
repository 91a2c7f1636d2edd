import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The widget shows a member's link, friends and rewards by a token of its own, in frames of named sites alone.
@Suite struct WidgetTests {
    private static let frame = "https://www.shop.test"

    private static func shop(_ app: AppHarness) async throws -> (program: String, anna: String) {
        let program = try await app.program(["allowedHosts": ["shop.test"]])
        _ = try await app.rule(program, ["name": "Sharer", "reward": ["kind": "percent", "rate": "0.10"]])
        _ = try await app.rule(program, ["name": "Friend", "for": "friend", "reward": ["kind": "credit", "amount": 500, "currency": "EUR"]])
        let anna = try await app.member(program, "anna")
        try await app.put("/embedding", ["origins": [.text(frame)]])
        return (program, anna)
    }

    private static func path(_ app: AppHarness, _ member: String) async throws -> String {
        let made = try await app.post("/tokens/embed", ["memberId": .text(member), "widget": true])
        return String(made["widgetUrl"].text.dropFirst(app.installation.baseURL.count))
    }

    @Test(arguments: Engine.allCases) func itShowsWhatToShareAndWhatCameOfIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            let path = try await Self.path(app, anna)
            let page = try await app.call(.get, path)
            #expect(page.status == 200 && page.headers[.contentSecurityPolicy]?.contains("frame-ancestors \(Self.frame)") == true)
            #expect(page.headers[.setCookie] == nil && page.headers[.cacheControl] == "no-store" && page.headers[.xRobotsTag] == "noindex")
            #expect(page.headers[.referrerPolicy] == "same-origin")
            for words in ["Give €5.00 credit, get 10%", "Your link", "Nobody has come by your link yet.", "Advertisement: I get something when you buy."] {
                #expect(page.text.contains(words), "\(words)")
            }
            // A link was made for her; asking again makes no other.
            _ = try await Self.path(app, anna)
            let links = try await app.get("/links?memberId=\(anna)")["data"].list
            #expect(links.count == 1)
            let code = links[0]["code"].text
            #expect(page.text.contains("/r/\(code)"))
            _ = try await app.api(.put, "/programs/\(program)/friend-page", ["isShared": true]).success("shared")
            #expect(try await app.call(.get, path).text.contains("/f/\(code)"))
            // A friend buys by the word.
            try await app.post("/track/sale", ["invoiceId": "1", "customerExternalId": "ben", "amount": 10_000, "currency": "EUR", "code": .text(code)])
            let after = try await app.call(.get, path)
            #expect(after.text.contains("One friend bought.") && after.text.contains("€10.00"), "\(after.text)")
            #expect(!after.text.contains("@") || !after.text.contains("ben@"), "friends are not named")
            #expect(try await app.call(.get, path + "&mode=popup").text.contains("Thank you for your order."))
        }
    }

    @Test(arguments: Engine.allCases) func otherTokensShowNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await Self.shop(app)
            let made = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true, "widget": true])
            let path = String(made["widgetUrl"].text.dropFirst(app.installation.baseURL.count))
            let token = String(path.dropFirst("\(WidgetPages.path)?token=".count))
            #expect(try await app.api(.get, "/embed/member", as: token).status == 401, "it reads nothing else")
            #expect(try await app.call(.get, "/embed?token=\(token)").status == 410, "it opens no portal")
            for other in [made["token"].text, String(made["embedUrl"].text.split(separator: "=")[1]), "", "kith_et_a.b", String(token.dropLast()) + "A_"] {
                #expect(try await app.call(.get, "\(WidgetPages.path)?token=\(other)").status == 410)
            }
            #expect(try await app.post("/tokens/embed", ["memberId": .text(anna)])["widgetUrl"] == .null)
            #expect(try await app.call(.get, path).status == 200)
            app.clock.advance(ms: EmbedToken.lifeMs)
            #expect(try await app.call(.get, path).status == 410)
        }
    }

    @Test(arguments: Engine.allCases) func rewardsAreChosenThere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"], "holdDays": 0])
            _ = try await app.rule(
                program,
                [
                    "name": "Sharer", "reward": ["kind": "gift", "description": "A bag of coffee", "value": 1200],
                    "choices": [["kind": "freeMonths", "months": 2]],
                ])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            try await app.post("/track/sale", ["invoiceId": "1", "customerExternalId": "ben", "amount": 10_000, "currency": "EUR", "code": "anna"])
            app.clock.advance(ms: 60_000)
            try await app.installation.doDueWork()
            let path = try await Self.path(app, anna)
            let token = String(path.dropFirst("\(WidgetPages.path)?token=".count))
            let shown = try await app.call(.get, path)
            let reward = try #require(try await app.get("/rewards?memberId=\(anna)")["data"].list.first)
            #expect(reward["state"].text == "choosing" && shown.text.contains("You may choose") && shown.text.contains("2 free months"), "\(reward)")
            func choose(_ choice: String, _ token: String) async throws -> Reply {
                try await app.call(
                    .post, WidgetPages.path,
                    headers: [.contentType: "application/x-www-form-urlencoded"], bytes: Array("token=\(token)&rewardId=\(reward["id"].text)&choice=\(choice)".utf8))
            }
            #expect(try await choose("7", token).status == 409, "there is no such kind")
            let ben = try await app.member(program, "carl")
            let other = try await Self.path(app, ben)
            #expect(try await choose("1", String(other.dropFirst("\(WidgetPages.path)?token=".count))).status == 404, "of nobody else")
            let chosen = try await choose("1", token)
            #expect(chosen.status == 303)
            #expect(try await app.call(.get, chosen.headers[.location] ?? "").text.contains("It is yours."))
            #expect(try await app.get("/rewards/\(reward["id"].text)")["kind"].text == "freeMonths")
            #expect(try await choose("0", token).status == 409, "once")
        }
    }

    @Test(arguments: Engine.allCases) func aBlockForLetters(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await Self.shop(app)
            #expect(try await app.api(.get, "/members/\(anna)/share-block").status == 409, "no link yet")
            _ = try await Self.path(app, anna)
            let block = try await app.get("/members/\(anna)/share-block?for=newsletter")
            let (html, text) = (block["html"].text, block["text"].text)
            #expect(html.contains("Give €5.00 credit, get 10%") && html.contains(block["url"].text) && html.hasPrefix("<table") && !html.contains("<style"))
            #expect(text.contains(block["url"].text) && text.contains(block["code"].text.uppercased()) && !text.contains("<"))
            #expect(try await app.get("/members/\(anna)/share-block?for=thanks")["text"].text.contains("Thank you for your order."))
            #expect(try await app.api(.get, "/members/\(anna)/share-block?for=banner").status == 422)
            #expect(try await app.api(.get, "/members/mem_nobody/share-block").status == 404)
        }
    }

    @Test func theScriptIsServedToEverySite() async throws {
        try await AppHarness.with(.sqlite) { app in
            let script = try await app.call(.get, "/widget.js")
            #expect(script.status == 200 && script.headers[.contentType]?.hasPrefix("text/javascript") == true)
            #expect(script.headers[.crossOriginResourcePolicy] == "cross-origin" && script.text.contains("customElements.define"))
        }
    }
}
