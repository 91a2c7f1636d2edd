import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Endpoints that are told what happens, and what they were told.
enum WebhookRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let addresses = WebhookURL(installation.settings)
        addEndpoints(to: &api, addresses)
        addDeliveries(to: &api)
        api.write(
            .post, "/webhooks/{id}/secret", id: "rotateWebhookSecret", "Make a new secret; the old one signs beside it for 24 hours", tag: "Webhooks",
            access: .right(.webhooksWrite), body: nil,
            answer: .object([.required("id", .text), .required("secret", .nullable(.text)), .required("previousUntil", .nullable(.dateTime))]), status: 201,
            decode: { _, context in try context.id(WebhookKind.self) }
        ) { id, write in
            let (endpoint, secret) = try WebhookEndpoint.rotate(id, secrets: installation.secrets, in: write)
            return Answer(
                [
                    "id": .text(id.text), "secret": .text(secret.text),
                    "previousUntil": endpoint.previousSecretUntil.map { .text($0.rfc3339) } ?? .null,
                ], status: 201, secrets: ["secret"])
        }
    }

    private static func addEndpoints(to api: inout API, _ addresses: WebhookURL) {
        let installation = api.installation
        let urlField = APISchema.described(.url, description: "https://; http:// for networks that KITH_EGRESS_ALLOW lists.", example: "https://shop.example/hooks")
        let eventsField = APISchema.described(
            .array(.enumeration(EventSelection.offered.map(\.rawValue) + [EventSelection.everything]), maximumCount: eventsMax),
            description: "Event types, or * alone for all there are and will be.")
        api.write(
            .post, "/webhooks", id: "createWebhook", "Have a server of yours told what happens; its secret is shown once", tag: "Webhooks",
            access: .right(.webhooksWrite), body: .object([.required("url", urlField), .required("events", eventsField)]),
            answer: .object(
                [.required("id", .text), .required("url", .text), .required("events", .array(.text)), .required("secret", .nullable(.text)), .required("enabled", .boolean),
                    .required("createdAt", .dateTime)]), status: 201, failures: [409],
            decode: { body, _ in
                if !body.has("events") { body.note("events", "Is required.") }
                return (url: body.custom("url", standIn: "") { readURL($0, addresses) }, events: readEvents(body) ?? .types([]))
            }
        ) { input, write in
            let (endpoint, secret) = try WebhookEndpoint.create(url: input.url, events: input.events, secrets: installation.secrets, in: write)
            return Answer(
                [
                    "id": .text(endpoint.id.text), "url": .text(endpoint.url ?? ""), "events": endpoint.events.json, "secret": .text(secret.text),
                    "enabled": true, "createdAt": .text(endpoint.createdAt.rfc3339),
                ], status: 201, secrets: ["secret"])
        }
        api.read(
            "/webhooks", id: "listWebhooks", "Webhooks, in the order in which they were made", tag: "Webhooks", access: .right(.webhooksWrite),
            parameters: APIParameter.page, answer: .page(.reference("Webhook"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, WebhookKind.self)
            let endpoints = try await installation.main.read { connection in
                try WebhookEndpointStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(endpoints, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/webhooks/{id}", id: "getWebhook", "A webhook and its health", tag: "Webhooks", access: .right(.webhooksWrite), answer: .reference("Webhook")
        ) { _, context, caller in
            ListAnswer.one(try await endpoint(context, caller, installation).json)
        }
        api.write(
            .patch, "/webhooks/{id}", id: "changeWebhook", "Change a webhook's address or events, or disable and enable it", tag: "Webhooks",
            access: .right(.webhooksWrite),
            body: .object([.optional("url", urlField), .optional("events", eventsField), .optional("enabled", .boolean)]), answer: .reference("Webhook"),
            failures: [409],
            decode: { body, context in
                (
                    id: try context.id(WebhookKind.self),
                    change: WebhookChange(
                        url: body.optionalCustom("url") { readURL($0, addresses) }, events: body.has("events") ? readEvents(body) : nil,
                        isEnabled: body.optionalBoolean("enabled"))
                )
            }
        ) { input, write in Answer(try WebhookEndpoint.change(input.id, input.change, in: write).json) }
        api.write(
            .delete, "/webhooks/{id}", id: "removeWebhook", "Tell a server nothing any more", tag: "Webhooks", access: .right(.webhooksWrite), body: nil,
            answer: .object([.required("id", .text), .required("removed", .boolean)]), decode: { _, context in try context.id(WebhookKind.self) }
        ) { id, write in
            try WebhookEndpoint.remove(id, in: write)
            return Answer(["id": .text(id.text), "removed": true])
        }
    }

    private static func addDeliveries(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/webhooks/{id}/test", id: "testWebhook", "Send an event of the type webhook.tested to this webhook alone", tag: "Webhooks",
            access: .right(.webhooksWrite), body: nil, answer: .reference("WebhookDelivery"), status: 202, failures: [409],
            decode: { _, context in try context.id(WebhookKind.self) }
        ) { id, write in Answer(try WebhookEndpoint.test(id, in: write).json(installation.secrets), status: 202) }
        api.read(
            "/webhooks/{id}/deliveries", id: "listWebhookDeliveries", "What a webhook was told, the newest first, and how it answered; kept for 30 days",
            tag: "Webhooks", access: .right(.webhooksWrite),
            parameters: APIParameter.page + [APIParameter("state", .enumeration(WebhookDelivery.State.allCases.map(\.rawValue)))],
            answer: .page(.reference("WebhookDelivery"))
        ) { request, context, caller in
            let page = try PageRequest.from(request, WebhookDeliveryKind.self)
            let state = try Query.word("state", WebhookDelivery.State.self, in: request)
            let endpoint = try await endpoint(context, caller, installation)
            let deliveries = try await installation.main.read { connection in
                try WebhookDeliveryStore.list(of: endpoint.id, state: state, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(deliveries, page, cursor: \.id.text, json: { $0.json(installation.secrets) })
        }
        api.write(
            .post, "/webhooks/deliveries/{id}/replay", id: "replayWebhookDelivery", "Send one event again, whether it arrived or not", tag: "Webhooks",
            access: .right(.webhooksWrite), body: nil, answer: .reference("WebhookDelivery"), status: 202, failures: [409],
            decode: { _, context in try context.id(WebhookDeliveryKind.self) }
        ) { id, write in Answer(try WebhookEndpoint.replay(id, in: write).json(installation.secrets), status: 202) }
        api.write(
            .post, "/webhooks/{id}/replay", id: "replayWebhook", "Send all events of its types again that came after one, or after a time", tag: "Webhooks",
            access: .right(.webhooksWrite),
            body: .object([
                .required("after", .described(.string(maximumLength: 40), description: "The id of an event, or a time.", example: "2026-11-01T00:00:00Z"))
            ]), answer: .object([.required("id", .text), .required("events", .integer(0...Int64.max))]), status: 202, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(WebhookKind.self),
                    after: body.custom("after", standIn: .time(.earliest)) { value -> JSONReader.Reading<WebhookEndpoint.ReplayStart> in
                        guard case .text(let text) = value else { return .refused(afterAllowed) }
                        if let id = EventID(text) { return .accepted(.event(id)) }
                        if let instant = try? Instant(rfc3339: text) { return .accepted(.time(instant)) }
                        return .refused(afterAllowed)
                    }
                )
            }
        ) { input, write in
            let count = try WebhookEndpoint.replay(input.id, after: input.after, in: write)
            return Answer(["id": .text(input.id.text), "events": .integer(count)], status: 202)
        }
    }

    private static let afterAllowed = "Must be the id of an event (evt_…) or a time (RFC 3339)."
    static let eventsMax = 50

    private static func endpoint(_ context: KithContext, _ caller: Caller, _ installation: Installation) async throws -> WebhookEndpoint {
        let id: WebhookID = try context.id()
        let found = try await installation.main.read { connection in try WebhookEndpointStore.find(id, .webhook, in: caller.workspaceID, on: connection) }
        guard let found else { throw Refusal.unknown("webhook") }
        return found
    }

    private static func readURL(_ value: JSONValue, _ addresses: WebhookURL) -> JSONReader.Reading<String> {
        guard case .text(let text) = value else { return .refused(WebhookURL.Fault.malformed.sentence) }
        return addresses.fault(text).map { .refused($0.sentence) } ?? .accepted(text)
    }

    private static func readEvents(_ body: JSONReader) -> EventSelection? {
        let names = body.textList("events", maximumCount: eventsMax, maximumLength: 60)
        guard body.has("events"), !body.hasErrors || !names.isEmpty else { return nil }
        switch EventSelection.read(names) {
        case .success(let selection): return selection
        case .failure(let unknown):
            body.note(
                "events",
                unknown.name.isEmpty
                    ? "Must name at least one type of event."
                    : "\(unknown.name) is no type of event. There are \(EventSelection.offered.map(\.rawValue).joined(separator: ", ")), and * alone for all.")
            return nil
        }
    }
}

extension WebhookEndpoint {
    var json: JSONValue {
        [
            "id": .text(id.text), "url": .text(url ?? ""), "events": events.json, "enabled": .boolean(state == .enabled),
            "disabledReason": disabledReason.map { .text($0.rawValue) } ?? .null, "needsSecret": .boolean(needsSecret),
            "failuresInRow": .integer(health.failuresInRow), "failingSince": health.failingSince.map { .text($0.rfc3339) } ?? .null,
            "pausedUntil": health.pausedUntil.map { .text($0.rfc3339) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("url", .text), .required("events", .array(.text)), .required("enabled", .boolean),
        .required("disabledReason", .nullable(.enumeration(DisabledReason.allCases.map(\.rawValue)))), .required("needsSecret", .boolean),
        .required("failuresInRow", .integer()), .required("failingSince", .nullable(.dateTime)), .required("pausedUntil", .nullable(.dateTime)),
        .required("createdAt", .dateTime),
    ])
}

extension WebhookDelivery {
    func json(_ secrets: Secrets) -> JSONValue {
        [
            "id": .text(id.text), "webhookId": .text(endpointID.text), "eventId": .text(eventID.text), "type": .text(eventType),
            "state": .text(state.rawValue), "tries": .integer(tries), "nextTryAt": dueAt.map { .text($0.rfc3339) } ?? .null,
            "triedAt": triedAt.map { .text($0.rfc3339) } ?? .null, "durationMs": durationMs.map { .integer($0) } ?? .null,
            "status": status.map { .integer($0) } ?? .null, "answer": answer(secrets).map { .text($0) } ?? .null,
            "failure": failure.map { .text($0) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    /// The beginning of what was answered last.
    func answer(_ secrets: Secrets) -> String? { answerSealed.flatMap { try? secrets.openAnswer($0, of: id) } }

    static let schema = APISchema.object([
        .required("id", .text), .required("webhookId", .text), .required("eventId", .text), .required("type", .text),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("tries", .integer()), .required("nextTryAt", .nullable(.dateTime)),
        .required("triedAt", .nullable(.dateTime)), .required("durationMs", .nullable(.integer())), .required("status", .nullable(.integer())),
        .required("answer", .nullable(.text)), .required("failure", .nullable(.text)), .required("createdAt", .dateTime),
    ])
}
