import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What can be asked for, and what is refused.
@Suite struct WebhookAPITests {
    @Test(arguments: [
        "", "shop.example", "ftp://shop.example/", "http://shop.example/hooks", "https://user:word@shop.example/", "https://shop.example/#part",
        "https://shop.example/\r\nx", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "https://[::ffff:a00:1]/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://sub.localhost/x",
        "http://10.0.0.1/", "https://0.0.0.0/", "https://[64:ff9b::a00:1]/", "https://shop.example:99999/", "https://shöp.example/",
        "https://shop.example\\@10.0.0.1/", "https:///hooks", "javascript:alert(1)", "https://localhost./", "https://sub.localhost./", "https://localhost../",
        "https://10.0.0.1./", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[2606:4700::1111%25eth0]/", "https://./",
    ])
    func addressesThatAreRefused(_ url: String) async throws {
        #expect(WebhookURL(Settings()).fault(url) != nil)
    }

    @Test func addressesThatAreTaken() {
        for url in ["https://shop.example/hooks", "https://shop.example:8443/hooks?a=b", "https://8.8.8.8/", "https://[2606:4700::1111]/x", "https://shop.example./hooks"] {
            #expect(WebhookURL(Settings()).fault(url) == nil, "\(url)")
        }
        var settings = Settings()
        settings.egressAllow = ["127.0.0.0/8", "10.1.0.0/16"]
        for url in ["http://127.0.0.1:4000/", "http://localhost:4000/", "http://10.1.2.3/", "http://receiver:9000/", "https://10.1.2.3/"] {
            #expect(WebhookURL(settings).fault(url) == nil, "\(url)")
        }
        for url in ["http://shop.example/", "http://10.2.0.1/", "http://8.8.8.8/"] { #expect(WebhookURL(settings).fault(url) != nil, "\(url)") }
    }

    /// The guard asks the socket, not the name: also a name that leads elsewhere than it did when it was written down.
    @Test func withoutEncryptionOnlyListedNetworksAreMet() async throws {
        try await WebhookReceiver.with { receiver in
            let elsewhere = Outbound(allowed: ["10.0.0.0/8"])
            let listed = Outbound(allowed: ["127.0.0.0/8"])
            for url in [receiver.url(), "http://localhost:\(receiver.port)/", "http://127.1:\(receiver.port)/", "http://2130706433:\(receiver.port)/"] {
                let request = Outbound.Request(url: url, timeoutMs: 3_000, encryptsUnlessAllowed: true)
                guard case .failed = await elsewhere.send(request) else {
                    Issue.record("\(url) was answered")
                    continue
                }
            }
            #expect(receiver.messages.isEmpty)
            guard case .answered(let status, _, _) = await listed.send(.init(url: receiver.url(), timeoutMs: 3_000, encryptsUnlessAllowed: true)) else {
                Issue.record("a listed network was not met")
                return
            }
            #expect(status == 204)
        }
    }

    @Test(arguments: Engine.allCases) func badInputIsNamed(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let good = JSONValue.text(story.receiver.url())
            for (body, field) in [
                (["url": good] as JSONValue, "events"), (["url": good, "events": []], "events"), (["url": good, "events": ["sale.made"]], "events"),
                (["url": good, "events": ["*", "sale.created"]], "events"), (["url": good, "events": ["webhook.tested"]], "events"),
                (["url": good, "events": "sale.created"], "events"), (["events": ["*"]], "url"), (["url": "http://shop.example/", "events": ["*"]], "url"),
                (["url": 7, "events": ["*"]], "url"), (["url": good, "events": ["*"], "secret": "mine"], "secret"),
            ] {
                let reply = try await app.api(.post, "/webhooks", body)
                #expect(reply.status == 422 && reply.fields.contains(field), "\(body): \(reply.status) \(reply.fields)")
            }
            let id = try await story.subscribe(["sale.created", "sale.created"])["id"].text
            #expect(try await app.get("/webhooks/\(id)")["events"].list.count == 1)
            #expect(try await app.api(.patch, "/webhooks/\(id)", ["events": ["nothing.real"]]).status == 422)
            #expect(try await app.patch("/webhooks/\(id)", ["events": ["*"]])["events"].list.map(\.textValue) == ["*"])
            #expect(try await app.api(.get, "/webhooks/\(id)/deliveries?state=lost").status == 422)
            for _ in 1..<WebhookEndpoint.countMax { _ = try await story.subscribe() }
            let full = try await app.api(.post, "/webhooks", ["url": good, "events": ["*"]])
            #expect(full.status == 409 && full.code == "too_many_webhooks")
            // A removed one makes room, and is gone for everybody.
            try await app.api(.delete, "/webhooks/\(id)").success("DELETE")
            #expect(try await app.api(.get, "/webhooks/\(id)").status == 404)
            #expect(try await app.api(.delete, "/webhooks/\(id)").status == 404)
            _ = try await story.subscribe()
            try await story.worker.forgetOld()
            let left: Int64? = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM webhook_endpoint WHERE state = 'removed'")
            }
            #expect(left == 0)
        }
    }

    /// The live workspace and its twin are two: no event, no endpoint and no delivery of one is the other's.
    @Test(arguments: Engine.allCases) func workspacesAreApart(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let own = try await story.subscribe(["*"], path: "/test")["id"].text
            let other = try await story.subscribe(["*"], path: "/live", as: app.liveKey)["id"].text
            let program = try await app.program()
            try await story.enrol("ada", in: program)
            try await story.worker.deliverDue()
            #expect(!story.receiver.messages.isEmpty && story.receiver.messages.allSatisfy { $0.path == "/test" })
            let delivery = try #require(try await story.deliveries(own).first)["id"].text
            for (method, path, body) in [
                (HTTPRequest.Method.get, "/webhooks/\(own)", nil as JSONValue?), (.get, "/webhooks/\(own)/deliveries", nil), (.delete, "/webhooks/\(own)", nil),
                (.patch, "/webhooks/\(own)", ["enabled": false]), (.post, "/webhooks/\(own)/secret", nil), (.post, "/webhooks/\(own)/test", nil),
                (.post, "/webhooks/\(own)/replay", ["after": "2026-01-01T00:00:00Z"]), (.post, "/webhooks/deliveries/\(delivery)/replay", nil),
            ] {
                let reply = try await app.api(method, path, body, as: app.liveKey)
                #expect(reply.status == 404, "\(method) \(path): \(reply.status)")
            }
            #expect(try await app.get("/webhooks", as: app.liveKey)["data"].list.map { $0["id"].text } == [other])
        }
    }

    @Test(arguments: Engine.allCases) func aTestGoesToOneAlone(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let one = try await story.subscribe(["*"], path: "/one")
            _ = try await story.subscribe(["*"], path: "/two")
            let delivery = try await story.app.post("/webhooks/\(one["id"].text)/test", .object([]))
            #expect(delivery["state"].text == "waiting" && delivery["type"].text == "webhook.tested")
            try await story.worker.deliverDue()
            #expect(story.receiver.messages.map(\.path) == ["/one"])
            #expect(story.receiver.messages.first?.isSigned(by: one["secret"].text) == true)
        }
    }

    /// Events are listed in the order of their commits, although ids of one moment are in no order.
    @Test(arguments: Engine.allCases) func eventsHaveAnOrder(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for number in 0..<30 { _ = try await app.member(program, "m\(number)") }
            let all = try await app.get("/events?limit=100")["data"].list.map { $0["id"].text }
            #expect(all.count >= 30 && all != all.sorted(), "ids alone would be in another order")
            var paged: [String] = []
            var cursor = ""
            while true {
                let page = try await app.get("/events?limit=7\(cursor)")
                paged += page["data"].list.map { $0["id"].text }
                guard page["hasMore"] == .boolean(true) else { break }
                cursor = "&startingAfter=\(page["nextCursor"].text)"
            }
            #expect(paged == all)
        }
    }
}
