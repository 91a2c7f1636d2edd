import Chronology
import Foundation
import HTTPTypes
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// The company's own system, told by signed messages.
@Suite struct ExternalRailTests {
    /// A system that remembers lines by their id and pays each once.
    final class System: Sendable {
        private struct State {
            var messages: [ProviderServer.Request] = []
            var replies: [ProviderServer.Reply] = []
        }
        private let state = Mutex(State())

        var messages: [ProviderServer.Request] { state.withLock { $0.messages } }
        func reply(_ replies: [ProviderServer.Reply]) { state.withLock { $0.replies = replies } }

        func answer(_ request: ProviderServer.Request) -> ProviderServer.Reply {
            state.withLock { state in
                state.messages.append(request)
                return state.replies.isEmpty ? .answer(status: 200, body: #"{"outcome":"paid","reference":"own-\#(state.messages.count)"}"#) : state.replies.removeFirst()
            }
        }
    }

    private static func with(_ engine: Engine, members: Int = 1, _ body: @escaping @Sendable (RailStory, System, String) async throws -> Void) async throws {
        let system = System()
        try await ProviderServer.with({ system.answer($0) }) { url in
            try await RailStory.with(engine, .external, members: members) { story in
                let secret = try await story.app.put("/rails/external", ["url": .text(url + "/lines")])["secret"].text
                try await body(story, system, secret)
                let findings = try await story.findings()
                #expect(findings.isEmpty, "\(findings)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func aLineIsToldSignedAndItsAnswerCounts(_ engine: Engine) async throws {
        try await Self.with(engine, members: 2) { story, system, secret in
            #expect(secret.hasPrefix("whsec_"))
            let again = try await story.app.put("/rails/external", ["url": .text("http://127.0.0.1:1/lines")])
            #expect(again["secret"] == nil, "shown once")
        }
        try await Self.with(engine, members: 2) { story, system, secret in
            system.reply([.answer(status: 200, body: #"{"outcome":"paid","reference":"own-1"}"#), .answer(status: 200, body: #"{"outcome":"failed","code":"closed","reason":"Closed by Anna"}"#)])
            try await story.send(.external)
            try await story.worker.workDue()
            #expect(try await story.items().sorted() == ["failed", "paid"])
            for message in system.messages {
                let line = message.headers["webhook-id"] ?? ""
                let seconds = Int64(message.headers["webhook-timestamp"] ?? "") ?? 0
                let bytes = Data(base64Encoded: String(secret.dropFirst(6))) ?? Data()
                #expect(message.headers["webhook-signature"] == WebhookSecret(bytes: Array(bytes)).signature(id: line, timestampSeconds: seconds, body: message.body))
                let body = try JSONValue.parse(message.body, maximumBytes: 100_000)
                #expect(body["id"].text == line && body["type"].text == "payout.line.requested")
                #expect(body["data"]?["lineId"].text == line && body["data"]?["reference"].text.hasPrefix("wallet-") == true)
            }
            // What it says may name people: it is sealed.
            let plain = try await story.app.installation.main.read { connection in
                try connection.rows("SELECT message_sealed FROM rail_line WHERE message_sealed IS NOT NULL").map { try $0.get(at: 0, as: [UInt8].self) }
            }
            #expect(plain.count == 1 && !String(decoding: plain[0], as: UTF8.self).contains("Anna"))
            #expect(try await story.lines().contains { $0["reason"].text == "Closed by Anna" })
        }
    }

    @Test(arguments: Engine.allCases, [
        ProviderServer.Reply.lost, .answer(status: 500), .answer(status: 400, body: #"{"error":"no"}"#), .answer(status: 410), .answer(status: 200, body: "<html>"),
        .answer(status: 200, body: #"{"outcome":"maybe"}"#),
    ])
    func whatIsNoOutcomeIsUnknownAndToldAgain(_ engine: Engine, _ reply: ProviderServer.Reply) async throws {
        try await Self.with(engine) { story, system, _ in
            system.reply([reply])
            try await story.send(.external)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown"])
            try await story.wait(minutes: 1)
            #expect(try await story.items() == ["paid"])
            #expect(Set(system.messages.map { $0.headers["webhook-id"] ?? "" }).count == 1, "under the same id")
        }
    }

    @Test(arguments: Engine.allCases) func theOutcomeMayComeLater(_ engine: Engine) async throws {
        try await Self.with(engine, members: 2) { story, system, _ in
            system.reply([.answer(status: 202), .answer(status: 200, body: #"{"outcome":"accepted","reference":"job-7"}"#)])
            try await story.send(.external)
            try await story.wait(minutes: 60 * 24, times: 2)
            #expect(system.messages.count == 2, "what was taken in is not told again by itself")
            #expect(try await story.items() == ["sent", "sent"])
            let lines = try await story.lines()
            let path = "/payouts/\(story.payout)/lines/\(lines[0]["id"].text)/outcome"
            #expect(try await story.app.post(path, ["outcome": "paid", "reference": "own-1"])["state"].text == "paid")
            #expect(try await story.app.post(path, ["outcome": "paid", "reference": "own-1"])["state"].text == "paid", "twice is once")
            #expect(try await story.app.post(path, ["outcome": "returned", "reference": "own-1-back", "code": "R03"])["state"].text == "returned")
            #expect(try await story.app.api(.post, path, ["outcome": "paid", "reference": "own-1"]).status == 200, "what came back stays so")
            #expect(try await story.items() == ["returned", "sent"])
            // Asked again, the system hears of the other once more, under its id, and says what became of it.
            try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
            try await story.worker.workDue()
            #expect(system.messages.count == 3)
            #expect(try await story.items() == ["returned", "paid"])
            #expect(try await story.app.api(.post, "/payouts/\(story.payout)/lines/pln_00000000000000000000000000/outcome", ["outcome": "paid"]).status == 404)
            #expect(try await story.app.api(.post, path, ["outcome": "perhaps"]).status == 422)
        }
    }

    /// People and the system say different things: nothing moves twice, and it is shown.
    @Test(arguments: Engine.allCases) func evidenceAgainstWhatPeopleRecordedIsShown(_ engine: Engine) async throws {
        try await Self.with(engine) { story, system, _ in
            system.reply([.lost])
            try await story.send(.external)
            try await story.worker.workDue()
            try await story.app.post("/payouts/\(story.payout)/outcomes", ["memberId": .text(story.members[0]), "outcome": "failed", "reference": "seen"])
            try await story.wait(minutes: 60)
            #expect(system.messages.count == 1, "what is settled is sent no more")
            let line = try #require(try await story.lines().first)
            let path = "/payouts/\(story.payout)/lines/\(line["id"].text)/outcome"
            #expect(try await story.app.post(path, ["outcome": "paid", "reference": "late"])["state"].text == "contrary")
            #expect(try await story.lines().first?["state"].text == "contrary", "what was told stays to be seen")
            #expect(try await story.items() == ["failed"])
            #expect(try await story.ledger() == (0, 0, 1_000))
        }
    }

    @Test(arguments: Engine.allCases) func whatIsRefusedBeforeAnythingIsSent(_ engine: Engine) async throws {
        try await Self.with(engine, members: 2) { story, _, _ in
            let app = story.app
            let path = "/payouts/\(story.payout)/sending"
            #expect(try await app.api(.post, path, ["rail": "paypal"]).code == "rail_not_connected")
            #expect(try await app.api(.post, path, ["rail": "nacha"]).status == 422)
            #expect(try await app.api(.post, path, .object([])).fields == ["rail"])
            try await app.put("/rails/stripe", ["secret": "sk_test_fake"])
            #expect(try await app.api(.post, path, ["rail": "stripe"]).code == "other_accounts")
            try await app.put("/members/\(story.members[0])/payout-account", ["kind": "external", "reference": "another"])
            #expect(try await app.api(.post, path, ["rail": "external"]).code == "account_changed")
            try await app.api(.post, "/payouts/\(story.payout)/removals", ["memberId": .text(story.members[0]), "reason": "moved"]).success("removal")
            try await story.send(.external)
            try await story.worker.workDue()
            #expect(try await story.items() == ["canceled", "paid"])
            #expect(try await app.api(.post, path, ["rail": "stripe"]).code == "payout_sent")
            for url in ["http://10.0.0.1/x", "https://user:pass@shop.example/", "ftp://shop.example"] {
                #expect(try await app.api(.put, "/rails/external", ["url": .text(url)]).fields == ["url"], "\(url)")
            }
        }
    }
}
