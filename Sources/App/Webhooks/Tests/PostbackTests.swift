import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members' own trackers.
@Suite struct PostbackTests {
    @Test(arguments: Engine.allCases) func aMembersTrackerIsToldWhatTheyEarn(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let program = try await app.program(["holdDays": 0, "memberPostbacks": true])
            _ = try await app.percentRule(program, "0.10")
            let (ada, bea) = (try await app.member(program, "ada"), try await app.member(program, "bea"))
            let url = story.receiver.url("/pb?c={click_id}&t={transaction_id}&a={commission_amount}&u={currency}&e={event_type}")
            let set = try await app.put("/members/\(ada)/postback", ["url": .text(url)])
            #expect(set["url"].text == url && set["enabled"] == .boolean(true))
            for (code, member) in [("ada", ada), ("bea", bea)] {
                try await app.post("/links", ["programId": .text(program), "memberId": .text(member), "destination": "https://shop.test/", "code": .text(code)])
            }
            let location = try await app.visit("/r/ada").headers[.location] ?? ""
            let click = String(location.split(separator: "kith_click=").last?.prefix { $0 != "&" } ?? "")
            #expect(click.hasPrefix("clk_"))
            let sale = try await app.post(
                "/track/sale", ["customerExternalId": "c1", "amount": 12_350, "currency": "EUR", "invoiceId": "i1", "clickId": .text(click)])
            try await app.post("/track/sale", ["customerExternalId": "c2", "amount": 500, "currency": "EUR", "invoiceId": "i2", "code": "bea"])
            try await app.moveClock(days: 1)
            try await story.worker.deliverDue()
            let commission = sale["commissions"].list.first?["id"].text ?? ""
            #expect(story.receiver.messages.map(\.method) == ["GET", "GET"])
            #expect(
                story.receiver.messages.map(\.path) == ["created", "approved"].map {
                    "/pb?c=\(click)&t=\(commission)&a=12.35&u=EUR&e=commission.\($0)"
                })
            // The address is nowhere in plain.
            let plain: Int64? = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM webhook_endpoint WHERE url IS NOT NULL OR kind <> 'postback'")
            }
            #expect(plain == 0)
            try await app.api(.delete, "/members/\(ada)/postback").success("DELETE")
            try await app.post("/track/refund", ["invoiceId": "i1", "refundId": "r1"])
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.count == 2)
        }
    }

    /// What comes after a merge is the kept member's, and their duplicate's tracker is told of it; taken back, it is as before.
    @Test(arguments: Engine.allCases) func aMergeCarriesTheTracker(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let program = try await app.program(["holdDays": 0, "memberPostbacks": true])
            _ = try await app.percentRule(program, "0.10")
            let (ada, double) = (try await app.member(program, "ada"), try await app.member(program, "double"))
            try await app.link(program, double, code: "double")
            try await app.put("/members/\(double)/postback", ["url": .text(story.receiver.url("/pb?a={commission_amount}&e={event_type}"))])
            try await app.sale("s-1", "c-1", 10_000, ["code": "double"])
            let merge = try await app.post("/members/\(ada)/merges", ["duplicateId": .text(double), "reason": "Signed up twice"])
            #expect(merge["trackerId"].text.hasPrefix("wh_"), "the answer names the tracker that goes along")
            try await app.sale("s-2", "c-2", 20_000, ["code": "double"])
            try await app.moveClock(days: 1)
            try await story.worker.deliverDue()
            // What the duplicate earned is told as well, once.
            #expect(
                story.receiver.messages.map(\.path).sorted() == ["10.00", "20.00"].flatMap { amount in ["approved", "created"].map { "/pb?a=\(amount)&e=commission.\($0)" } })
            story.receiver.forget()
            let id = try #require(MemberMergeID(merge["id"].text))
            try await app.installation.write(app.twinID, actor: .command) { write in _ = try MemberMerge.undo(id, in: write) }
            app.installation.linkIndex.forgetAll()
            try await app.post("/commissions", ["programId": .text(program), "memberId": .text(ada), "amount": 100, "reason": "Fair"])
            try await app.sale("s-3", "c-3", 30_000, ["code": "double"])
            try await story.worker.deliverDue()
            #expect(Set(story.receiver.messages.map(\.path).map { $0.prefix(10) }) == ["/pb?a=30.0"])
        }
    }

    /// Whoever has a tracker keeps it.
    @Test(arguments: Engine.allCases) func aMergeLeavesTheKeptMembersOwnTracker(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let program = try await app.program(["memberPostbacks": true])
            let (ada, double) = (try await app.member(program, "ada"), try await app.member(program, "double"))
            for (member, path) in [(ada, "/ada"), (double, "/double")] {
                try await app.put("/members/\(member)/postback", ["url": .text(story.receiver.url(path))])
            }
            let merge = try await app.post("/members/\(ada)/merges", ["duplicateId": .text(double), "reason": "Signed up twice"])
            #expect(merge["trackerId"] == .null)
            #expect(try await app.get("/members/\(ada)/postback")["url"].text == story.receiver.url("/ada"))
            let id = try #require(MemberMergeID(merge["id"].text))
            try await app.installation.write(app.twinID, actor: .command) { write in _ = try MemberMerge.undo(id, in: write) }
            #expect(try await app.get("/members/\(ada)/postback")["url"].text == story.receiver.url("/ada"))
            #expect(try await app.get("/members/\(double)/postback")["url"].text == story.receiver.url("/double"))
        }
    }

    @Test(arguments: Engine.allCases) func aProgramMustAllowIt(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let program = try await app.program()
            let ada = try await app.member(program, "ada")
            let refused = try await app.api(.put, "/members/\(ada)/postback", ["url": .text(story.receiver.url("/pb"))])
            #expect(refused.status == 409 && refused.code == "postbacks_not_allowed")
            #expect(try await app.patch("/programs/\(program)", ["memberPostbacks": true])["memberPostbacks"] == .boolean(true))
            try await app.put("/members/\(ada)/postback", ["url": .text(story.receiver.url("/pb"))])
            // Forbidden again, nothing more is told.
            try await app.patch("/programs/\(program)", ["memberPostbacks": false])
            try await app.post("/commissions", ["programId": .text(program), "memberId": .text(ada), "amount": 100, "reason": "Fair"])
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.isEmpty)
            #expect(try await app.api(.put, "/members/\(ada)/postback", ["url": "https://x.example/"], as: app.liveKey).status == 404)
        }
    }

    @Test(arguments: [
        "https://{currency}.example/", "https://tracker.example{click_id}/", "https://tracker.example/{email}", "https://tracker.example/{", "http://tracker.example/",
        "https://10.0.0.1/?c={click_id}", "https://u:{click_id}@tracker.example/",
    ])
    func addressesThatAreRefused(_ url: String) { #expect(Postback.fault(url, WebhookURL(Settings())) != nil) }

    @Test func whatIsFilledInIsAValueAndNothingElse() {
        #expect(Postback.fault("https://tracker.example/{click_id}?a={commission_amount}", WebhookURL(Settings())) == nil)
        #expect(Postback.fault("https://tracker.example?a={commission_amount}", WebhookURL(Settings())) == nil)
        let filled = Postback.fill("https://t.example/?u={currency}&c={click_id}") { $0 == .currency ? "a&b=c#d/ü {click_id}" : "x" }
        #expect(filled == "https://t.example/?u=a%26b%3Dc%23d%2F%C3%BC%20%7Bclick_id%7D&c=x")
    }
}
