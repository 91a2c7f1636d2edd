import Chronology
import Persistence
import Web

/// What was changed of an endpoint; nil keeps what is.
struct WebhookChange: Sendable {
    var url: String?
    var events: EventSelection?
    var isEnabled: Bool?
}

extension WebhookEndpoint {
    /// A new endpoint with its secret, which is shown now and never again. It is told of what happens from now on.
    static func create(url: String, events: EventSelection, secrets: Secrets, in write: Write) throws -> (endpoint: WebhookEndpoint, secret: WebhookSecret) {
        guard try WebhookEndpointStore.count(in: write.workspace.id, on: write.connection) < Int64(countMax) else {
            throw Problem.conflict(
                code: "too_many_webhooks", detail: "A workspace has at most \(countMax) webhooks. Remove one, or let one receive more event types.")
        }
        let secret = WebhookSecret.make(write.world)
        let id: WebhookID = write.world.newID()
        let endpoint = WebhookEndpoint(
            id: id, workspaceID: write.workspace.id, kind: .webhook, url: url, events: events, state: .enabled, secretSealed: try secrets.sealWebhook(secret, of: id),
            sinceSequence: try EventStore.lastSequence(in: write.workspace.id, on: write.connection), createdAt: write.now)
        try WebhookEndpointStore.insert(endpoint, on: write.connection)
        try WebhookCursorStore.begin(in: write.workspace.id, on: write.connection)
        try write.audit("webhook.create", subject: id.text, JSONText(["events": events.json]))
        return (endpoint, secret)
    }

    static func change(_ id: WebhookID, _ change: WebhookChange, in write: Write) throws -> WebhookEndpoint {
        var endpoint = try known(id, in: write)
        if change.url != nil || change.events != nil {
            endpoint.url = change.url ?? endpoint.url
            endpoint.events = change.events ?? endpoint.events
            try WebhookEndpointStore.setTarget(endpoint, on: write.connection)
        }
        if let isEnabled = change.isEnabled, isEnabled != (endpoint.state == .enabled) {
            if isEnabled, endpoint.needsSecret { throw noSecret }
            try WebhookEndpointStore.setState(id, isEnabled ? .enabled : .disabled, because: isEnabled ? nil : .person, on: write.connection)
        }
        try write.audit(
            "webhook.change", subject: id.text,
            JSONText(["events": endpoint.events.json, "enabled": change.isEnabled.map { .boolean($0) } ?? .null, "urlChanged": .boolean(change.url != nil)]))
        return try known(id, in: write)
    }

    static func remove(_ id: WebhookID, in write: Write) throws {
        _ = try known(id, in: write)
        try WebhookEndpointStore.setState(id, .removed, because: nil, on: write.connection)
        try write.audit("webhook.remove", subject: id.text)
    }

    /// A new secret. The one before signs beside it for a day, so that the receiver can change over without losing a message.
    static func rotate(_ id: WebhookID, secrets: Secrets, in write: Write) throws -> (endpoint: WebhookEndpoint, secret: WebhookSecret) {
        let endpoint = try known(id, in: write)
        let secret = WebhookSecret.make(write.world)
        let until = endpoint.secretSealed == nil ? nil : try write.world.now().adding(milliseconds: previousSecretMs)
        try WebhookEndpointStore.setSecrets(
            id, try secrets.sealWebhook(secret, of: id), previous: endpoint.secretSealed, previousUntil: until, on: write.connection)
        try WebhookCursorStore.begin(in: write.workspace.id, on: write.connection)
        try write.audit("webhook.secret", subject: id.text)
        return (try known(id, in: write), secret)
    }

    /// Sends an event to this endpoint alone.
    static func test(_ id: WebhookID, in write: Write) throws -> WebhookDelivery {
        let endpoint = try known(id, in: write)
        guard endpoint.state == .enabled else { throw disabled }
        if endpoint.needsSecret { throw noSecret }
        let event = Event(
            id: write.world.newID(), type: EventType.webhookTested.rawValue, data: JSONText(["webhookId": .text(id.text)]), createdAt: write.now)
        try EventStore.insert(event, subject: id.text, in: write.workspace.id, on: write.connection)
        guard let stored = try EventStore.find(event.id, in: write.workspace.id, on: write.connection) else { throw Problem.internalError }
        let delivery: WebhookDeliveryID = write.world.newID()
        try WebhookDeliveryStore.insert(delivery, of: stored, to: endpoint, at: write.world.now(), on: write.connection)
        guard let made = try WebhookDeliveryStore.find(delivery, in: write.workspace.id, on: write.connection) else { throw Problem.internalError }
        return made
    }

