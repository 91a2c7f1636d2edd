import Chronology
import Logging
import Persistence
import ServiceLifecycle
import Synchronization
import Web

/// Sends what is due, at least once: a try that is cut off is made again under the same id. Endpoints do not wait for each other, and what
/// one is told goes out in the order of the events, as long as nothing fails and not too much waits.
struct WebhookWorker: Service {
    /// Between two looks.
    static let pauseMs = 250
    /// Endpoints served at once.
    static let endpointsMax = 16
    /// Of these, kept for workspaces of which none is served: slow ones of one do not hold up all others'.
    static let endpointsKeptFree = 4
    /// Endpoints found in one look.
    static let lookMax = 200
    /// Of these, of one workspace.
    static let lookOfWorkspaceMax = 50
    /// Deliveries of an endpoint claimed at once.
    static let batchMax = 20
    /// Requests to one endpoint at once, when a whole batch waits for it.
    static let lanesMax = 4
    /// Requests under way at once: enough that no endpoint waits for another's to end.
    static let requestsMax = endpointsMax * lanesMax
    /// After so long another endpoint's turn comes.
    static let turnMs: Int64 = 30_000
    /// Rows deleted in one look.
    static let forgottenMax = 1_000

    let installation: Installation
    private let busy = BusyEndpoints()

