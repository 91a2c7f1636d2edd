import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Subscriptions move with the workspace; secrets do not.
@Suite struct WebhookExportTests {
    @Test(arguments: Engine.allCases) func subscriptionsMoveWithoutTheirSecrets(_ engine: Engine) async throws {
        try await WebhookStory.with(engine) { story in
            let app = story.app
            let program = try await app.program(["memberPostbacks": true, "holdDays": 0])
            let made = try await story.subscribe(["member.created"])
            let removed = try await story.subscribe(["*"])["id"].text
            try await app.api(.delete, "/webhooks/\(removed)").success("DELETE")
            let ada = try await app.member(program, "ada")
            let tracker = story.receiver.url("/pb?a={commission_amount}")
            try await app.put("/members/\(ada)/postback", ["url": .text(tracker)])
            try await story.worker.deliverDue()
            story.receiver.forget()
            try await OtherPlace.with(app) { settings, folder in
                func export(_ installation: Installation, _ name: String) async throws -> JSONValue {
                    try await WorkspaceExport(workspace: app.workspace.twin, folder: "\(folder)/\(name)", vault: installation.vault)
                        .write(main: installation.main, clicks: installation.clicks)
                }
                let first = try await export(app.installation, "first")
                let text = try String(contentsOfFile: "\(folder)/first/webhook_endpoint.jsonl", encoding: .utf8)
                #expect(text.contains(tracker.replacing("/", with: "/")) && !text.contains("secret") && !text.contains(removed))
                var allowed = settings
                allowed.egressAllow = ["127.0.0.0/8"]
                let other = try await Installation.open(allowed, world: app.installation.world, logger: Commands.quiet)
                _ = try await WorkspaceImport(installation: other, folder: folder + "/first").run()
                #expect(try await export(other, "second") == first)
                let workspace = app.twinID
                let id = WebhookID(stored: made["id"].text)
                let worker = WebhookWorker(installation: other)
                try await worker.deliverDue()
                #expect(story.receiver.messages.isEmpty, "what happened before was told before")
                // Without a secret nothing can be signed, so nothing goes out until there is a new one.
                let known = try await other.main.read { connection in try WebhookEndpointStore.find(id, .webhook, in: workspace, on: connection) }
                #expect(known?.needsSecret == true && known?.url == story.receiver.url())
                let secrets = other.secrets
                let rotated = try await other.write(workspace, actor: .command) { write in
                    try WebhookEndpoint.rotate(id, secrets: secrets, in: write).secret
                }
                _ = try await other.write(workspace, actor: .command) { write in try WebhookEndpoint.test(id, in: write) }
                try await worker.deliverDue()
                #expect(story.receiver.messages.count == 1 && story.receiver.messages[0].isSigned(by: rotated.text))
                let verification = try await Verification.run(main: other.main, clicks: other.clicks, keys: other.keys)
                #expect(verification.findings.map(\.detail) == [])
                await other.close()
            }
        }
    }
}
