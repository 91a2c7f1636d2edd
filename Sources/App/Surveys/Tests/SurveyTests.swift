import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// People are asked once within the days of rest, answer with one tap, and whoever is unhappy is looked after before anybody asks them to share.
@Suite struct SurveyTests {
    static func body(_ program: String, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = ["programId": .text(program), "kind": "csat", "question": "How content are you?", "askedIn": ["portal", "mail"], "askedWhen": "afterPurchase"]
        if case .object(let members) = more { for member in members { body = body.without([member.name]).adding(member.name, member.value) } }
        return body
    }

    /// The paths that letters lead to, the oldest first.
    static func paths(_ app: AppHarness, _ email: String) async throws -> [String] {
        try await app.letters(to: email).reversed().compactMap { content in
            guard case .survey(_, _, let url) = content else { return nil }
            return String(url.dropFirst(app.installation.baseURL.count))
        }
    }

    static func told(_ app: AppHarness) async throws -> [JSONValue] {
        try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "survey.answered" }
    }

    @Test(arguments: Engine.allCases)
    func aBuyerIsAskedOnceByMail(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let id = try await app.post("/surveys", Self.body(program, ["supportUrl": "mailto:help@shop.test"]))["id"].text
            try await app.sale("inv-1", "ben", 1_000, ["customerEmail": "ben@buyers.test"])
            try await app.moveClock(days: 6)
            #expect(try await Self.paths(app, "ben@buyers.test").isEmpty, "seven days are not over")
            try await app.moveClock(days: 2)
            try await app.sale("inv-2", "ben", 1_000)
            try await app.installation.doDueWork(in: app.twinID)
            try await app.moveClock(days: 20)
            let paths = try await Self.paths(app, "ben@buyers.test")
            #expect(paths.count == 1, "bought twice is asked once")
            let path = try #require(paths.first)
            // A visit answers nothing.
            let visitor = PageVisitor(app)
            let shown = try await visitor.get(path)
            #expect(shown.status == 200 && shown.text.contains("How content are you?") && !shown.text.contains("<script") && shown.headers[.setCookie] == nil)
            #expect(shown.headers[.xRobotsTag] == "noindex")
            #expect(try await app.get("/surveys/\(id)/results")["answers"].integer == 0)
            for bad in ["0", "6", "x", ""] { #expect(try await visitor.post(path, ["score": bad]).status == 404) }
            #expect(try await visitor.post(path + "x", ["score": "1"]).status == 404)
            #expect(try await visitor.post(path, ["score": "2"]).status == 303)
            let after = try await visitor.get(path).text
            #expect(after.contains("mailto:help@shop.test") && after.contains("What went wrong?"))
            #expect(try await visitor.post(path, ["score": "2", "comment": "<b>Late</b>"]).status == 303)
            #expect(try await visitor.post(path, ["score": "2", "comment": String(repeating: "x", count: 1_001)]).status == 422)
            let answer = try await app.get("/surveys/\(id)/answers")["data"].list[0]
            #expect(answer["channel"].text == "mail" && answer["stage"].text == "customer" && answer["score"].integer == 2 && answer["comment"].text == "<b>Late</b>")
            #expect(answer["followUp"].text == "open" && answer["memberId"] == .null)
            #expect(try await visitor.get(path).text.contains("&lt;b&gt;Late"))
            // A later tap takes the place of the first, and nobody need get in touch any more.
            #expect(try await visitor.post(path, ["score": "5"]).status == 303)
            let again = try await app.get("/surveys/\(id)/answers")["data"].list
            #expect(again.count == 1 && again[0]["score"].integer == 5 && again[0]["followUp"] == .null && again[0]["comment"].text == "<b>Late</b>")
            #expect(try await Self.told(app).map { $0["data"]["score"].integer } == [2, 5])
            #expect(try await !Self.told(app).contains { JSONText($0["data"] ?? .null).text.contains("Late") }, "events hold nobody's words")
            _ = try await app.patch("/surveys/\(id)", ["state": "ended"])
            #expect(try await visitor.post(path, ["score": "4"]).status == 303, "what was said can be mended")
            #expect(try await app.get("/surveys/\(id)/results")["result"]["points"].integer == 100)
        }
    }

    @Test(arguments: Engine.allCases)
    func theUnhappyAreNotAskedToShare(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let id = try await app.post(
                "/surveys", Self.body(program, ["kind": "nps", "askedIn": ["portal"], "askedWhen": "nowAndThen", "supportUrl": "https://help.shop.test/"]))["id"].text
            try await app.installation.doDueWork(in: app.twinID)
            try await app.installation.doDueWork(in: app.twinID)
            #expect(try await Self.paths(app, "anna@members.test").isEmpty)
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let person = browser.page
            let today = try await person.get("/portal").text
            #expect(today.contains("How content are you?") && today.contains("/portal/share\""))
            let path = try #require(today.firstMatch(of: /action="(\/portal\/survey\/sva_[^"]+)"/)).1
            #expect(try await person.submit(String(path), from: "/portal", ["score": "11"]).status == 404)
            #expect(try await person.submit(String(path), from: "/portal", ["score": "3"]).status == 303)
            let shown = try await person.get(String(path)).text
            #expect(shown.contains("https://help.shop.test/") && !shown.contains("href=\"/portal/share\">Tell"))
            let after = try await person.get("/portal").text
            #expect(!after.contains("How content are you?") && !after.contains("Share it") && after.contains("https://help.shop.test/"))
            #expect(try await person.get("/portal/share").text.contains("https://help.shop.test/"))
            // Another member sees none of it.
            _ = try await app.member(program, "ben")
            let other = MemberBrowser(app)
            try await other.signIn("ben@members.test")
            #expect(try await other.page.get(String(path)).status == 404)
            // The team gets in touch.
            let answer = try await app.get("/surveys/\(id)/answers")["data"].list[0]
            #expect(answer["followUp"].text == "open" && answer["channel"].text == "portal" && answer["memberId"].text == anna)
            let done = "/survey-answers/\(answer["id"].text)/follow-up"
            #expect(try await app.api(.post, done, ["note": ""]).status == 422)
            #expect(try await app.post(done, ["note": "Sent a new one"])["followUp"].text == "done")
            #expect(try await app.api(.post, done, ["note": "Again"]).code == "no_follow_up")
            #expect(try await person.get("/portal").text.contains("/portal/share\""))
            // The same again is looked after already; content, and then not any more, is not.
            _ = try await person.submit(String(path), from: String(path), ["score": "4"])
            #expect(try await app.get("/surveys/\(id)/answers")["data"].list[0]["followUp"].text == "done")
            _ = try await person.submit(String(path), from: String(path), ["score": "10"])
            #expect(try await person.get(String(path)).text.contains("href=\"/portal/share\""))
            _ = try await person.submit(String(path), from: String(path), ["score": "0"])
            #expect(try await app.get("/surveys/\(id)/answers")["data"].list[0]["followUp"].text == "open")
        }
    }

    @Test(arguments: Engine.allCases)
    func nobodyIsAskedTwiceWithinTheRest(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna", ["externalId": "anna"])
            let often: JSONValue = ["askedWhen": "nowAndThen", "restDays": 30, "askedIn": ["mail"]]
            _ = try await app.post("/surveys", Self.body(program, often))
            _ = try await app.post("/surveys", Self.body(program, often))
            try await app.installation.doDueWork(in: app.twinID)
            #expect(try await Self.paths(app, "anna@members.test").count == 1, "one question, whatever the survey")
            try await app.moveClock(days: 29)
            #expect(try await Self.paths(app, "anna@members.test").count == 1)
            try await app.moveClock(days: 3)
            #expect(try await Self.paths(app, "anna@members.test").count == 2)
            // A buyer who is a member is the member; a letter that was stopped is not written.
            _ = try await app.patch("/members/\(anna)", ["status": "suspended"])
            try await app.moveClock(days: 40)
            #expect(try await Self.paths(app, "anna@members.test").count == 2)
        }
    }

    @Test(arguments: Engine.allCases)
    func resultsAreByStageAndChannel(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let id = try await app.post("/surveys", Self.body(program, ["kind": "nps", "askedWhen": "afterReward"]))["id"].text
            let empty = try await app.get("/surveys/\(id)/results")
            #expect(empty["result"]["points"] == .null && empty["result"]["interval"] == .null)
            for (name, score) in [("anna", 10), ("ben", 9), ("cleo", 8), ("dan", 6)] as [(String, Int64)] {
                let member = try await app.member(program, name)
                #expect(try await app.post("/surveys/\(id)/answers", ["memberId": .text(member), "score": .integer(score)])["channel"].text == "api")
                // Told twice is one answer.
                _ = try await app.post("/surveys/\(id)/answers", ["memberId": .text(member), "score": .integer(score), "comment": "Words"])
            }
            try await app.sale("inv-1", "eva", 1_000)
            _ = try await app.post("/surveys/\(id)/answers", ["customerExternalId": "eva", "score": 0])
            let results = try await app.get("/surveys/\(id)/results")
            let whole = results["result"]
            #expect(results["answers"].integer == 5 && results["asked"].integer == 5)
            #expect(whole["points"].integer == 0 && whole["favourable"].integer == 2 && whole["against"].integer == 2 && whole["denominator"].integer == 5)
            #expect(whole["interval"] != .null)
            let stages = Dictionary(results["byStage"].list.map { ($0["stage"].text, $0["result"]["points"]) }, uniquingKeysWith: { first, _ in first })
            #expect(stages["promoter"]?.integer == 25 && stages["customer"]?.integer == -100 && stages["prospect"] == .null)
            let asked = try await app.get("/insights/query?measures=netPromoterScore,satisfaction&dimensions=stage,channel")
            #expect(asked["rows"].list.map(\.elements) == [["customer", "api", .decimal(-1), .null], ["promoter", "api", .decimal(0.25), .null]], "\(asked)")
            for (bad, code): (JSONValue, Int) in [
                (["score": 5], 422), (["memberId": "mem_nobody", "score": 5], 422), (["customerExternalId": "nobody", "score": 5], 422),
                (["customerExternalId": "eva", "score": 11], 422), (["customerExternalId": "eva", "score": "5"], 422),
                (["customerExternalId": "eva", "memberId": "mem_x", "score": 5], 422),
            ] { #expect(try await app.api(.post, "/surveys/\(id)/answers", bad).status == code) }
            _ = try await app.patch("/surveys/\(id)", ["state": "ended"])
            let frida = try await app.member(program, "frida")
            #expect(try await app.api(.post, "/surveys/\(id)/answers", ["memberId": .text(frida), "score": 5]).code == "survey_ended")
        }
    }

    @Test(arguments: Engine.allCases)
    func badSurveysAreRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for (bad, field): (JSONValue, String) in [
                (["kind": "stars"], "kind"), (["question": ""], "question"), (["question": .text(String(repeating: "x", count: 201))], "question"),
                (["askedIn": []], "askedIn"), (["askedIn": ["radio"]], "askedIn"), (["askedWhen": "never"], "askedWhen"), (["afterDays": 0], "afterDays"),
                (["restDays": 6], "restDays"), (["supportUrl": "javascript:alert(1)"], "supportUrl"), (["supportUrl": "http://shop.test/"], "supportUrl"),
                (["programId": "prog_nothing"], "programId"),
            ] {
                let refused = try await app.api(.post, "/surveys", Self.body(program, bad))
                #expect(refused.status == 422 && refused.json["errors"].list.first.map { $0["field"]?.string } == field, "\(field): \(refused.text)")
            }
            for _ in 0..<Survey.activeMax { _ = try await app.post("/surveys", Self.body(program)) }
            #expect(try await app.api(.post, "/surveys", Self.body(program)).code == "too_many_surveys")
            #expect(try await app.api(.get, "/surveys/svy_nothing").status == 404)
            #expect(try await app.api(.get, "/surveys/svy_nothing/results").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func wordsGoWithTheirPerson(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let id = try await app.post("/surveys", Self.body(program))["id"].text
            let answer = try await app.post("/surveys/\(id)/answers", ["memberId": .text(anna), "score": 1, "comment": "My name is Anna"])["id"].text
            _ = try await app.post("/survey-answers/\(answer)/follow-up", ["note": "Called Anna"])
            #expect(try await app.api(.delete, "/members/\(anna)/person").status == 200)
            let left = try await app.get("/surveys/\(id)/answers")["data"].list[0]
            #expect(left["comment"] == .null && left["note"] == .null && left["score"].integer == 1)
            let sealed = try await app.installation.main.read { connection -> Int64 in
                try connection.value("SELECT count(*) FROM survey_answer WHERE comment_sealed IS NOT NULL OR note_sealed IS NOT NULL") ?? 0
            }
            #expect(sealed == 0)
        }
    }

    @Test(arguments: Engine.allCases)
    func tappedAllAtOnceIsOneAnswer(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let id = try await app.post("/surveys", Self.body(program))["id"].text
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        let answered = try await app.api(.post, "/surveys/\(id)/answers", ["memberId": .text(anna), "score": .integer(Int64(number % 5 + 1))])
                        #expect(answered.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await app.get("/surveys/\(id)/answers")["data"].list.count == 1)
        }
    }
}
