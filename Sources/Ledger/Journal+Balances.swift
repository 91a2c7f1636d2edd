public import Money
public import Persistence

/// What a member has in one unit, each part read as a positive number.
public struct MemberBalance: Sendable, Hashable {
    public var unit: UnitCode
    /// Inside the days of hold.
    public var pending = Amount.zero
    /// Stopped by a flag.
    public var held = Amount.zero
    public var available = Amount.zero
    /// In a live payout.
    public var inPayout = Amount.zero
    public var paid = Amount.zero
    /// Owed back by the member.
    public var debt = Amount.zero

    public init(unit: UnitCode) { self.unit = unit }
}

extension Journal {
    /// A member's balances by unit, in the order of the units' codes. Units without any account are left out.
    public static func balances(workspace: String, member: String, on connection: any Connection) throws -> [MemberBalance] {
        let parts: [(AccountName, WritableKeyPath<MemberBalance, Amount>)] = [
            (.pending(member), \.pending), (.held(member), \.held), (.available(member), \.available),
            (.inPayout(member), \.inPayout), (.paidOut(member), \.paid), (.debt(member), \.debt),
        ]
        let rows = try connection.rows(
            "SELECT name, unit, balance FROM account WHERE workspace_id = \(workspace) AND name IN \(list: parts.map(\.0.path)) ORDER BY unit")
        var balances: [MemberBalance] = []
        for row in rows {
            let unit = try UnitCode(row.get(at: 1, as: String.self))
            if balances.last?.unit != unit { balances.append(MemberBalance(unit: unit)) }
            let name: String = try row.get(at: 0)
            guard let (account, part) = parts.first(where: { $0.0.path == name }) else { continue }
            let balance = Amount(minor: try row.get(at: 2))
            balances[balances.count - 1][keyPath: part] = account.side == .credit ? try balance.negated() : balance
        }
        return balances
    }

    /// The stored balance of one account, signed as in the books; zero when it has none.
    public static func balance(workspace: String, of account: AccountName, unit: UnitCode, on connection: any Connection) throws -> Amount {
        Amount(minor: try connection.value("SELECT balance FROM account WHERE id = \(account.id(workspace: workspace, unit: unit.code))") ?? 0)
    }
}
