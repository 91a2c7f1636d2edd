import Chronology
import Ledger
import Money
import Persistence

/// What becomes of lots when a posting changes what a member can spend.
enum LotChange: Sendable {
    /// What arrives is a new lot for this; what leaves is taken from what lapses first.
    case usual(program: ProgramID?, cause: String?)
    /// What arrives keeps the days that it had elsewhere.
    case carried([LotPiece], cause: String)
    /// As `carried`, of what was taken from other lots already.
    case moved([LotPiece], cause: String)
    /// Whoever posts has changed the lots.
    case done
}

/// A part of what can be spent, with the day on which it lapses.
struct LotPiece: Sendable, Equatable {
    var programID: ProgramID
    var amountMinor: Int64
    var expiresAt: Instant?
}

extension Write {
    /// Brings lots in line with what was posted to wallets. Every posting passes here, so that lots are the balance at all times.
    func followLots(_ entries: [Entry], posted cause: String, _ change: LotChange) throws {
        var moved: [MemberUnit: Int64] = [:]
        for entry in entries where Wallet.holds(entry.unit) {
            guard let member = entry.account.availableOf else { continue }
            moved[MemberUnit(member: MemberID(stored: member), unit: entry.unit), default: 0] += entry.amount.minor
        }
        for (place, amount) in moved.sorted(by: { ($0.key.member, $0.key.unit) < ($1.key.member, $1.key.unit) }) {
            if amount < 0 {
                try receive(-amount, place, posted: cause, change)
            } else if amount > 0 {
                if case .done = change { continue }
                if case .moved = change { continue }
                try WalletLotStore.take(amount, member: place.member, unit: place.unit, on: connection)
            }
        }
    }

    private struct MemberUnit: Hashable {
        var member: MemberID
        var unit: UnitCode
    }

    private func receive(_ amount: Int64, _ place: MemberUnit, posted: String, _ change: LotChange) throws {
        let settings = try WalletUnitStore.find(place.unit, in: workspace.id, on: connection)
        switch change {
        case .carried(let pieces, let cause), .moved(let pieces, let cause):
            // A debt may have taken a part on the way: it takes what lapses first.
            var skipped = pieces.reduce(0) { $0 + $1.amountMinor } - amount
            for piece in pieces {
                let off = min(max(0, skipped), piece.amountMinor)
                skipped -= off
                guard piece.amountMinor > off else { continue }
                try insert(piece.amountMinor - off, place, program: piece.programID, cause: cause, expiresAt: piece.expiresAt)
            }
        case .usual(let program, let cause):
            guard let owner = try program ?? MemberStore.programs(of: place.member, on: connection).first else { return }
            try insert(amount, place, program: owner, cause: cause ?? posted, expiresAt: settings.expiry(of: now))
        case .done: return
        }
    }

    private func insert(_ amount: Int64, _ place: MemberUnit, program: ProgramID, cause: String, expiresAt: Instant?) throws {
        try WalletLotStore.insert(
            WalletLot(
                id: world.newID(), workspaceID: workspace.id, memberID: place.member, programID: program, unit: place.unit, cause: cause,
                amountMinor: amount, receivedAt: now, expiresAt: expiresAt), on: connection)
    }
}

struct WalletLot: Sendable {
    var id: WalletLotID
    var workspaceID: WorkspaceID
    var memberID: MemberID
    var programID: ProgramID
    var unit: UnitCode
    var cause: String
    var amountMinor: Int64
    var receivedAt: Instant
    var expiresAt: Instant?
}
