import Chronology
import Crypto
import Foundation
import HTTPTypes
import Logging
import Persistence
import Web

/// What came in from a vendor, as it came.
struct InboundRequest: Sendable {
    var vendor: Vendor
    var type: String
    var vendorEventID: String
    var payload: [UInt8]
    var isSample = false
}

extension Installation {
    /// Events handled in one round of the worker.
    private static var dueMax: Int { 200 }
    /// Tries to handle one event while buyers become known or others write the same.
    private static var attemptsMax: Int { 5 }
    /// Events that one event may wake, and those others.
    private static var wokenMax: Int { 1_000 }

    /// Takes in what a vendor sent, its signature proven. It is on disk before anything else is done with it; then it is handled at once,
    /// and should that fail, again by the worker.
    ///
    /// One that was refused before is handled as it is told now, so that a sender can correct itself.
    func receive(_ request: InboundRequest, in workspace: WorkspaceID) async throws -> (event: InboundEvent, isRepeated: Bool) {
        let seal = inboundSeal
        let (stored, isNew) = try await write(workspace, actor: .system("integrations")) { write -> (InboundEvent, Bool) in
            let event = InboundEvent(
                id: write.world.newID(), workspaceID: write.workspace.id, vendor: request.vendor, vendorEventID: request.vendorEventID, type: request.type,
                state: .received, hasPayload: true, isSample: request.isSample, tries: 0, receivedAt: write.now)
            let expiresAt = try write.world.now().adding(milliseconds: InboundEvent.payloadKeptMs)
            let sealed = try seal.seal(request.payload, for: event.id.text)
            if try InboundStore.insert(event, payload: sealed, expiresAt: expiresAt, on: write.connection) { return (event, true) }
            guard let known = try InboundStore.find(request.vendor, request.vendorEventID, in: write.workspace.id, on: write.connection) else {
                throw Problem.internalError
            }
            let again = try seal.seal(request.payload, for: known.id.text)
            let isToldAgain = try InboundStore.tellAgain(
                known.id, type: request.type, payload: again, at: write.now, expiresAt: expiresAt, on: write.connection)
            return (known, isToldAgain)
        }
        guard isNew else { return (stored, true) }
        await handleQuietly(stored.id, in: workspace)
        let handled = try await main.read { connection in try InboundStore.find(stored.id, in: workspace, on: connection) }
        return (handled ?? stored, false)
    }

