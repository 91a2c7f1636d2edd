import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// From the change to the company's server, and what happens when that does not answer.
@Suite struct WebhookDeliveryTests {
    @Test(arguments: Engine.allCases) func aChangeArrivesSignedOnce(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            try await story.enrol("before", in: program)
            let made = try await story.subscribe()
            #expect(made["secret"].text.hasPrefix("whsec_"))
            #expect(made["events"].list.map(\.textValue) == ["member.created"])
            try await story.enrol("ada", "bea", in: program)
            try await story.worker.deliverDue()
            try await story.worker.deliverDue()
            let messages = story.receiver.messages
            let events = try await story.app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "member.created" }
            // What was before is not told; the rest in order, each once.
            #expect(messages.map { $0.json["id"].text } == events.dropFirst().map { $0["id"].text })
            for message in messages {
                #expect(message.method == "POST" && message.path == "/hooks")
                #expect(message.headers["content-type"] == "application/json")
                #expect(message.headers["webhook-id"] == message.json["id"].text)
                #expect(message.headers["webhook-timestamp"] == String(story.app.clock.now.millisecondsSince1970 / 1000))
                #expect(message.signatures.count == 1)
                #expect(message.isSigned(by: made["secret"].text))
                #expect(message.json.names == ["id", "type", "createdAt", "apiVersion", "data"])
            }
            let listed = try await story.deliveries(made["id"].text)
            #expect(listed.map { $0["state"].text } == ["delivered", "delivered"])
            #expect(listed.map { $0["status"].integer } == [204, 204])
            // Nobody but the owner ever sees the secret, and nobody twice.
            let shown = try await story.app.get("/webhooks/\(made["id"].text)")
            #expect(shown["secret"] == nil)
            let stored: [UInt8]? = try await story.app.installation.main.read { connection in
                try connection.row("SELECT secret_sealed FROM webhook_endpoint")?.get(at: 0)
            }
            #expect(stored?.count == 32 + 28)
        }
    }

    /// However many slow endpoints one workspace has, another's is served.
    @Test func oneWorkspaceDoesNotHoldUpAnother() {
        let busy = BusyEndpoints()
        let (first, second) = (WorkspaceID(stored: "ws_1"), WorkspaceID(stored: "ws_2"))
        let ids = (0..<WebhookWorker.endpointsMax * 2).map { WebhookID(stored: "wh_\($0)") }
        let taken = ids.dropLast().filter { busy.take($0, of: first) }
        #expect(taken.count == WebhookWorker.endpointsMax - WebhookWorker.endpointsKeptFree)
        #expect(busy.take(ids[ids.count - 1], of: second))
        #expect(!busy.take(ids[ids.count - 1], of: second), "nobody is served twice at once")
        busy.giveBack(taken[0])
        #expect(!busy.take(taken[0], of: first), "what was kept free is in use")
        busy.giveBack(ids[ids.count - 1])
        #expect(busy.take(taken[0], of: first))
    }

    /// What is looked at is not one workspace's alone.
    @Test(arguments: Engine.allCases) func aLookFindsSomeOfEach(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            for place in 0..<3 { _ = try await story.subscribe(path: "/hooks/\(place)") }
            try await story.enrol("ada", in: program)
            try await story.app.installation.fanOutEvents()
            let now = story.app.clock.now
            func due(_ limit: Int) async throws -> [WorkspaceID] {
                try await story.app.installation.main.read { connection in
                    try WebhookDeliveryStore.endpointsDue(at: now, limit: 10, limitOfWorkspace: limit, on: connection).map(\.workspaceID)
                }
            }
            #expect(try await due(10).count == 3)
            #expect(try await due(2) == [story.app.twinID, story.app.twinID])
        }
    }

    /// Ten tries: the waits grow, and then it has failed; a replay begins anew.
    @Test(arguments: Engine.allCases) func tenTriesOverThreeDays(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            let id = try await story.subscribe()["id"].text
            try await story.enrol("ada", in: program)
            story.receiver.answer(.init(status: 500, body: "out of order\u{0}"))
            var at: [Int64] = []
            for _ in 0..<2_000 where at.count < 10 {
                let before = story.receiver.messages.count
                try await story.worker.deliverDue()
                if story.receiver.messages.count > before { at.append(story.app.clock.now.millisecondsSince1970) }
                story.app.clock.advance(ms: at.count < 3 ? 1_000 : 180_000)
            }
            #expect(at.count == 10)
            let whole = (at.last ?? 0) - (at.first ?? 0)
            #expect((60 * 3_600_000...84 * 3_600_000).contains(whole), "\(whole) ms")
            let waits = zip(at.dropFirst(), at).map { $0 - $1 }
            #expect(waits == waits.sorted())
            let failed = try #require(try await story.deliveries(id).first)
            #expect(failed["state"].text == "failed" && failed["tries"].integer == 10 && failed["answer"].text == "out of order")
            #expect(Set(story.receiver.ids).count == 1)
            try await story.wait(minutes: 90)
            #expect(story.receiver.messages.count == 10)
            story.receiver.answerWell()
            try await story.app.post("/webhooks/deliveries/\(failed["id"].text)/replay", .object([]))
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.count == 11 && Set(story.receiver.ids).count == 1)
            #expect(try await story.deliveries(id).first?["state"].text == "delivered")
            #expect(try await story.app.get("/webhooks/\(id)")["failuresInRow"].integer == 0)
        }
    }

    @Test(arguments: ["seconds", "day"]) func retryAfterIsHonouredWithinABound(_ form: String) async throws {
        try await WebhookStory.with(.sqlite) { story in
            let program = try await story.app.program()
            _ = try await story.subscribe()
            try await story.enrol("ada", in: program)
            // 2026-01-01T02:00:00Z, two hours after the harness's time.
            story.receiver.answer(
                .init(status: 503, headers: ["retry-after: \(form == "seconds" ? "7200" : "Thu, 01 Jan 2026 02:00:00 GMT")"], times: 1))
            try await story.worker.deliverDue()
            try await story.wait(minutes: 119)
            #expect(story.receiver.messages.count == 1)
            try await story.wait(minutes: 2)
            #expect(story.receiver.messages.count == 2)
        }
        let world = World.seeded(7, start: AppHarness.start)
        #expect(WebhookDelivery.pauseMs(afterTries: 1, retryAfterMs: 40 * 86_400_000, world: world) == WebhookDelivery.retryAfterMaxMs)
        #expect(RetryAfter.ms("soon", now: AppHarness.start) == nil)
        #expect(RetryAfter.ms("Sun, 06 Nov 1994 08:49:37 GMT", now: AppHarness.start) == 0)
        #expect(RetryAfter.ms("99999999999", now: AppHarness.start) == nil)
        #expect(WebhookDelivery.pauseMs(afterTries: 10, retryAfterMs: 1_000, world: world) == nil)
    }

    @Test(arguments: Engine.allCases) func whoIsGoneIsDisabledAndTheOwnersAreTold(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let key = story.app.liveKey
            let program = try await story.app.post("/programs", ["name": "Live", "currency": "EUR"], as: key)["id"].text
            let id = try await story.subscribe(as: key)["id"].text
            _ = try await story.app.post("/members", ["programId": .text(program), "email": "ada@members.test"], as: key)
            story.receiver.answer(.init(status: 410))
            try await story.worker.deliverDue()
            let shown = try await story.app.get("/webhooks/\(id)", as: key)
            #expect(shown["enabled"] == .boolean(false) && shown["disabledReason"].text == "gone")
            let letters: Int64? = try await story.app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM mail WHERE kind = 'webhookDisabled' AND state = 'waiting'")
            }
            #expect(letters == 1)
            let refused = try await story.app.api(.post, "/webhooks/\(id)/test", as: key)
            #expect(refused.status == 409 && refused.code == "webhook_disabled")
            // Enabled again, it is told what happens from then on.
            story.receiver.answerWell()
            story.receiver.forget()
            try await story.app.api(.patch, "/webhooks/\(id)", ["enabled": true], as: key).success("PATCH")
            _ = try await story.app.post("/members", ["programId": .text(program), "email": "bea@members.test"], as: key)
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.count == 1)
        }
    }

    /// Five failures in a row pause it, then one message alone is tried; one success and all goes out.
    @Test(arguments: Engine.allCases) func aCircuitPausesAndCloses(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            let id = try await story.subscribe()["id"].text
            for number in 0..<8 { try await story.enrol("m\(number)", in: program) }
            story.receiver.answer(.init(status: 500))
            for _ in 0..<20 { try await story.worker.deliverDue() }
            #expect(story.receiver.messages.count == 5)
            let paused = try await story.app.get("/webhooks/\(id)")
            #expect(paused["failuresInRow"].integer == 5 && paused["pausedUntil"].text != "")
            do {
                story.app.clock.advance(ms: WebhookEndpoint.pauseMs + 1)
                for _ in 0..<5 { try await story.worker.deliverDue() }
                #expect(story.receiver.messages.count == 6, "one alone was tried")
            }
            story.receiver.answerWell()
            story.app.clock.advance(ms: 2 * WebhookEndpoint.pauseMs + 1)
            for _ in 0..<4 { try await story.worker.deliverDue() }
            try await story.wait(minutes: 10)
            #expect(Set(try await story.deliveries(id).map { $0["state"].text }) == ["delivered"])
            let well = try await story.app.get("/webhooks/\(id)")
            #expect(well["failuresInRow"].integer == 0 && well["pausedUntil"] == .null && well["failingSince"] == .null)
        }
        #expect(WebhookEndpoint.pauseMs(afterFailures: 4) == nil)
        #expect(WebhookEndpoint.pauseMs(afterFailures: 5) == 60_000)
        #expect(WebhookEndpoint.pauseMs(afterFailures: 1_000) == 3_600_000)
    }

    @Test func fiveDaysOfFailingDisable() async throws {
        try await WebhookStory.with(.sqlite) { story in
            let program = try await story.app.program()
            let id = try await story.subscribe()["id"].text
            story.receiver.answer(.init(status: 500))
            for day in 0..<6 {
                try await story.enrol("d\(day)", in: program)
                try await story.worker.deliverDue()
                for _ in 0..<24 {
                    story.app.clock.advance(ms: 3_600_001)
                    try await story.worker.deliverDue()
                }
            }
            let shown = try await story.app.get("/webhooks/\(id)")
            #expect(shown["disabledReason"].text == "failing")
            let count = story.receiver.messages.count
            try await story.wait(minutes: 120)
            #expect(story.receiver.messages.count == count)
        }
    }

    /// A process that dies between sending and noting: another sends again, under the same id, when the lease is over.
    @Test(arguments: Engine.allCases) func whatWasClaimedByADeadProcessIsSentAgain(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            let id = try await story.subscribe()["id"].text
            try await story.enrol("ada", "bea", in: program)
            try await story.app.installation.fanOutEvents()
            let lease = try story.app.clock.now.adding(milliseconds: WebhookDelivery.leaseMs)
            let now = story.app.clock.now
            let endpoint = WebhookID(stored: id)
            let claimed = try await story.app.installation.writeAnywhere { connection in
                try WebhookDeliveryStore.due(endpoint, at: now, limit: 10, on: connection).filter {
                    try WebhookDeliveryStore.claim($0, until: lease, on: connection)
                }
            }
            #expect(claimed.count == 2)
            // Nobody else takes them meanwhile, nor twice.
            #expect(try await story.app.installation.writeAnywhere { connection in try WebhookDeliveryStore.claim(claimed[0], until: lease, on: connection) } == false)
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.isEmpty)
            story.app.clock.advance(ms: WebhookDelivery.leaseMs + 1)
            try await WebhookWorker(installation: story.app.installation).deliverDue()
            #expect(Set(story.receiver.ids).count == 2)
            #expect(Set(try await story.deliveries(id).map { $0["state"].text }) == ["delivered"])
        }
    }

    @Test(arguments: Engine.allCases) func rotationSignsWithBothForADay(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            let made = try await story.subscribe()
            let (id, old) = (made["id"].text, made["secret"].text)
            let rotated = try await story.app.post("/webhooks/\(id)/secret", .object([]), idempotencyKey: "once")
            let new = rotated["secret"].text
            #expect(new != old && rotated["previousUntil"].text != "")
            // The same request again changes nothing and shows no secret.
            let again = try await story.app.api(.post, "/webhooks/\(id)/secret", .object([]), idempotencyKey: "once")
            #expect(again.isReplayed && again.json["secret"] == .null)
            try await story.enrol("ada", in: program)
            try await story.worker.deliverDue()
            let both = try #require(story.receiver.messages.last)
            #expect(both.signatures.count == 2 && both.isSigned(by: new) && both.isSigned(by: old))
            story.app.clock.advance(ms: WebhookEndpoint.previousSecretMs + 1)
            try await story.enrol("bea", in: program)
            try await story.worker.deliverDue()
            let one = try #require(story.receiver.messages.last)
            #expect(one.signatures.count == 1 && one.isSigned(by: new) && !one.isSigned(by: old))
        }
    }

    /// A receiver that lost a day has it sent again: all, under the same ids, whether it arrived or not.
    @Test(arguments: Engine.allCases) func replaysByCursor(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            try await story.enrol("early", in: program)
            let id = try await story.subscribe()["id"].text
            for number in 0..<5 { try await story.enrol("m\(number)", in: program) }
            try await story.worker.deliverDue()
            let before = story.receiver.ids
            #expect(before.count == 5)
            story.receiver.forget()
            let answer = try await story.app.post("/webhooks/\(id)/replay", ["after": .text(before[1])])
            #expect(answer["events"] == 3, "of its types alone")
            try await story.worker.deliverDue()
            #expect(story.receiver.ids == Array(before.dropFirst(2)))
            story.receiver.forget()
            // From a time: what was before the webhook was made as well.
            try await story.app.post("/webhooks/\(id)/replay", ["after": .text(AppHarness.start.rfc3339)])
            try await story.worker.deliverDue()
            #expect(Set(story.receiver.ids).count == 6 && story.receiver.ids.suffix(5).elementsEqual(before))
            let refused = try await story.app.api(.post, "/webhooks/\(id)/replay", ["after": "yesterday"])
            #expect(refused.status == 422 && refused.fields == ["after"])
            let unknown = try await story.app.api(.post, "/webhooks/\(id)/replay", ["after": .text(EventID(stored: story.app.installation.world.newID(EventKind.self).text).text)])
            #expect(unknown.status == 422)
        }
    }

    /// Redirects are failures, long answers are cut, and nothing is read into memory that nobody needs.
    @Test func strangeAnswers() async throws {
        try await WebhookStory.with(.sqlite) { story in
            let program = try await story.app.program()
            let id = try await story.subscribe()["id"].text
            try await story.enrol("ada", in: program)
            story.receiver.answer(.init(status: 302, headers: ["location: \(story.receiver.url("/elsewhere"))"], times: 1))
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.map(\.path) == ["/hooks"])
            #expect(try await story.deliveries(id).first?["status"].integer == 302)
            story.receiver.answer(.init(status: 200, body: String(repeating: "long ", count: 100_000), times: 1))
            story.app.clock.advance(ms: 10_000)
            try await story.worker.deliverDue()
            let delivered = try #require(try await story.deliveries(id).first)
            #expect(delivered["state"].text == "delivered")
            #expect(delivered["answer"].text.count == WebhookDelivery.answerCharactersMax)
        }
    }

    /// Clicks are told once each, however often they are applied.
    @Test(arguments: Engine.allCases) func clicksAreToldOnce(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let program = try await story.app.program()
            let member = try await story.app.member(program, "ada")
            _ = try await story.subscribe(["link.clicked"])
            try await story.app.post("/links", ["programId": .text(program), "memberId": .text(member), "destination": "https://shop.test/", "code": "ada"])
            _ = try await story.app.visit("/r/ada")
            for _ in 0..<3 {
                try await story.app.installation.doDueWork()
                try await story.worker.deliverDue()
            }
            #expect(story.receiver.messages.count == 1)
            #expect(story.receiver.messages.first?.json["data"]["memberId"].text == member)
        }
    }
}
