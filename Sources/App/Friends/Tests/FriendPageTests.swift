import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The page that greets a friend says what the rules do, who recommends and who is paid.
@Suite struct FriendPageTests {
    private static func shop(_ app: AppHarness, _ settings: JSONValue = .object([])) async throws -> (program: String, anna: String) {
        let program = try await app.program(settings)
        _ = try await app.rule(program, ["name": "Sharer", "reward": ["kind": "percent", "rate": "0.10"]])
        _ = try await app.rule(
            program,
            [
                "name": "Friend", "for": "friend", "reward": ["kind": "credit", "amount": 500, "currency": "EUR"],
                "conditions": ["all": [["field": "saleNumber", "op": "eq", "value": 1], ["field": "amount", "op": "gte", "value": 1000], ["field": "country", "op": "in", "value": ["DE", "AT"]]]],
            ])
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "AMIRA")
        return (program, anna)
    }

    @Test(arguments: Engine.allCases)
    func theOfferAsTheRulesHaveIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            _ = try await app.api(.patch, "/members/\(anna)", ["name": "Amira <b>König"]).success("it")
            let page = try await PageVisitor(app).get("/f/amira")
            #expect(page.status == 200 && page.headers[.xRobotsTag] == "noindex")
            for words in [
                "€5.00 credit for you at", "Amira recommends", "Take my €5.00 credit", "For first orders in Germany and Austria, from €10.00.",
                "It is yours 14 days after your order, if nothing goes back.", "If you buy, Amira gets 10%.", "we remember for 30 days", "AMIRA",
                "href=\"/r/AMIRA\"", "property=\"og:image\" content=", "/f/AMIRA/picture.png",
            ] { #expect(page.text.contains(words), "\(words)") }
            #expect(!page.text.contains("König"), "the first name is enough")
            #expect(!page.text.contains("<script"), "no scripts")
            #expect(page.text.utf8.count < 12_000)
            _ = try await app.api(
                .put, "/programs/\(program)/friend-page",
                ["isShared": true, "headline": "Coffee & <i>more</i>", "lead": "Roasted on Monday.", "button": "Go", "details": ["No subscription"], "termsUrl": "https://shop.test/terms"]
            ).success("the page")
            let changed = try await PageVisitor(app).get("/f/AMIRA").text
            for words in ["Coffee &amp; &lt;i&gt;more&lt;/i&gt;", "Roasted on Monday.", ">Go</a>", "No subscription", "https://shop.test/terms"] {
                #expect(changed.contains(words), "\(words)")
            }
            for bad: JSONValue in [["termsUrl": "javascript:alert(1)"], ["privacyUrl": "shop"], ["details": ["a", "b", "c", "d", "e", "f", "g"]]] {
                #expect(try await app.api(.put, "/programs/\(program)/friend-page", bad).status == 422, "\(bad)")
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func unknownEndedAndOfNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            #expect(try await PageVisitor(app).get("/f/nobody").status == 404)
            #expect(try await PageVisitor(app).get("/f/nobody").text.contains("This offer is not here"))
            try await app.post(
                "/links", ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": "soon", "expiresAt": .text(try app.clock.now.adding(milliseconds: 3_600_000).rfc3339)])
            #expect(try await PageVisitor(app).get("/f/soon").text.contains("Good until"))
            app.clock.advance(ms: 7_200_000)
            let ended = try await PageVisitor(app).get("/f/soon")
            #expect(ended.status == 410 && ended.text.contains("This offer has ended") && !ended.text.contains("Take my"))
            try await app.post("/links", ["programId": .text(program), "destination": "https://shop.test/", "code": "ad"])
            let own = try await PageVisitor(app).get("/f/ad")
            #expect(own.status == 200 && !own.text.contains("recommends") && own.text.contains("Advertisement.") && !own.text.contains("If you buy"))
            try await app.patch("/members/\(anna)", ["status": "suspended"])
            #expect(try await !PageVisitor(app).get("/f/amira").text.contains("Anna"))
        }
    }

    @Test(arguments: Engine.allCases)
    func ownWordsAreShownUntilTakenAway(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            _ = try await app.api(.patch, "/members/\(anna)", ["name": "Amira König"]).success("it")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await !browser.page.get("/portal/share").text.contains("In your own words"), "links lead straight to the shop")
            _ = try await app.api(.put, "/programs/\(program)/friend-page", ["isShared": true]).success("it")
            let share = try await browser.page.get("/portal/share").text
            #expect(share.contains("/f/AMIRA") && share.contains("In your own words"))
            let words = ["words": "It is the <first> thing I do.", "showsName": ""]
            #expect(try await browser.page.submit("/portal/recommendation", from: "/portal/share", words).status == 303)
            let page = try await PageVisitor(app).get("/f/amira").text
            #expect(page.contains("It is the &lt;first&gt; thing I do.") && !page.contains("Amira recommends") && page.contains("A customer of"))
            _ = try await app.api(.delete, "/members/\(anna)/recommendation").success("it")
            #expect(try await !PageVisitor(app).get("/f/amira").text.contains("thing I do"))
            #expect(try await browser.page.get("/portal/share").text.contains("The company took your words off"))
            #expect(try await browser.page.submit("/portal/recommendation", from: "/portal/share", ["words": "Try it.", "showsName": "yes"]).status == 303)
            #expect(try await PageVisitor(app).get("/f/amira").text.contains("Try it."))
        }
    }

    @Test(arguments: Engine.allCases)
    func thePictureIsAPicture(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await Self.shop(app)
            let answer = try await PageVisitor(app).get("/f/amira/picture.png")
            #expect(answer.status == 200 && answer.headers[.contentType] == "image/png")
            let bytes = answer.body
            #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) && bytes.count > 5_000 && bytes.count < 200_000)
            func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
            #expect(number(16) == FriendPicture.width && number(20) == FriendPicture.height)
            #expect(try await PageVisitor(app).get("/f/nobody/picture.png").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatMayBeListed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await Self.shop(app)
            #expect(try await !PageVisitor(app).get("/sitemap.xml").text.contains("/join/"))
            _ = try await app.api(.put, "/programs/\(program)/join-page", ["isOpen": true]).success("it")
            let map = try await PageVisitor(app).get("/sitemap.xml")
            #expect(map.headers[.contentType] == "application/xml; charset=utf-8" && map.text.contains("/join/"))
            let robots = try await PageVisitor(app).get("/robots.txt").text
            #expect(robots.contains("Disallow: /\n") && robots.contains("/sitemap.xml"))
            #expect(try await PageVisitor(app).get("/r/amira").headers[.xRobotsTag] == "noindex, nofollow")
        }
    }

    @Test(arguments: Engine.allCases)
    func theTeamWritesThePage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await Self.shop(app)
            let person = try await TeamPerson.make("own", .owner, in: app).enter(app)
            let path = "/programs/\(program)/friend-page"
            let typed = ["isShared": "yes", "headline": "Hello", "details": "One\nTwo", "termsUrl": "https://shop.test/terms"]
            #expect(try await person.submit(path, from: path, typed.merging(["termsUrl": "shop"]) { $1 }).status == 422)
            #expect(try await person.submit(path, from: path, typed.merging(["details": "1\n2\n3\n4\n5\n6\n7"]) { $1 }).status == 422)
            #expect(try await person.submit(path, from: path, typed).status == 303)
            let page = try await person.get(path).text
            #expect(page.contains("Hello") && page.contains("See the page") && page.contains("/f/AMIRA"))
            #expect(try await app.get("/programs/\(program)/friend-page")["details"].list.map { $0.string } == ["One", "Two"])
        }
    }
}
