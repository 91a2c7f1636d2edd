import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Whoever has a member's mailbox is the member: another address is told to the old one, and where money is it takes the right to pay.
struct MemberAddressTests {
    private func key(_ role: String, in app: AppHarness) async throws -> String {
        try await app.post("/api-keys", ["name": .text(role), "role": .text(role)])["secretKey"].text
    }

    private func notices(_ app: AppHarness, _ email: String) async throws -> [String] {
        try await app.letters(to: email).compactMap { if case .memberAddressChanged(_, let ending) = $0 { ending } else { nil } }
    }

    @Test(arguments: Engine.allCases) func theOldAddressIsTold(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna", enroller: nil, ["externalId": "a-1"])
            let support = try await key("support", in: app)
            // Nothing to take yet: support mends a mistyped address.
            #expect(try await app.api(.patch, "/members/\(anna)", ["email": "anna.new@members.test"], as: support).status == 200)
            #expect(try await notices(app, "anna@members.test") == ["a…@members.test"])
            #expect(try await notices(app, "anna.new@members.test") == [])
            // The same again is no change; the way by the company's own id is one.
            #expect(try await app.api(.patch, "/members/\(anna)", ["email": "anna.new@members.test"], as: support).status == 200)
            _ = try await app.post("/members", ["programId": .text(program), "externalId": "a-1", "email": "third@members.test"])
            #expect(try await notices(app, "anna.new@members.test") == ["t…@members.test"])
            #expect(try await notices(app, "anna@members.test").count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func whereMoneyIsItTakesTheRightToPay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna", enroller: nil, ["externalId": "a-1"])
            let bert = try await app.member(program, "bert")
            try await app.link(program, anna, code: "ANNA")
            try await app.sale("i-1", "buyer", 10_000, ["code": "ANNA"])
            try await app.put("/members/\(bert)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000"])
            for role in ["support", "marketer", "developer", "compliance"] {
                let other = try await key(role, in: app)
                for (member, name) in [(anna, "anna"), (bert, "bert")] {
                    let refused = try await app.api(.patch, "/members/\(member)", ["email": "thief@evil.test"], as: other)
                    #expect(refused.status == 403 && refused.text.contains("payouts:write"), "\(role)")
                    #expect(try await app.get("/members/\(member)")["email"].text == "\(name)@members.test")
                    #expect(try await app.api(.patch, "/members/\(member)", ["name": "Someone"], as: other).status == 200)
                }
                let byID = try await app.api(
                    .post, "/members", ["programId": .text(program), "externalId": "a-1", "email": "thief@evil.test"], as: other)
                #expect(byID.status == 403)
            }
            #expect(try await notices(app, "anna@members.test") == [])
            let owner = try await app.api(.patch, "/members/\(anna)", ["email": "anna@new.test"])
            #expect(owner.status == 200)
            #expect(try await notices(app, "anna@members.test") == ["a…@new.test"])
        }
    }
}
