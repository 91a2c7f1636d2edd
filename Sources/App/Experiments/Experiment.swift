import Chronology
import Crypto
import Foundation
import Persistence
import Statistics
import Web

/// A test of one way against others: who gets what is a function of the subject alone, and what came of it is read from sales and leads.
struct Experiment: Sendable, Hashable {
    static let nameLengthMax = 100
    static let weightMax = 1_000_000
    static let variantsMax = 20
    static let layerLengthMax = 60
    static let segmentLengthMax = 60
    static let reasonLengthMax = 500
    static let contentTextsMax = 20
    static let contentNameLengthMax = 60
    static let contentTextLengthMax = 2_000
    /// Of a workspace.
    static let countMax = 1_000
    /// How long after the fact an exposure may be told.
    static let exposureAgeMaxMs: Int64 = 400 * 86_400_000
    static let ppm: Int64 = 1_000_000
    static let standardEffectPPM: Int64 = 100_000
    static let standardMarginPPM: Int64 = 50_000
    /// What the hold-out is called where variants are named.
    static let holdoutName = "holdout"
    static let holdoutPosition = -1

    enum Kind: String, Sendable, CaseIterable { case offer, rewardAmount, rewardSide, message, image, landingPage, shareText, other }
    enum Metric: String, Sendable, CaseIterable { case conversion, revenue, lead }
    enum State: String, Sendable, CaseIterable { case draft, running, stopped, concluded }

    struct Variant: Sendable, Hashable {
        var name: String
        var weight: Int
        var content: [Content] = []
    }

    struct Content: Sendable, Hashable {
        var name: String
        var text: String
    }

    struct Guards: Sendable, Hashable {
        var refundPPM = Experiment.standardMarginPPM
        var fraudPPM = Experiment.standardMarginPPM
        var costMinor: Int64?
    }

    var id: ExperimentID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var kind: Kind
    var metric: Metric
    var holdoutPPM: Int
    var layer: String
    var buckets: Range<Int>
    var effectPPM: Int64
    var guards: Guards
    var state: State
    var startedAt: Instant?
    var endedAt: Instant?
    var chosen: Int?
    var createdAt: Instant
    var variants: [Variant] = []

    var control: Variant? { variants.first }

    func name(of position: Int) -> String {
        position == Self.holdoutPosition ? Self.holdoutName : variants.indices.contains(position) ? variants[position].name : ""
    }

    func position(named name: String) -> Int? {
        name == Self.holdoutName ? Self.holdoutPosition : variants.firstIndex { $0.name == name }
    }
}

enum ExperimentKind: Identified { static let prefix = "exp_" }
typealias ExperimentID = Identifier<ExperimentKind>

/// What a subject gets.
enum ExperimentAssignment: Sendable, Hashable {
    case variant(Int)
    /// Shown nothing, and counted.
    case holdout
    /// Another experiment of the layer has them, or none.
    case outside
    /// The experiment has not begun.
    case notStarted

    var position: Int? {
        switch self {
        case .variant(let position): position
        case .holdout: Experiment.holdoutPosition
        case .outside, .notStarted: nil
        }
    }
}

extension Experiment {
    /// Always the same for the same subject. When the experiment is over, everybody gets the chosen variant, or control where none was chosen.
    func assignment(of subject: String) -> ExperimentAssignment {
        switch state {
        case .draft: return .notStarted
        case .concluded: return .variant(chosen ?? 0)
        case .stopped: return .variant(0)
        case .running: break
        }
        guard let allocation = VariantAllocation(buckets: buckets, holdoutPPM: holdoutPPM, weights: variants.map(\.weight)) else { return .outside }
        let layerName = layer.isEmpty ? id.text : "\(workspaceID.text)\u{0}\(layer)"
        let hashes = VariantAllocation.Hashes(
            layer: Self.hash("layer", layerName, subject), holdout: Self.hash("holdout", id.text, subject), variant: Self.hash("variant", id.text, subject))
        switch allocation.assignment(hashes) {
        case .variant(let position): return .variant(position)
        case .holdout: return .holdout
        case .otherExperiment: return .outside
        }
    }

    private static func hash(_ purpose: String, _ place: String, _ subject: String) -> UInt64 {
        SHA256.hash(data: Data("kith.experiment.\(purpose)\u{0}\(place)\u{0}\(subject)".utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// What this subject gets of the program's experiment of a kind that runs, or of the latest that was concluded; nil without any.
    static func variant(
        for subject: String, kind: Kind, program: ProgramID, on connection: any Connection
    ) throws -> (experiment: Experiment, assignment: ExperimentAssignment)? {
        var fallback: (Experiment, ExperimentAssignment)?
        for experiment in try ExperimentStore.active(kind: kind, program: program, on: connection) {
            let assignment = experiment.assignment(of: subject)
            if experiment.state == .running, assignment != .outside { return (experiment, assignment) }
            if experiment.state == .concluded, fallback == nil { fallback = (experiment, assignment) }
        }
        return fallback
    }
}
