import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A page shows a member their own things, for a few minutes, and nothing else.
@Suite struct EmbedTokenTests {
    @Test(arguments: Engine.allCases) func aTokenShowsItsMember(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let reply = try await app.api(.post, "/tokens/embed", ["memberId": .text(anna)])
            #expect(reply.status == 201 && reply.json["memberId"].text == anna && reply.json["portalUrl"] == .null)
            let token = reply.json["token"].text
            let shown = try await app.api(.get, "/embed/member", as: token)
            #expect(shown.status == 200 && shown.json["memberId"].text == anna && !shown.json["links"].list.isEmpty)
            #expect(!shown.text.contains("@"), "no mail address")
        }
    }

    @Test(arguments: Engine.allCases) func aTokenIsNoKeyAndAKeyIsNoToken(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let token = try await app.post("/tokens/embed", ["memberId": .text(anna)])["token"].text
            for operation in app.operations where operation.access != .embedToken {
                #expect(try await app.tryOut(operation, as: token, id: anna).status == 401, "\(operation.id)")
            }
            for key in [app.key, app.publishableKey, "", "kith_et_", "kith_et_a.b", token + "a", String(token.dropLast(2)) + "AA", "x" + token] {
                #expect(try await app.api(.get, "/embed/member", as: key).status == 401, "\(key)")
            }
        }
    }

    /// A shop whose own account is missing sends null: nobody else's mail address stands in for it.
    @Test(arguments: Engine.allCases) func nullIsNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna()
            let bert = try await app.member(program, "bert", enroller: nil, ["email": "bert@members.test"])
            #expect(try await app.post("/tokens/embed", ["email": "bert@members.test"])["memberId"].text == bert)
            for field in ["memberId", "externalId"] {
                let reply = try await app.api(.post, "/tokens/embed", ["email": "bert@members.test", field: .null])
                #expect(reply.status == 422 && reply.fields == [field])
            }
        }
    }

    /// What opens the portal opens it once, and reads nothing besides.
    @Test(arguments: Engine.allCases) func aPortalTokenReadsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let reply = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true])
            let framed = try #require(reply["embedUrl"].text.split(separator: "token=").last.map(String.init))
            #expect(try await app.api(.get, "/embed/member", as: framed).status == 401)
            #expect(try await app.api(.get, "/embed/member", as: reply["token"].text).status == 200)
        }
    }

    @Test func aTokenEnds() throws {
        let secrets = Secrets(master: [UInt8](repeating: 1, count: 32))
        let zeros = String(repeating: "0", count: 26)
        let now = Instant(millisecondsSince1970: 1_800_000_000_000)
        let token = EmbedToken(workspaceID: WorkspaceID(stored: "ws_" + zeros), memberID: MemberID(stored: "mem_" + zeros), expiresAt: try now.adding(milliseconds: 1_000))
        let text = token.text(secrets)
        #expect(EmbedToken(text: text, secrets, at: now) == token)
        #expect(EmbedToken(text: text, secrets, at: try now.adding(milliseconds: 1_000)) == nil)
        #expect(EmbedToken(text: text, Secrets(master: [UInt8](repeating: 2, count: 32)), at: now) == nil)
    }

    /// Nobody learns of other companies' members, and who is not allowed to decide where money goes gets no way into the portal.
    @Test(arguments: Engine.allCases) func whoMayAsk(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            #expect(try await app.api(.post, "/tokens/embed", ["memberId": .text(anna)], as: app.publishableKey).status == 403)
            #expect(try await app.api(.post, "/tokens/embed", ["externalId": "nobody"]).status == 404)
            // An id that is not known is no reason to go by an address that its bearer may have chosen.
            let address = JSONValue.text(try await app.get("/members/\(anna)")["email"].text)
            #expect(try await app.api(.post, "/tokens/embed", ["email": address]).json["memberId"].text == anna)
            #expect(try await app.api(.post, "/tokens/embed", ["externalId": "nobody", "email": address]).status == 404)
            #expect(try await app.api(.post, "/tokens/embed", ["memberId": "mem_00000000000000000000000000", "email": address]).status == 404)
            #expect(try await app.api(.post, "/tokens/embed", [:]).status == 422)
            #expect(try await app.api(.post, "/tokens/embed", ["memberId": .text(anna), "externalId": "x"]).status == 422)
            let weak = try await app.post("/api-keys", ["name": "weak", "scopes": ["members:write", "members:read"]])["secretKey"].text
            #expect(try await app.api(.post, "/tokens/embed", ["memberId": .text(anna)], as: weak).status == 201)
            let refused = try await app.api(.post, "/tokens/embed", ["memberId": .text(anna), "portal": true], as: weak)
            #expect(refused.status == 403 && refused.json["code"].text == "missing_right")
            let url = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true])["portalUrl"].text
            #expect(url.contains("/portal/enter?token="))
            #expect(try await app.call(.get, String(url.drop { $0 != "/" }.drop { $0 == "/" }.drop { $0 != "/" })).status == 200)
        }
    }
}
