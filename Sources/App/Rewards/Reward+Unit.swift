import Money
import Persistence
import Rules
import Web

/// Store credit and points that a receiver chose instead of a thing: they go into the wallet, and come back out of it with the order.
extension Reward {
    /// What goes into the wallet; nil for things.
    var order: Wallet.Order? {
        guard let amount = terms.value["amount"]?.int64, amount > 0 else { return nil }
        let code: String? =
            switch kind {
            case "credit": terms.value["currency"]?.string.map { "credit:\($0)" }
            case "points": terms.value["unit"]?.string ?? UnitCode.points.code
            default: nil
            }
        guard let unit = code.flatMap({ try? UnitCode($0) }) else { return nil }
        return Wallet.Order(unit: unit, amountMinor: amount, programID: programID, subject: id.text)
    }

    func payIn(_ order: Wallet.Order, in write: Write) throws {
        guard let payee = try payee(in: write) else {
            throw Problem.conflict(code: "friend_unknown", detail: "Whoever would get it has no account. Give them something else, or refuse it.")
        }
        _ = try Wallet.give(.bonus, to: payee, order, in: write)
    }

    /// Of whoever got it; what they spent already is owed.
    func takeOut(_ order: Wallet.Order, in write: Write) throws {
        guard let payee = try payee(in: write) else { return }
        let selves = try MemberMergeStore.selves([payee], on: write.connection).keys.sorted()
        guard let holder = try WalletMovementStore.receiver(of: id.text, among: selves, on: write.connection) else { return }
        var taken = order
        // Whoever has left the program by now owes it as well.
        taken.isForFormer = true
        _ = try Wallet.takeBack(holder, order.amountMinor, taken, in: write)
    }

    /// Who has the wallet: on the friend's side an account of theirs, made if there is none.
    func payee(in write: Write) throws -> MemberID? {
        guard side == .friend else { return try MemberMergeStore.kept(of: memberID, on: write.connection) }
        guard let customerID, let customer = try CustomerStore.find(customerID, in: workspaceID, on: write.connection),
            let program = try ProgramStore.find(programID, in: workspaceID, at: write.now, on: write.connection)
        else { return nil }
        return try FriendAccount.account(of: customer, enroller: memberID, program: program, in: write)?.id
    }
}

extension RewardTerms {
    /// What a receiver may have instead of a thing.
    func mayBeChosen(in currency: String) -> Bool {
        switch self {
        case .points: true
        case .credit(_, let unit): unit.code == currency
        default: isGivenApart
        }
    }
}