    /// Sends one event again, whether it arrived or not.
    static func replay(_ id: WebhookDeliveryID, in write: Write) throws -> WebhookDelivery {
        guard let delivery = try WebhookDeliveryStore.find(id, in: write.workspace.id, on: write.connection),
            let endpoint = try WebhookEndpointStore.find(delivery.endpointID, on: write.connection), endpoint.state != .removed
        else { throw Refusal.unknown("delivery") }
        guard endpoint.state == .enabled else { throw disabled }
        try WebhookDeliveryStore.sendAgain(id, at: write.world.now(), on: write.connection)
        try write.audit("webhook.replay", subject: endpoint.id.text, JSONText(["deliveryId": .text(id.text)]))
        return try WebhookDeliveryStore.find(id, in: write.workspace.id, on: write.connection) ?? delivery
    }

    /// From where events are sent again.
    enum ReplayStart: Sendable, Equatable {
        case event(EventID)
        case time(Instant)
    }

    /// Sends all events of the endpoint's types again that came after one. Answers how many these are.
    static func replay(_ id: WebhookID, after start: ReplayStart, in write: Write) throws -> Int64 {
        let endpoint = try known(id, in: write)
        guard endpoint.state == .enabled else { throw disabled }
        if endpoint.needsSecret { throw noSecret }
        guard endpoint.replay == nil else {
            throw Problem.conflict(code: "replay_running", detail: "A replay of this webhook is under way. Wait until it has ended.")
        }
        let from: Int64
        switch start {
        case .event(let event):
            guard let sequence = try EventStore.sequence(of: event, in: write.workspace.id, on: write.connection) else {
                throw Refusal.unknown("event", field: "after")
            }
            from = sequence
        case .time(let instant): from = try EventStore.lastSequence(before: instant, in: write.workspace.id, on: write.connection)
        }
        let until = try EventStore.lastSequence(in: write.workspace.id, on: write.connection)
        if until > from { try WebhookEndpointStore.setReplay(id, (from, until), on: write.connection) }
        try write.audit("webhook.replay", subject: id.text, JSONText(["after": .integer(from), "until": .integer(until)]))
        let taken = EventType.allCases.map(\.rawValue).filter(endpoint.events.takes)
        return try EventStore.count(taken, in: write.workspace.id, afterSequence: from, until: until, on: write.connection)
    }

    /// Stops telling an endpoint that is gone or does nothing but fail, and writes to the owners.
    static func giveUp(_ id: WebhookID, because reason: DisabledReason, pageURL: String, in write: Write) throws {
        guard let endpoint = try WebhookEndpointStore.find(id, on: write.connection), endpoint.state == .enabled else { return }
        try WebhookEndpointStore.setState(id, .disabled, because: reason, on: write.connection)
        try write.audit("webhook.disable", subject: id.text, JSONText(["reason": .text(reason.rawValue)]))
        guard endpoint.kind == .webhook, let url = endpoint.url else { return }
        for owner in try TeamStore.team(of: write.workspace.teamID, on: write.connection) where owner.role == .owner {
            try Mail.queue(
                .webhookDisabled(address: url, reason: reason.rawValue, url: pageURL), to: .operator_(owner.id),
                occasion: "\(id.text):\(write.world.now().millisecondsSince1970):\(owner.id.text)", in: write)
        }
    }

    private static func known(_ id: WebhookID, in write: Write) throws -> WebhookEndpoint {
        guard let endpoint = try WebhookEndpointStore.find(id, .webhook, in: write.workspace.id, on: write.connection) else {
            throw Refusal.unknown("webhook")
        }
        return endpoint
    }

    private static let disabled = Problem.conflict(
        code: "webhook_disabled", detail: "This webhook is disabled. Enable it with PATCH and enabled true; what waits for it goes out then.")
    private static let noSecret = Problem.conflict(
        code: "webhook_without_secret", detail: "This webhook came with an import, without its secret. Make a new one with POST /webhooks/{id}/secret.")
}