    /// Handles an event once more, with what is known by now.
    func replay(_ id: InboundID, in workspace: WorkspaceID, actor: Actor) async throws -> InboundEvent {
        try await write(workspace, actor: actor) { write in
            guard let event = try InboundStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("event") }
            guard try InboundStore.reopen(id, at: write.now, on: write.connection) else {
                throw Problem.conflict(code: "payload_gone", detail: "What was sent is not kept any more, so it cannot be replayed. Send it again from \(event.vendor.rawValue).")
            }
            try write.audit("integration.replay", subject: id.text)
        }
        await handleQuietly(id, in: workspace)
        guard let event = try await main.read({ connection in try InboundStore.find(id, in: workspace, on: connection) }) else { throw Refusal.unknown("event") }
        return event
    }

    /// Handles what is due: what was left by a crash, and what has waited long enough.
    func handleDueInbound(in workspace: WorkspaceID? = nil) async throws {
        let now = world.now()
        let due = try await main.read { connection in try InboundStore.due(now: now, in: workspace, limit: Self.dueMax, on: connection) }
        for (id, workspace) in due { await handleQuietly(id, in: workspace, isPatient: false) }
    }

    func expireInbound() async throws {
        let now = world.now()
        guard try await main.read({ connection in try InboundStore.hasExpired(at: now, on: connection) }) else { return }
        _ = try await writeAnywhere { connection in try InboundStore.expire(at: now, on: connection) }
    }

    /// What goes wrong here is noted at the event and tried again: the vendor has done its part.
    private func handleQuietly(_ id: InboundID, in workspace: WorkspaceID, isPatient: Bool = true) async {
        do {
            try await handle(id, in: workspace, isPatient: isPatient)
        } catch {
            logger.error("An inbound event could not be handled; it is tried again", metadata: ["event": "\(id)", "error": "\(error)"])
            try? await postpone(id, in: workspace)
        }
    }

    private func postpone(_ id: InboundID, in workspace: WorkspaceID) async throws {
        try await write(workspace, actor: .system("integrations")) { write in
            guard let event = try InboundStore.find(id, in: write.workspace.id, on: write.connection), try InboundStore.claim(id, on: write.connection) else { return }
            var outcome = InboundOutcome.refused("failed", "It could not be handled for a reason of ours. Replay it, and see the log when it stays so.")
            if event.tries < InboundEvent.triesMax {
                outcome = InboundOutcome(state: .received, dueAt: try write.now.adding(milliseconds: InboundEvent.retryMs * Int64(event.tries + 1)))
            }
            try InboundStore.finish(id, outcome, at: write.now, on: write.connection)
        }
    }

    /// Handles an event, then those that waited for it, one after another.
    private func handle(_ first: InboundID, in workspace: WorkspaceID, isPatient: Bool) async throws {
        var waiting = [first]
        var count = 0
        while let id = waiting.popLast(), count < Self.wokenMax {
            let outcome = try await handleOne(id, in: workspace, isPatient: id == first ? isPatient : true)
            waiting += outcome?.woken ?? []
            if let erased = outcome?.erased, !erased.isEmpty { try await finishErasing(erased) }
            count += 1
        }
    }

    func handleOne(_ id: InboundID, in workspace: WorkspaceID, isPatient: Bool) async throws -> InboundOutcome? {
        for _ in 0..<Self.attemptsMax {
            do {
                return try await attempt(id, in: workspace, isPatient: isPatient)
            } catch is InboundApplying.Outdated {
                continue
            } catch let failure as DatabaseFailure where failure.kind == .unique {
                // Another server has written the same just now.
                continue
            }
        }
        throw Problem.unavailable(detail: "Others write the same at the same time.", retryAfterSeconds: 1)
    }

    private func attempt(_ id: InboundID, in workspace: WorkspaceID, isPatient: Bool) async throws -> InboundOutcome? {
        let (seal, vault, now) = (inboundSeal, vault, world.now())
        let read = try await main.read { connection -> (InboundEvent, Integration?, [UInt8]?)? in
            guard let event = try InboundStore.find(id, in: workspace, on: connection), event.state == .received || event.state == .waiting else { return nil }
            let integration = try IntegrationStore.find(event.vendor, in: workspace, at: now, seal: seal, on: connection)
            return (event, integration, try Self.payload(id, seal: seal, vault: vault, on: connection))
        }
        guard let (event, integration, payload) = read else { return nil }
        let references = InboundReferences(workspace: workspace, vendor: event.vendor, vault: vault)
        let translated: Result<Translation, VendorRefusal>
        if let integration, let payload {
            translated = Self.translate(event, payload, integration)
        } else {
            translated = .failure(
                integration == nil
                    ? VendorRefusal(code: "not_connected", detail: "\(event.vendor.rawValue) is not connected any more.")
                    : VendorRefusal(code: "payload_gone", detail: "What was sent is not kept any more."))
        }
        var facts: [InboundFact] = []
        if case .success(.facts(let found)) = translated { facts = found }
        let (buyers, evidence) = try await know(facts, references, in: workspace)
        let applying = integration.map {
            InboundApplying(event: event, integration: $0, references: references, facts: facts, buyers: buyers, evidence: evidence, isPatient: isPatient)
        }
        return try await write(workspace, actor: .system("integrations")) { write in
            guard try InboundStore.claim(id, on: write.connection) else { return nil }
            let outcome: InboundOutcome
            switch translated {
            case .failure(let refusal): outcome = .refused(refusal.code, refusal.detail)
            case .success(.nothing(let code, let reason)): outcome = .ignored(code, reason)
            case .success(.facts): outcome = try Self.apply(applying, in: write)
            }
            try InboundStore.finish(id, outcome, at: write.now, on: write.connection)
            try Self.keep(payload, of: event, after: outcome, references, integration?.mapping, in: write)
            return outcome
        }
    }

    /// In a savepoint: what is refused or waits leaves nothing behind.
    private static func apply(_ applying: InboundApplying?, in write: Write) throws -> InboundOutcome {
        guard let applying else { return .refused("not_connected", "The vendor is not connected any more.") }
        do {
            return try write.connection.savepoint { try applying.apply(in: write) }
        } catch let waiting as InboundApplying.Waiting {
            return InboundOutcome(
                state: .waiting, reasonCode: waiting.code, reason: waiting.reason, dueAt: try write.now.adding(milliseconds: waiting.waitMs),
                waitsFor: waiting.references)
        } catch {
            guard let refused = InboundOutcome.refused(by: error) else { throw error }
            return refused
        }
    }

    /// Once it is known whose it is, what was sent stands under that person's key and goes with them. What concerns nobody is not kept.
    /// What stays otherwise is found by hashes of those whom it speaks of.
    private static func keep(
        _ payload: [UInt8]?, of event: InboundEvent, after outcome: InboundOutcome, _ references: InboundReferences, _ mapping: GenericMapping?, in write: Write
    ) throws {
        guard let payload else { return }
        if let person = outcome.personID, let key = try PersonStore.key(of: person, vault: write.vault, on: write.connection) {
            let sealed = try Vault.seal(payload, under: key, for: event.id.text)
            try InboundStore.setPayload(event.id, sealed, person: person, on: write.connection)
        } else if outcome.state == .handled || (outcome.state == .ignored && event.vendor != .generic) {
            try InboundStore.setPayload(event.id, nil, person: nil, on: write.connection)
        } else if event.personID == nil {
            try InboundSubjectStore.put(InboundSubjects(references: references).hashes(of: event, payload, mapping), of: event.id, on: write.connection)
        }
    }

    private static func payload(_ id: InboundID, seal: InboundSeal, vault: Vault, on connection: any Connection) throws -> [UInt8]? {
        guard let stored = try InboundStore.payload(id, on: connection) else { return nil }
        guard let person = stored.person else { return try seal.open(stored.sealed, for: id.text) }
        return try PersonStore.key(of: person, vault: vault, on: connection).map { try Vault.open(stored.sealed, under: $0, for: id.text) }
    }

    private static func translate(_ event: InboundEvent, _ payload: [UInt8], _ integration: Integration) -> Result<Translation, VendorRefusal> {
        do {
            let document = InboundDocument(type: event.type, body: try JSONValue.parse(payload, maximumBytes: BodyLimit.webhookBytes))
            switch event.vendor {
            case .stripe: return .success(try Stripe.translate(document))
            case .shopify: return .success(try Shopify.translate(document))
            case .wooCommerce: return .success(try WooCommerce.translate(document))
            case .postback: return .success(try InboundPostback.translate(document))
            case .generic:
                guard let mapping = integration.mapping else { return .failure(VendorRefusal(code: "no_mapping", detail: "No mapping says how to read this.")) }
                return .success(try mapping.translate(document))
            }
        } catch let refusal as VendorRefusal {
            return .failure(refusal)
        } catch let error as JSONSyntaxError {
            return .failure(VendorRefusal(code: "malformed_json", detail: error.problem.detail))
        } catch {
            let problem = Refusal.of(error)
            return .failure(VendorRefusal(code: problem?.code ?? "unreadable", detail: problem?.detail ?? "The event can't be read."))
        }
    }

    /// Who the buyers are, and the clicks that speak about them.
    private func know(
        _ facts: [InboundFact], _ references: InboundReferences, in workspace: WorkspaceID
    ) async throws -> (buyers: [Int: InboundBuyer], evidence: [Int: Evidence]) {
        let buyers = try await main.read { connection -> [Int: InboundBuyer] in
            var buyers: [Int: InboundBuyer] = [:]
            for (place, fact) in facts.enumerated() {
                if let told = fact.told { buyers[place] = try InboundBuyer.resolve(told, references, on: connection) }
            }
            return buyers
        }
        var evidence: [Int: Evidence] = [:]
        for (place, buyer) in buyers {
            evidence[place] = try await self.evidence(click: buyer.clickID, visitor: nil, customer: buyer.externalID, workspace)
        }
        return (buyers, evidence)
    }
}
