import Chronology
import Persistence
import Statistics
import Web

extension Experiment {
    static func create(_ input: ExperimentInput, in write: Write) throws -> Experiment {
        guard try ProgramStore.exists(input.programID, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("program", field: "programId") }
        guard try ExperimentStore.count(in: write.workspace.id, on: write.connection) < countMax else {
            throw Refusal.field("name", "A workspace may have \(countMax) experiments.", code: "too_many_experiments")
        }
        if let mistake = input.mistakes.first { throw Refusal.field(mistake.field, mistake.message) }
        let buckets = try freeBuckets(layer: input.layer, sharePPM: input.layerSharePPM, in: write)
        let experiment = Experiment(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: input.programID, name: input.name, kind: input.kind, metric: input.metric,
            holdoutPPM: Int(input.holdoutPPM), layer: input.layer, buckets: buckets, effectPPM: input.effectPPM, guards: input.guards,
            state: input.isDraft ? .draft : .running, startedAt: input.isDraft ? nil : write.now, createdAt: write.now, variants: input.variants)
        try ExperimentStore.insert(experiment, on: write.connection)
        try experiment.note("created", in: write)
        if !input.isDraft { try experiment.note("started", in: write) }
        try write.audit("experiment.create", subject: experiment.id.text)
        return experiment
    }

    /// The first stretch of the layer that no experiment of it has that is not over.
    private static func freeBuckets(layer: String, sharePPM: Int64, in write: Write) throws -> Range<Int> {
        let whole = VariantAllocation.bucketsOfLayer
        guard !layer.isEmpty else { return 0..<whole }
        let wanted = max(1, Int(sharePPM * Int64(whole) / ppm))
        var start = 0
        var largest = 0
        for taken in try ExperimentStore.buckets(ofLayer: layer, in: write.workspace.id, on: write.connection) {
            largest = max(largest, taken.lowerBound - start)
            if taken.lowerBound - start >= wanted { return start..<(start + wanted) }
            start = max(start, taken.upperBound)
        }
        largest = max(largest, whole - start)
        guard whole - start >= wanted else {
            let free = Double(max(0, largest)) / Double(whole)
            throw Refusal.field(
                "layerShare", "Only \(free) of the layer is free in one piece. Take less, or stop another experiment of it.", code: "layer_full")
        }
        return start..<(start + wanted)
    }

    static func start(_ id: ExperimentID, in write: Write) throws -> Experiment {
        var experiment = try known(id, in: write)
        guard experiment.state == .draft else {
            throw Problem.conflict(code: "experiment_started", detail: "The experiment has been started before. Make a new one, so that its figures stay its own.")
        }
        (experiment.state, experiment.startedAt) = (.running, write.now)
        try experiment.keep("started", "experiment.start", in: write)
        return experiment
    }

    /// Ends it without a choice: everybody gets control.
    static func stop(_ id: ExperimentID, reason: String, in write: Write) throws -> Experiment {
        var experiment = try known(id, in: write)
        try experiment.mustRun()
        (experiment.state, experiment.endedAt) = (.stopped, write.now)
        try experiment.keep("stopped", "experiment.stop", reason: reason, in: write)
        return experiment
    }

    /// Ends it: everybody gets the variant named.
    static func conclude(_ id: ExperimentID, variant: String, reason: String, in write: Write) throws -> Experiment {
        var experiment = try known(id, in: write)
        if experiment.state != .stopped { try experiment.mustRun() }
        guard let position = experiment.variants.firstIndex(where: { $0.name == variant }) else {
            throw Refusal.field("variant", "Must be one of \(experiment.variants.map(\.name).joined(separator: ", ")).")
        }
        (experiment.state, experiment.chosen, experiment.endedAt) = (.concluded, position, experiment.endedAt ?? write.now)
        try experiment.keep("concluded", "experiment.conclude", reason: reason, in: write)
        return experiment
    }

    static func known(_ id: ExperimentID, in write: Write) throws -> Experiment {
        guard let experiment = try ExperimentStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("experiment") }
        return experiment
    }

    func mustRun() throws {
        guard state == .running else {
            throw Problem.conflict(
                code: "experiment_not_running", detail: state == .draft ? "The experiment has not been started." : "The experiment is over.")
        }
    }

    private func keep(_ step: String, _ action: String, reason: String = "", in write: Write) throws {
        try ExperimentStore.update(self, on: write.connection)
        try note(step, reason: reason, in: write)
        try write.audit(action, subject: id.text)
    }

    private func note(_ kind: String, reason: String = "", in write: Write) throws {
        try ExperimentStore.insertStep(id, kind: kind, variant: chosen, reason: reason, actor: write.actor.text, at: write.now, on: write.connection)
    }
}

/// That somebody saw something.
struct ExposureInput: Sendable {
    var subject: String
    var variant: String
    var segment = ""
    var at: Instant?
}

struct ExperimentExposure: Sendable, Hashable {
    var position: Int
    var isMismatched: Bool
    var isCrossed: Bool
    var at: Instant
    var isNew: Bool
}

extension Experiment {
    /// Notes who saw what. The first time stands: a second variant is marked and changes nothing.
    static func expose(_ input: ExposureInput, _ id: ExperimentID, in write: Write) throws -> ExperimentExposure {
        let experiment = try known(id, in: write)
        try experiment.mustRun()
        guard let position = experiment.position(named: input.variant) else {
            throw Refusal.field("variant", "Must be one of \((experiment.variants.map(\.name) + [holdoutName]).joined(separator: ", ")).")
        }
        let at = input.at ?? write.now
        guard at <= write.now, write.now.millisecondsClamped(since: at) <= exposureAgeMaxMs else {
            throw Refusal.field("occurredAt", "Must not be in the future, nor longer ago than \(exposureAgeMaxMs / 86_400_000) days.")
        }
        // Clocks of others may tell whole seconds alone.
        if let startedAt = experiment.startedAt, at.millisecondsSince1970 < startedAt.millisecondsSince1970 / 1_000 * 1_000 {
            throw Refusal.field("occurredAt", "Must not be before the experiment began, \(startedAt.rfc3339).")
        }
        var member: MemberID?
        if let named = MemberID(input.subject) {
            guard try MemberStore.find(named, in: write.workspace.id, on: write.connection) != nil else { throw Refusal.unknown("member", field: "subject") }
            member = named
        }
        let hash = subjectHash(input.subject, write.workspace.id, vault: write.vault)
        if var known = try ExposureStore.find(hash, of: id, on: write.connection) {
            if known.position != position, !known.isCrossed {
                known.isCrossed = true
                try ExposureStore.markCrossed(hash, of: id, on: write.connection)
            }
            return known
        }
        let exposure = ExperimentExposure(
            position: position, isMismatched: experiment.assignment(of: input.subject).position != position, isCrossed: false, at: at, isNew: true)
        try ExposureStore.insert(exposure, hash, of: id, member: member, segment: input.segment, on: write.connection)
        return exposure
    }

    /// As a customer's id is hashed, so that sales of the same customer are found.
    static func subjectHash(_ subject: String, _ workspace: WorkspaceID, vault: Vault) -> [UInt8] { vault.lookupHash(workspace, "customer", subject) }
}
