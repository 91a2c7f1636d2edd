import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Who did not want it says so without being known, gets no more, and the team hears of it.
@Suite struct ComplaintTests {
    /// Three letters, each refused by its friend; answers their addresses.
    private static func threeComplaints(_ app: AppHarness, _ sink: MailSink, _ worker: MailWorker, _ shop: FriendInvitationTests.Shop, from first: Int = 0) async throws {
        let friends = (first..<first + 3).map { "friend\($0)@friends.test" }
        #expect(try await FriendInvitationTests.invite(app, shop, friends).status == 201)
        try await worker.sendDue()
        for friend in friends {
            let letter = try #require(try FriendInvitationTests.letters(sink, to: friend).last)
            let path = try FriendInvitationTests.unwantedPath(letter, app)
            #expect(try await PageVisitor(app).post(path, ["reason": "unknownSender"]).status == 200)
        }
    }

    @Test(arguments: Engine.allCases)
    func byTheLetter(_ engine: Engine) async throws {
        try await FriendInvitationTests.with(engine) { app, sink, worker in
            let shop = try await FriendInvitationTests.shop(app)
            #expect(try await FriendInvitationTests.invite(app, shop, ["ben@friends.test"]).status == 201)
            try await worker.sendDue()
            let letter = try #require(try FriendInvitationTests.letters(sink, to: "ben@friends.test").first)
            let path = try FriendInvitationTests.unwantedPath(letter, app)
            // A program that follows addresses complains about nobody.
            let asked = try await PageVisitor(app).get(path)
            #expect(asked.status == 200 && asked.text.contains("Amira typed in your address") && !asked.text.contains("<script"))
            #expect(asked.headers[.xRobotsTag] == "noindex" && asked.headers[.referrerPolicy] == "same-origin")
            #expect(try await app.rowCounts()["complaint"] == 0)
            #expect(try await PageVisitor(app).post(path, [:]).status == 422)
            #expect(try await PageVisitor(app).post(path + "x", ["reason": "other"]).status == 404)
            let swapped = path.split(separator: ".").map(String.init)
            #expect(try await PageVisitor(app).get("\(swapped[0]).\(swapped[1].reversed().map(String.init).joined()).\(swapped[2])").status == 404, "nobody else's address")
            // Often said is once said.
            for _ in 0..<3 { #expect(try await PageVisitor(app).post(path, ["reason": "unwanted"]).text.contains("Thank you, and sorry")) }
            let list = try await app.get("/complaints", as: app.liveKey)["data"].list
            #expect(list.count == 1 && list[0]["reason"].text == "unwanted" && list[0]["way"].text == "letter" && list[0]["memberId"].text == shop.anna)
            let told = try await Self.told(app)
            #expect(told.count == 1 && told[0]["data"]["isPaused"] == .boolean(false))
            // Another member writes: it is answered as sent, and nothing goes out.
            let before = sink.received.count
            let bruno = try await app.post("/members", ["programId": .text(shop.program), "email": "bruno@members.test", "name": "Bruno"], as: app.liveKey)["id"].text
            try await worker.sendDue()
            let answered = try await FriendInvitationTests.invite(app, FriendInvitationTests.Shop(program: shop.program, anna: bruno), ["Ben+new@friends.test"])
            #expect(answered.status == 201 && answered.json["sent"].integer == 1)
            try await worker.sendDue()
            #expect(sink.received.count == before + 1, "only Bruno's own welcome")
            #expect(try FriendInvitationTests.letters(sink, to: "ben+new@friends.test").isEmpty)
        }
    }

    /// Within thirty days somebody else's letter to the same address is answered as sent too.
    @Test(arguments: Engine.allCases)
    func oneClickStopsWithoutAComplaint(_ engine: Engine) async throws {
        try await FriendInvitationTests.with(engine) { app, sink, worker in
            let shop = try await FriendInvitationTests.shop(app)
            let bruno = try await app.post("/members", ["programId": .text(shop.program), "email": "bruno@members.test", "name": "Bruno"], as: app.liveKey)["id"].text
            let his = FriendInvitationTests.Shop(program: shop.program, anna: bruno)
            #expect(try await FriendInvitationTests.invite(app, shop, ["ben@friends.test", "cem@friends.test"]).status == 201)
            #expect(try await FriendInvitationTests.invite(app, his, ["cem@friends.test"]).json["sent"].integer == 1)
            try await worker.sendDue()
            #expect(try FriendInvitationTests.letters(sink, to: "cem@friends.test").count == 1)
            let path = try FriendInvitationTests.unwantedPath(try #require(try FriendInvitationTests.letters(sink, to: "ben@friends.test").first), app)
            #expect(try await PageVisitor(app).post(path, ["List-Unsubscribe": "One-Click"]).status == 200)
            #expect(try await app.rowCounts()["complaint"] == 0)
            app.clock.advance(ms: FriendInvitation.addressPauseMs + 1)
            #expect(try await FriendInvitationTests.invite(app, shop, ["ben@friends.test", "cem@friends.test"]).json["sent"].integer == 2)
            try await worker.sendDue()
            #expect(try FriendInvitationTests.letters(sink, to: "ben@friends.test").count == 1, "for good")
            #expect(try FriendInvitationTests.letters(sink, to: "cem@friends.test").count == 2)
        }
    }

    @Test(arguments: Engine.allCases)
    func threeStopAMemberUntilTheTeamLetsThemWrite(_ engine: Engine) async throws {
        try await FriendInvitationTests.with(engine) { app, sink, worker in
            let shop = try await FriendInvitationTests.shop(app)
            try await Self.threeComplaints(app, sink, worker, shop)
            let refused = try await FriendInvitationTests.invite(app, shop, ["late@friends.test"])
            #expect(refused.status == 409 && refused.code == "invitation_paused")
            #expect(try await app.get("/members/\(shop.anna)/invitations", as: app.liveKey)["isPaused"] == .boolean(true))
            #expect(try await Self.told(app).filter { $0["data"]["isPaused"] == .boolean(true) }.count == 1)
            try await app.api(.delete, "/members/\(shop.anna)/invitations/pause", as: app.liveKey).success("again")
            #expect(try await FriendInvitationTests.invite(app, shop, ["late@friends.test"]).status == 201)
            #expect(try await app.get("/members/\(shop.anna)/invitations", as: app.liveKey)["isPaused"] == .boolean(false))
            // What was forgiven counts no more: three new ones stop again.
            app.clock.advance(ms: 1_000)
            try await Self.threeComplaints(app, sink, worker, shop, from: 10)
            #expect(try await FriendInvitationTests.invite(app, shop, ["again@friends.test"]).code == "invitation_paused")
        }
    }

    /// Anybody can open the friend's page: what is said there is shown to the team, limited, and stops nothing.
    @Test(arguments: Engine.allCases)
    func byTheFriendsPage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await FriendInvitationTests.shop(app, as: app.key)
            try await app.link(shop.program, shop.anna, code: "AMIRA")
            let page = try await PageVisitor(app).get("/f/AMIRA").text
            #expect(page.contains("/f/AMIRA/unwanted"))
            let visitor = PageVisitor(app)
            #expect(try await visitor.get("/f/AMIRA/unwanted").text.contains("You need not say who you are"))
            #expect(try await visitor.post("/f/AMIRA/unwanted", ["reason": "unwanted"]).status == 403, "only from the page")
            #expect(try await visitor.submit("/f/AMIRA/unwanted", from: "/f/AMIRA/unwanted", ["reason": "nonsense"]).status == 422)
            for _ in 0..<Complaint.limit.requests {
                #expect(try await visitor.submit("/f/AMIRA/unwanted", from: "/f/AMIRA/unwanted", ["reason": "unwanted"]).status == 200)
            }
            #expect(try await visitor.submit("/f/AMIRA/unwanted", from: "/f/AMIRA/unwanted", ["reason": "unwanted"]).status == 429)
            #expect(try await app.get("/complaints?memberId=\(shop.anna)")["data"].list.count == Complaint.limit.requests)
            #expect(try await app.get("/members/\(shop.anna)/invitations")["isPaused"] == .boolean(false))
            #expect(try await PageVisitor(app).get("/f/nobody/unwanted").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func theTeamLooks(_ engine: Engine) async throws {
        try await FriendInvitationTests.with(engine) { app, sink, worker in
            let shop = try await FriendInvitationTests.shop(app)
            try await Self.threeComplaints(app, sink, worker, shop)
            let browser = try await Self.owner(app)
            #expect(try await browser.get("/").text.contains("3 friends did not want to be written to"))
            #expect(try await browser.get("/members/\(shop.anna)").text.contains("A friend complained: does not know the sender"))
            let page = try await browser.get("/complaints").text
            #expect(page.contains("Amira König") && page.contains("Unknown sender") && page.contains("Letters stopped"))
            #expect(try await browser.submit("/complaints/\(shop.anna)", from: "/complaints", ["act": "resume"]).headers[.location] == "/complaints?done=resumed")
            #expect(try await browser.get("/complaints").text.contains("Nobody complains"))
            #expect(try await FriendInvitationTests.invite(app, shop, ["late@friends.test"]).status == 201)
        }
    }

    @Test func questionsUseAnIndex() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (workspace, member, now) = (app.twinID, MemberID(stored: "mem_x"), AppHarness.start)
            let scans = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                _ = try InvitationStore.count(by: member, after: now, on: plans)
                _ = try InvitationStore.count(in: workspace, after: now, on: plans)
                _ = try InvitationStore.counts(of: member, at: now, on: plans)
                _ = try InvitationStore.wasInvited([1], after: now, in: workspace, on: plans)
                _ = try InvitationStore.hasInvited(before: now, on: plans)
                _ = try InvitationStore.isUnwanted([1], in: workspace, on: plans)
                _ = try ComplaintStore.count(of: member, way: .letter, after: nil, on: plans)
                _ = try ComplaintStore.openCount(in: workspace, on: plans)
                _ = try ComplaintStore.list(in: workspace, member: nil, before: nil, limit: 10, on: plans)
                _ = try ComplaintStore.list(in: workspace, member: member, before: nil, limit: 10, on: plans)
                _ = try MailStore.oldStrangers(before: now, limit: 10, on: plans)
                return plans.scans
            }
            #expect(scans.isEmpty, "\(scans)")
        }
    }

    private static func told(_ app: AppHarness) async throws -> [JSONValue] {
        try await app.get("/events?limit=100", as: app.liveKey)["data"].list.filter { $0["type"].text == "invitation.complained" }
    }

    /// The owner's browser, in the live workspace.
    static func owner(_ app: AppHarness) async throws -> PageVisitor {
        let (token, now) = (SessionToken(), app.installation.world.now())
        let session = StoredSession(
            tokenHash: token.hash, operatorID: try await app.ownerID(), workspaceID: app.workspace.workspace.id, createdAt: now, seenAt: now, rotatedAt: now,
            expiresAt: try now.adding(milliseconds: SessionDoor.lifeMs))
        try await app.installation.writeAnywhere { connection in try SessionStore.insert(session, on: connection) }
        let browser = PageVisitor(app)
        browser[PageVisitor.session] = token.text
        return browser
    }
}
