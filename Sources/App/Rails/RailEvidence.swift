import Chronology
import Persistence
import Web

/// What a provider says of one line.
struct RailEvidence: Sendable, Equatable {
    enum Verdict: Sendable, Equatable {
        /// It has it, and the end is open.
        case accepted
        /// The money moved.
        case paid
        /// It did not move, and never will under this key.
        case failed
        /// It had moved, or may have, and came back.
        case returned
        /// It may have moved: nobody answered.
        case unclear
        /// It says something else than what was asked: another amount, currency or account.
        case contrary
    }

    var line: RailLineID
    var verdict: Verdict
    /// The provider's id of the payment.
    var providerID: String? = nil
    var providerState: String? = nil
    var code: String? = nil
    var message: String? = nil
}

extension RailEvidence {
    /// Longest of what is kept of a provider's words.
    static let wordMax = 64
    static let messageMax = 300
    static let providerIDMax = 128
    static let partlyReversed = "partly_reversed"

    /// Brings evidence into the books by the payout's own verbs, each piece once. Answers how many lines it changed.
    static func apply(_ evidence: [RailEvidence], to payoutID: PayoutID, seal: RailSeal, in write: Write) throws {
        var outcomes: [PayoutOutcome] = []
        var references = Set<String>()
        var told = Set<RailLineID>()
        for piece in evidence where told.insert(piece.line).inserted {
            guard var line = try RailLineStore.find(piece.line, of: payoutID, on: write.connection), let step = step(line, piece.verdict) else { continue }
            line.state = step.state
            line.providerID = piece.providerID.flatMap { plain($0, providerIDMax) }
            line.providerState = piece.providerState.flatMap { plain($0, wordMax) }
            line.code = piece.code.flatMap { plain($0, wordMax) }
            line.updatedAt = write.now
            let message = piece.message.map { String($0.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(messageMax).map(Character.init)) }
            try RailLineStore.set(line, messageSealed: message.map { try seal.seal($0, for: line.id.text) }, on: write.connection)
            guard let result = step.outcome else { continue }
            var reference = line.providerID ?? line.id.text
            // One reference of a provider stands for one payment.
            if result != .returned {
                let isTaken = try !references.insert(reference).inserted || PayoutStore.isReferenceTaken(reference, of: payoutID, by: line.memberID, on: write.connection)
                if isTaken { reference = line.id.text }
            }
            outcomes.append(PayoutOutcome(memberID: line.memberID, result: result, reference: reference))
        }
        if !outcomes.isEmpty { _ = try Payout.record(outcomes, of: payoutID, in: write) }
    }

    /// What evidence makes of a line, and of its payment in the books; nil: nothing new. What people recorded by hand stands, and what
    /// contradicts it is shown.
    static func step(_ line: RailLine, _ verdict: Verdict) -> (state: RailLine.State, outcome: PayoutOutcome.Result?)? {
        let isOpen = line.itemState == .sent || line.itemState == .unknown
        switch verdict {
        case .accepted:
            return isOpen && [.waiting, .unclear, .accepted].contains(line.state) ? (.accepted, nil) : nil
        case .unclear:
            return isOpen && [.waiting, .unclear].contains(line.state) ? (.unclear, .unknown) : nil
        case .contrary:
            if [.failed, .returned, .contrary].contains(line.state) { return nil }
            return (.contrary, isOpen ? .unknown : nil)
        case .paid:
            if [.paid, .returned, .contrary].contains(line.state) { return nil }
            if isOpen { return (.paid, .paid) }
            return line.itemState == .paid ? (.paid, nil) : (.contrary, nil)
        case .failed where line.itemState != .paid:
            if [.failed, .returned, .contrary].contains(line.state) { return nil }
            return isOpen ? (.failed, .failed) : (.failed, nil)
        case .failed:
            // Only a return may follow what arrived: a failure told after it is a contradiction, and frees no money.
            return [.failed, .returned, .contrary].contains(line.state) ? nil : (.contrary, nil)
        case .returned:
            // A part had come back, now all of it has.
            let isRest = line.state == .contrary && line.code == partlyReversed
            if [.failed, .returned, .contrary].contains(line.state), !isRest { return nil }
            if isOpen { return (.failed, .failed) }
            return (.returned, line.itemState == .paid ? .returned : nil)
        }
    }

    private static func plain(_ text: String, _ maximum: Int) -> String? {
        let kept = text.utf8.filter { (0x21...0x7E).contains($0) }.prefix(maximum)
        return kept.isEmpty ? nil : String(decoding: kept, as: UTF8.self)
    }
}