    init(installation: Installation) { self.installation = installation }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                do {
                    for due in try await endpointsDue() where busy.take(due.id, of: due.workspaceID) {
                        group.addTask {
                            await serveOrSay(due.id)
                            busy.giveBack(due.id)
                        }
                    }
                    try await forgetOld()
                } catch {
                    installation.logger.error("Webhooks could not be looked at; it is tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .milliseconds(Self.pauseMs))
            }
        }
    }

    /// Gives new events to endpoints and tries all that is due, once.
    func deliverDue() async throws {
        try await installation.fanOutEvents()
        for due in try await endpointsDue() { try await serve(due.id) }
    }

    private func endpointsDue() async throws -> [(id: WebhookID, workspaceID: WorkspaceID)] {
        let now = installation.world.now()
        return try await installation.main.read { connection in
            try WebhookDeliveryStore.endpointsDue(at: now, limit: Self.lookMax, limitOfWorkspace: Self.lookOfWorkspaceMax, on: connection)
        }
    }

    private func serveOrSay(_ id: WebhookID) async {
        do {
            try await serve(id)
        } catch {
            installation.logger.error("A webhook could not be served; it is tried again", metadata: ["webhook": "\(id)", "error": "\(error)"])
        }
    }

    // MARK: One endpoint's turn

    private struct Batch: Sendable {
        var endpoint: WebhookEndpoint
        var deliveries: [WebhookDelivery]
    }

    private func serve(_ id: WebhookID) async throws {
        let began = installation.world.now()
        while !Task.isShuttingDownGracefully, let batch = try await claim(id) {
            let goesOn = try await send(batch)
            guard goesOn, installation.world.now().millisecondsClamped(since: began) < Self.turnMs else { return }
        }
    }

    /// The next deliveries, kept from other processes for a while. After a failure one alone is tried.
    private func claim(_ id: WebhookID) async throws -> Batch? {
        let now = installation.world.now()
        let lease = try now.adding(milliseconds: WebhookDelivery.leaseMs)
        return try await installation.writeAnywhere { connection -> Batch? in
            guard let endpoint = try WebhookEndpointStore.find(id, on: connection), endpoint.state == .enabled else { return nil }
            if let until = endpoint.health.pausedUntil, until > now { return nil }
            let limit = endpoint.health.failuresInRow > 0 ? 1 : Self.batchMax
            let claimed = try WebhookDeliveryStore.due(id, at: now, limit: limit, on: connection).filter {
                try WebhookDeliveryStore.claim($0, until: lease, on: connection)
            }
            return claimed.isEmpty ? nil : Batch(endpoint: endpoint, deliveries: claimed)
        }
    }

    /// Answers whether the endpoint may be told more at once.
    private func send(_ batch: Batch) async throws -> Bool {
        let lanes = batch.deliveries.count < Self.batchMax ? 1 : Self.lanesMax
        let began = installation.world.now()
        var rest = batch.deliveries[...]
        while !rest.isEmpty {
            let now = Array(rest.prefix(lanes))
            rest = rest.dropFirst(lanes)
            let isWell = try await withThrowingTaskGroup(of: Bool.self) { group in
                for delivery in now { group.addTask { try await send(delivery, to: batch.endpoint) } }
                var isWell = true
                for try await one in group { isWell = isWell && one }
                return isWell
            }
            // Whoever waits longer than the lease would be sent by two.
            let isLate = installation.world.now().millisecondsClamped(since: began) > WebhookDelivery.leaseMs - 2 * Int64(WebhookDelivery.timeoutMs)
            guard isWell, !isLate, !Task.isShuttingDownGracefully else {
                let left = Array(rest)
                if !left.isEmpty { try await installation.writeAnywhere { connection in try WebhookDeliveryStore.release(left, on: connection) } }
                return isWell
            }
        }
        return true
    }

    /// One try. Answers whether the endpoint is well.
    private func send(_ delivery: WebhookDelivery, to endpoint: WebhookEndpoint) async throws -> Bool {
        let began = installation.world.now()
        switch try await WebhookRequest.make(delivery, to: endpoint, at: began, installation) {
        case .impossible(let reason):
            try await installation.writeAnywhere { connection in try WebhookDeliveryStore.giveUp(delivery.id, because: reason, on: connection) }
            return true
        case .ready(let request):
            let outcome = await installation.webhookOutbound.send(request)
            return try await record(WebhookAttempt(outcome, from: began, until: installation.world.now()), of: delivery, to: endpoint)
        }
    }

    private func record(_ attempt: WebhookAttempt, of delivery: WebhookDelivery, to endpoint: WebhookEndpoint) async throws -> Bool {
        let answer = try attempt.answer.map { try installation.secrets.sealAnswer($0, of: delivery.id) }
        let world = installation.world
        let now = world.now()
        guard attempt.verdict != .delivered else {
            try await installation.writeAnywhere { connection in
                try WebhookDeliveryStore.record(attempt, of: delivery.id, .delivered, due: nil, answerSealed: answer, on: connection)
                try WebhookEndpointStore.noteSuccess(endpoint.id, on: connection)
            }
            return true
        }
        var due: Instant?
        if case .failed(let retryAfterMs) = attempt.verdict {
            due = try WebhookDelivery.pauseMs(afterTries: delivery.tries + 1, retryAfterMs: retryAfterMs, world: world).map { try now.adding(milliseconds: $0) }
        }
        let next = due
        let health = try await installation.writeAnywhere { connection in
            try WebhookDeliveryStore.record(attempt, of: delivery.id, next == nil ? .failed : .waiting, due: next, answerSealed: answer, on: connection)
            return try WebhookEndpointStore.noteFailure(endpoint.id, at: now, on: connection)
        }
        if attempt.verdict == .gone {
            try await giveUp(endpoint, because: .gone)
        } else if let since = health.failingSince, now.millisecondsClamped(since: since) >= WebhookEndpoint.failingMs {
            try await giveUp(endpoint, because: .failing)
        }
        return false
    }

    private func giveUp(_ endpoint: WebhookEndpoint, because reason: WebhookEndpoint.DisabledReason) async throws {
        let pageURL = "\(installation.baseURL)/webhooks/\(endpoint.id.text)"
        try await installation.write(endpoint.workspaceID, actor: .system("webhooks")) { write in
            try WebhookEndpoint.giveUp(endpoint.id, because: reason, pageURL: pageURL, in: write)
        }
    }

    // MARK: Forgetting

    func forgetOld() async throws {
        let before = try installation.world.now().adding(milliseconds: -WebhookDelivery.keptMs)
        let (hasOld, hasRemoved) = try await installation.main.read { connection in
            (try WebhookDeliveryStore.hasOld(before: before, on: connection), try WebhookEndpointStore.hasRemoved(on: connection))
        }
        guard hasOld || hasRemoved else { return }
        try await installation.writeAnywhere { connection in
            if hasOld { try WebhookDeliveryStore.forget(before: before, limit: Self.forgottenMax, on: connection) }
            if hasRemoved { try WebhookEndpointStore.deleteRemoved(limit: Self.forgottenMax, on: connection) }
        }
    }
}

/// Endpoints that are being served by this process.
final class BusyEndpoints: Sendable {
    private let workspaces = Mutex<[WebhookID: WorkspaceID]>([:])

    /// Answers false when it is served already, or when as many are as may be.
    func take(_ id: WebhookID, of workspace: WorkspaceID) -> Bool {
        workspaces.withLock { workspaces in
            let free = WebhookWorker.endpointsMax - workspaces.count
            guard workspaces[id] == nil, free > (workspaces.values.contains(workspace) ? WebhookWorker.endpointsKeptFree : 0) else { return false }
            workspaces[id] = workspace
            return true
        }
    }

    func giveBack(_ id: WebhookID) { workspaces.withLock { _ = $0.removeValue(forKey: id) } }
}
