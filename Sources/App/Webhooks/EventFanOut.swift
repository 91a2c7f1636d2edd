import Chronology
import Persistence
import Web

/// Makes a delivery of each event for each endpoint that wants it. A cursor over the events does it, after the change that made them was
/// committed: a sale waits for nobody's subscriptions. The cursor moves in the transaction that writes the deliveries, so an event
/// is given to an endpoint once.
enum EventFanOut {
    /// Events of one transaction: the writer is soon free for sales again.
    static let eventsMax = 200
    static let workspacesMax = 50

    /// The next events of a workspace. Answers whether there may be more.
    static func step(in write: Write) throws -> Bool {
        guard let position = try WebhookCursorStore.position(in: write.workspace.id, on: write.connection) else { return false }
        let events = try EventStore.list(in: write.workspace.id, afterSequence: position, limit: eventsMax, on: write.connection)
        if let last = events.last {
            let endpoints = try WebhookEndpointStore.list(
                in: write.workspace.id, after: nil, limit: WebhookEndpoint.countMax, on: write.connection
            ).filter { $0.state == .enabled && !$0.needsSecret }
            let now = write.world.now()
            for event in events {
                for endpoint in endpoints where endpoint.events.takes(event.type) && event.sequence > endpoint.sinceSequence {
                    try WebhookDeliveryStore.insert(write.world.newID(), of: event, to: endpoint, at: now, on: write.connection)
                }
            }
            try Postback.deliver(events, at: now, in: write)
            try WebhookCursorStore.set(last.sequence, in: write.workspace.id, on: write.connection)
        }
        let isReplaying = try replay(in: write)
        return events.count == eventsMax || isReplaying
    }

    /// The next events of replays. Answers whether one goes on.
    private static func replay(in write: Write) throws -> Bool {
        var goesOn = false
        for id in try WebhookCursorStore.replaying(in: write.workspace.id, on: write.connection) {
            guard let endpoint = try WebhookEndpointStore.find(id, on: write.connection), let replay = endpoint.replay else { continue }
            let events = try EventStore.list(
                in: write.workspace.id, afterSequence: replay.from, until: replay.until, limit: eventsMax, on: write.connection)
            for event in events where endpoint.events.takes(event.type) {
                try WebhookDeliveryStore.insertAgain(write.world.newID(), of: event, to: endpoint, at: write.world.now(), on: write.connection)
            }
            if let last = events.last, last.sequence < replay.until {
                try WebhookEndpointStore.setReplay(id, (last.sequence, replay.until), on: write.connection)
                goesOn = true
            } else {
                try WebhookEndpointStore.setReplay(id, nil, on: write.connection)
            }
        }
        return goesOn
    }
}

extension Installation {
    /// Gives new events to the endpoints of a workspace.
    func fanOutEvents(in workspace: WorkspaceID) async throws {
        while try await write(workspace, actor: .system("webhooks"), { write in try EventFanOut.step(in: write) }) {}
    }

    /// Gives new events to endpoints, wherever there are any.
    func fanOutEvents() async throws {
        for workspace in try await main.read({ connection in try WebhookCursorStore.due(limit: EventFanOut.workspacesMax, on: connection) }) {
            try await fanOutEvents(in: workspace)
        }
    }
}
