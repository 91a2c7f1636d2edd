import Chronology
import Logging
import Persistence
import ServiceLifecycle
import Web

/// Calls providers for what is due. Every call stands in the database with its key before it is made; what nobody answered stays unknown
/// until the provider has said more, and is repeated only under the same key, and only while the provider knows that key again.
struct RailWorker: Service {
    /// Between two looks.
    static let pauseMs = 250
    /// Lines of a batch that are looked after at once.
    static let linesMax = Payout.itemsMax
    /// Pieces of evidence brought into the books in one transaction.
    static let evidencePerWriteMax = 200

    let installation: Installation
    private let tokens = RailTokens()

    init(installation: Installation) { self.installation = installation }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                _ = try await turn()
            } catch {
                installation.logger.error("Payouts could not be looked at; it is tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMs))
        }
    }

    /// Calls until nothing is due.
    func workDue() async throws { while try await turn() {} }

    /// Answers whether anything was due.
    private func turn() async throws -> Bool {
        let now = installation.world.now()
        let due = try await installation.main.read { connection in try RailCallStore.due(at: now, limit: RailPace.callsPerLookMax, on: connection) }
        await withTaskGroup(of: Void.self) { group in
            for call in due {
                group.addTask {
                    do {
                        try await serve(call)
                    } catch {
                        installation.logger.error("A payout call failed; it is tried again", metadata: ["call": "\(call.id)", "error": "\(error)"])
                    }
                }
            }
        }
        return !due.isEmpty
    }

    private func serve(_ call: RailCall) async throws {
        guard let claimed = try await claim(call) else { return }
        let answer = await perform(claimed.step, claimed.job)
        try await record(answer, claimed)
    }

    // MARK: Taking a call

    private enum Step: Sendable { case pay, ask, watch }

    private struct Claimed: Sendable {
        var job: RailJob
        var step: Step
        var lease: Instant
    }

    private func claim(_ call: RailCall) async throws -> Claimed? {
        let (now, seal) = (installation.world.now(), installation.railSeal)
        let lease = try now.adding(milliseconds: RailPace.leaseMs)
        return try await installation.write(call.workspaceID, actor: .system("rails")) { write -> Claimed? in
            let step = Self.step(call)
            let rail = try RailStore.find(call.rail, in: call.workspaceID, seal: seal, on: write.connection)
            guard
                try RailCallStore.claim(
                    call, as: step == .pay ? .calling : call.state, secretVersion: rail?.secretVersion, at: now, until: lease, on: write.connection),
                var claimed = try RailCallStore.find(call.id, on: write.connection)
            else { return nil }
            func stop(_ state: RailCall.State, _ code: String?) throws -> Claimed? {
                (claimed.state, claimed.code, claimed.dueAt) = (state, code, nil)
                try RailCallStore.finish(claimed, lease: lease, on: write.connection)
                return nil
            }
            guard let rail else { return try stop(.stopped, "not_connected") }
            if call.state == .calling {
                // Its process died in the middle: the provider may have heard it.
                let lines = try RailLineStore.list(of: call.id, on: write.connection)
                try RailEvidence.apply(lines.map { RailEvidence(line: $0.id, verdict: .unclear, code: "interrupted") }, to: call.payoutID, seal: seal, in: write)
            }
            if step == .pay, let reason = Self.whyNotRepeat(call, rail, at: now) { return try stop(.stopped, reason) }
            let payout = try Payout.find(call.payoutID, in: write)
            let (lines, isShort) = try Self.lines(of: call, step, seal: seal, in: write)
            // A repeat says what the first try said, or nothing: where a line's money was to go is not known any more.
            if isShort { return try stop(.stopped, "account_gone") }
            guard !lines.isEmpty else { return try stop(.done, nil) }
            let program = try ProgramStore.find(payout.programID, in: call.workspaceID, at: write.now, on: write.connection)
            let job = RailJob(call: claimed, lines: lines, unit: payout.unit, rail: rail, programName: program?.name ?? "", now: now)
            return Claimed(job: job, step: step, lease: lease)
        }
    }

    private static func step(_ call: RailCall) -> Step {
        if call.purpose == .watch { return .watch }
        return call.state == .accepted && call.rail == .paypal ? .ask : .pay
    }

    /// Why a call that was made once is not made again: the provider might not know its key any more, and pay once more.
    private static func whyNotRepeat(_ call: RailCall, _ rail: Rail, at now: Instant) -> String? {
        guard let first = call.firstCalledAt else { return nil }
        let ageMs = now.millisecondsClamped(since: first)
        switch call.rail {
        case .paypal: return ageMs > PayPalRail.repeatMs ? "key_expired" : nil
        case .stripe:
            if ageMs > StripeRail.repeatMs { return "key_expired" }
            // Perhaps the key of another account, to which all keys are new.
            return call.secretVersion == rail.secretVersion ? nil : "secret_changed"
        case .external, .nacha, .wise: return nil
        }
    }

    /// What the step is about: to be paid is only what the books have on its way.
    private static func lines(of call: RailCall, _ step: Step, seal: RailSeal, in write: Write) throws -> (lines: [RailJob.Line], isShort: Bool) {
        let connection = write.connection
        guard step == .pay else {
            let all = step == .watch
                ? try RailLineStore.list(of: call.payoutID, limit: linesMax, on: connection) : try RailLineStore.list(of: call.id, on: connection)
            return (all.map { RailJob.Line(id: $0.id, memberID: $0.memberID, amountMinor: $0.amountMinor, state: $0.state) }, false)
        }
        var lines: [RailJob.Line] = []
        var gone: [RailEvidence] = []
        var isShort = false
        for line in try RailLineStore.list(of: call.id, on: connection) where line.itemState == .sent || line.itemState == .unknown {
            // Told again is also what the company's own system has taken: it answers what became of it.
            guard [.waiting, .unclear].contains(line.state) || (call.rail == .external && line.state == .accepted) else { continue }
            let known = try RailLineStore.destination(line.id, on: connection)
            var destination: RailDestination?
            if let known, let sealed = known.sealed {
                destination = try RailDestination.open(sealed, for: line.id, of: known.person, vault: write.vault, on: connection)
            }
            if destination != nil {
                lines.append(RailJob.Line(id: line.id, memberID: line.memberID, amountMinor: line.amountMinor, state: line.state, destination: destination))
            } else if call.firstCalledAt == nil {
                gone.append(RailEvidence(line: line.id, verdict: .failed, code: "account_gone"))
            } else {
                isShort = true
            }
        }
        try RailEvidence.apply(gone, to: call.payoutID, seal: seal, in: write)
        return (lines, isShort)
    }

    // MARK: Calling

    private func perform(_ step: Step, _ job: RailJob) async -> RailAnswer {
        let settings = installation.settings
        let client = RailClient(outbound: installation.outbound, timeoutMs: settings.railTimeoutMs)
        switch job.rail.kind {
        case .paypal:
            let base = settings.payPalURL ?? (job.rail.settings.isSandbox ? "https://api-m.sandbox.paypal.com" : "https://api-m.paypal.com")
            let rail = PayPalRail(client: client, base: base, tokens: tokens)
            return step == .pay ? await rail.pay(job) : await rail.ask(job)
        case .stripe:
            let rail = StripeRail(client: client, base: settings.stripeURL ?? "https://api.stripe.com")
            return step == .pay ? await rail.pay(job) : await rail.watch(job)
        case .external: return await ExternalRail(client: client).pay(job)
        case .nacha, .wise: return RailAnswer(verdict: .stopped, code: "not_a_provider")
        }
    }

    // MARK: What came of it

    private func record(_ answer: RailAnswer, _ claimed: Claimed) async throws {
        let (job, seal) = (claimed.job, installation.railSeal)
        var evidence = answer.evidence
        let named = Set(evidence.map(\.line))
        // A line that the answer does not name shares the call's fate.
        let rest = claimed.step == .pay ? job.payable.filter { !named.contains($0.id) } : []
        switch answer.verdict {
        case .unclear: evidence += rest.map { RailEvidence(line: $0.id, verdict: .unclear, code: answer.code) }
        case .accepted: evidence += rest.map { RailEvidence(line: $0.id, verdict: .accepted) }
        case .notTaken, .stopped, .settled: break
        }
        for start in stride(from: 0, to: evidence.count, by: Self.evidencePerWriteMax) {
            let part = Array(evidence[start..<min(start + Self.evidencePerWriteMax, evidence.count)])
            try await installation.write(job.call.workspaceID, actor: .system("rails")) { write in
                try RailEvidence.apply(part, to: job.call.payoutID, seal: seal, in: write)
            }
        }
        try await installation.write(job.call.workspaceID, actor: .system("rails")) { write in try Self.finish(answer, claimed, in: write) }
    }

    private static func finish(_ answer: RailAnswer, _ claimed: Claimed, in write: Write) throws {
        var call = claimed.job.call
        let now = write.world.now()
        call.status = answer.status
        call.code = answer.code.map { String($0.prefix(RailEvidence.wordMax)) }
        let all = claimed.step == .watch
            ? try RailLineStore.list(of: call.payoutID, limit: linesMax, on: write.connection) : try RailLineStore.list(of: call.id, on: write.connection)
        let open = all.filter { $0.itemState == .sent || $0.itemState == .unknown }
        let mayBeTaken = open.contains { $0.state == .unclear }
        var waitMs: Int64? = RailPace.pauseMs(afterTries: call.tries)
        switch answer.verdict {
        case .accepted(let providerID):
            if claimed.step == .pay { call.tries = 0 }
            call.state = .accepted
            call.providerID = providerID ?? call.providerID
            waitMs = call.rail == .external ? nil : pauseMs(call, open: open, now: now)
            if waitMs == nil { call.state = open.isEmpty || call.rail == .external ? .done : .stopped }
        case .unclear(let retryAfterMs):
            call.state = .unclear
            waitMs = RailPace.pauseMs(afterTries: call.tries, retryAfterMs: retryAfterMs)
        case .notTaken(let retryAfterMs):
            call.state = claimed.step != .pay ? .accepted : mayBeTaken ? .unclear : .waiting
            waitMs = retryAfterMs == 0 ? 0 : RailPace.pauseMs(afterTries: call.tries, retryAfterMs: retryAfterMs)
            if answer.isTrouble, call.tries >= RailPace.refusalsMax { (call.state, waitMs) = (.stopped, nil) }
        case .stopped: (call.state, waitMs) = (.stopped, nil)
        case .settled: (call.state, waitMs) = (.done, nil)
        }
        call.dueAt = try waitMs.map { try now.adding(milliseconds: $0) }
        try RailCallStore.finish(call, lease: claimed.lease, on: write.connection)
        if call.rail == .stripe, claimed.step == .pay, call.state == .unclear || call.state == .stopped {
            try RailCallStore.hurryWatch(of: call.payoutID, at: now.adding(milliseconds: RailPace.pauseMs(afterTries: 3)), on: write.connection)
        }
        if answer.isTrouble || answer.status.map({ (200..<300).contains($0) }) == true {
            try RailStore.setTrouble(answer.isTrouble ? call.code : nil, call.rail, in: call.workspaceID, at: now, on: write.connection)
        }
    }

    /// When a batch is asked for again: often while something is open, once a day while what arrived may come back; nil: no more.
    private static func pauseMs(_ call: RailCall, open: [RailLine], now: Instant) -> Int64? {
        let ageMs = now.millisecondsClamped(since: call.createdAt)
        if open.isEmpty { return ageMs < RailPace.watchMs ? RailPace.watchPauseMs : nil }
        return ageMs < RailPace.openMs ? RailPace.pauseMs(afterTries: call.tries) : nil
    }
}
