import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// One person is not two: who came to a role that approves money a short while ago waits for a day, and the other owners know.
struct NewApproverTests {
    @Test(arguments: Engine.allCases)
    func whoWasInvitedWaitsForADay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let payout = try await Self.livePayout(app)
            let invited = try await app.post("/team", ["email": "puppet@team.test", "role": "finance"], as: app.liveKey)
            let url = invited["invitationUrl"].text
            let path = String(url[(url.range(of: "/invitations/")?.lowerBound ?? url.endIndex)...])
            let browser = PageVisitor(app)
            #expect(try await browser.submit(path, from: path, ["password": TeamPerson.password]).status == 303)
            let puppet = try #require(OperatorID(invited["id"].text))
            let key = try await Self.key(of: puppet, in: app)
            let refused = try await app.api(.post, "/payouts/\(payout)/approval", nil, as: key)
            #expect(refused.status == 403 && refused.code == "approver_too_new")
            let from = try app.clock.now.adding(milliseconds: NewApprover.waitMs)
            #expect(refused.json["detail"].text.contains(from.rfc3339))
            #expect(try await app.get("/payouts/\(payout)", as: app.liveKey)["state"].text == "draft")
            let page = try await browser.get("/payouts/\(payout)").text
            #expect(page.contains("You came to your role a short while ago") && !page.contains("/approval\""))
            #expect(try await Self.letters(app) == 1, "to the owner")

            // Another role that approves is no way round; nor is the test twin's own money held up.
            try await app.api(.patch, "/team/\(puppet)", ["role": "admin"], as: app.liveKey).success("role")
            #expect(try await app.api(.post, "/payouts/\(payout)/approval", nil, as: key).code == "approver_too_new")
            let shop = try await Payees.make(in: app)
            let inTwin = try await app.post("/payouts", shop.batch())["id"].text
            let twinKey = try await app.installation.write(app.twinID, actor: .command) { write in
                try APIKey.create(name: "Twin", kind: .secret, role: .finance, scopes: [], for: puppet, in: write).text
            }
            #expect(try await app.api(.post, "/payouts/\(inTwin)/approval", nil, as: twinKey).status == 200)

            app.clock.advance(ms: NewApprover.waitMs - 1)
            #expect(try await app.api(.post, "/payouts/\(payout)/approval", nil, as: key).code == "approver_too_new")
            app.clock.advance(ms: 1)
            #expect(try await app.api(.post, "/payouts/\(payout)/approval", nil, as: key).status == 200)
        }
    }

    @Test(arguments: Engine.allCases)
    func anotherRoleWaitsTooAndThoseBeforeDoNot(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let payout = try await Self.livePayout(app)
            // As everybody who was there before, and who was added on the machine itself.
            let known = try await TeamPerson.make("known", .finance, in: app)
            let other = try await TeamPerson.make("other", .marketer, in: app)
            try await app.api(.patch, "/team/\(other.id)", ["role": "finance"], as: app.liveKey).success("role")
            #expect(try await Self.letters(app) == 0, "the only owner did it themselves")
            let owner = try await TeamPerson.make("owner", .owner, in: app)
            try await app.api(.patch, "/team/\(other.id)", ["role": "viewer"], as: app.liveKey).success("role")
            try await app.api(.patch, "/team/\(other.id)", ["role": "finance"], as: app.liveKey).success("role")
            #expect(try await Self.letters(app, to: owner.id) == 1)
            let late = try await Self.key(of: other.id, in: app)
            #expect(try await app.api(.post, "/payouts/\(payout)/approval", nil, as: late).code == "approver_too_new")
            let key = try await Self.key(of: known.id, in: app)
            #expect(try await app.api(.post, "/payouts/\(payout)/approval", nil, as: key).status == 200)
        }
    }

    /// A batch of the live workspace that waits for a second person.
    private static func livePayout(_ app: AppHarness) async throws -> String {
        let live = app.liveKey
        let program = try await app.post(
            "/programs", ["name": "Live", "currency": "EUR", "timezone": "UTC", "holdDays": 0, "minimumPayout": 0], as: live)["id"].text
        let member = try await app.post("/members", ["programId": .text(program), "email": "m@members.test", "name": "M"], as: live)["id"].text
        try await app.api(.put, "/members/\(member)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000"], as: live).success("account")
        try await app.post("/commissions", ["programId": .text(program), "memberId": .text(member), "amount": 500, "reason": "Thanks"], as: live)
        return try await app.post("/payouts", ["programId": .text(program), "cutoff": .text(app.clock.now.rfc3339)], as: live)["id"].text
    }

    private static func key(of person: OperatorID, in app: AppHarness) async throws -> String {
        try await app.installation.write(app.workspace.workspace.id, actor: .command) { write in
            try APIKey.create(name: "Own", kind: .secret, role: .finance, scopes: [], for: person, in: write).text
        }
    }

    private static func letters(_ app: AppHarness, to owner: OperatorID? = nil) async throws -> Int64 {
        let live = app.workspace.workspace.id
        return try await app.installation.main.read { connection in
            var sql: SQL = "SELECT count(*) FROM mail WHERE kind = 'approverAdded' AND workspace_id = \(live) AND state = 'waiting'"
            if let owner { sql = "\(sql: sql) AND operator_id = \(owner)" }
            return try connection.value(sql) ?? 0
        }
    }
}
