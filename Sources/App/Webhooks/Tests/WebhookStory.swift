import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A shop with a receiver beside it.
struct WebhookStory: Sendable {
    let app: AppHarness
    let receiver: WebhookReceiver
    let worker: WebhookWorker

    static func with(
        _ engine: Engine, _ body: @Sendable (WebhookStory) async throws -> Void
    ) async throws {
        try await WebhookReceiver.with { receiver in
            try await AppHarness.with(engine, settings: { $0.egressAllow = ["127.0.0.0/8"] }) { app in
                try await body(WebhookStory(app: app, receiver: receiver, worker: WebhookWorker(installation: app.installation)))
            }
        }
    }

    func subscribe(_ events: [String] = ["member.created"], path: String = "/hooks", as key: String? = nil) async throws -> JSONValue {
        try await app.post("/webhooks", ["url": .text(receiver.url(path)), "events": .array(events.map { .text($0) })], as: key)
    }

    /// One event of the type member.created each.
    func enrol(_ names: String..., in program: String) async throws {
        for name in names { _ = try await app.member(program, name) }
    }

    func deliveries(_ webhook: String, state: String? = nil) async throws -> [JSONValue] {
        try await app.get("/webhooks/\(webhook)/deliveries" + (state.map { "?state=\($0)" } ?? ""))["data"].list
    }

    /// Looks once a minute of the world's clock for so long.
    func wait(minutes: Int) async throws {
        for _ in 0..<minutes {
            app.clock.advance(ms: 60_000)
            try await worker.deliverDue()
        }
    }
}

extension WebhookReceiver.Message {
    var json: JSONValue { (try? JSONValue.parse(body, maximumBytes: 1_000_000)) ?? .null }
    var signatures: [String] { (headers["webhook-signature"] ?? "").split(separator: " ").map(String.init) }

    /// Whether a secret as its owner has it signed this message.
    func isSigned(by secret: String) -> Bool {
        guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))), bytes.count == 32,
            let id = headers["webhook-id"], let time = headers["webhook-timestamp"].flatMap({ Int64($0) })
        else { return false }
        return signatures.contains(WebhookSecret(bytes: Array(bytes)).signature(id: id, timestampSeconds: time, body: body))
    }
}
