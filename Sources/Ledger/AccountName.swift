internal import Crypto

/// Where value stands in the books, as a path that hledger reads too.
///
/// Debits are positive. Assets and expenses hold positive balances; what is owed holds negative ones. For a member and unit:
/// pending + held + available + inPayout + paid − debt = earned − reversed, each read as a positive number.
public struct AccountName: Sendable, Hashable {
    public enum Side: String, Sendable {
        /// Balances are zero or above.
        case debit
        /// Balances are zero or below.
        case credit
    }

    public let path: String
    public let side: Side
    /// Whether the balance may stand on the other side of zero.
    public let mayGoNegative: Bool

    /// Earned and inside the days of hold.
    public static func pending(_ member: String) -> AccountName { payable("pending", member) }
    /// Stopped by a flag.
    public static func held(_ member: String) -> AccountName { payable("held", member) }
    /// Free to be paid.
    public static func available(_ member: String) -> AccountName { payable("available", member) }
    /// In a live payout.
    public static func inPayout(_ member: String) -> AccountName { payable("inpayout", member) }
    /// What has left for the member: a credit, as the money is gone.
    public static func paidOut(_ member: String) -> AccountName { AccountName(["assets", "paid", member], .credit) }
    /// What the member owes back after a refund of something paid already.
    public static func debt(_ member: String) -> AccountName { AccountName(["assets", "debt", member], .debit) }
    /// The company's cost of commissions; a refund may take it below zero.
    public static func expense(_ program: String) -> AccountName { AccountName(["expenses", "commissions", program], .debit, mayGoNegative: true) }
    public static func bank(_ program: String) -> AccountName { AccountName(["assets", "bank", program], .debit, mayGoNegative: true) }
    /// Shares of a unit too small to give to anybody.
    public static func residue(_ program: String) -> AccountName { AccountName(["equity", "residue", program], .debit, mayGoNegative: true) }
    /// The counterpart of points and credit given to members.
    public static func pointsIssued(_ program: String) -> AccountName { AccountName(["expenses", "points", program], .debit, mayGoNegative: true) }
    /// Points and credit a member may spend.
    public static func points(_ member: String) -> AccountName { AccountName(["liabilities", "points", member], .credit) }

    /// The member whose available value this is; nil for every other account.
    public var availableOf: String? {
        path.hasPrefix(Self.availablePrefix) ? String(path.dropFirst(Self.availablePrefix.count)) : nil
    }

    private static let availablePrefix = "liabilities:payable:available:"

    private static func payable(_ state: String, _ member: String) -> AccountName {
        AccountName(["liabilities", "payable", state, member], .credit)
    }

    private init(_ parts: [String], _ side: Side, mayGoNegative: Bool = false) {
        path = parts.map(escaped).joined(separator: ":")
        self.side = side
        self.mayGoNegative = mayGoNegative
    }

    /// Whether a stored account is one that these names make: id, side and limit follow from path and unit.
    static func isWellFormed(id: String, path: String, unit: String, workspace: String, isCredit: Bool, mayGoNegative: Bool) -> Bool {
        let isFree = ["expenses:", "assets:bank:", "equity:"].contains { path.hasPrefix($0) }
        let isOwed = path.hasPrefix("liabilities:") || path.hasPrefix("assets:paid:")
        return mayGoNegative == isFree && isCredit == isOwed && id == self.id(path: path, unit: unit, workspace: workspace)
    }

    /// The same name and unit give the same id in every database, so no look-up is needed before a posting.
    func id(workspace: String, unit: String) -> String { Self.id(path: path, unit: unit, workspace: workspace) }

    private static func id(path: String, unit: String, workspace: String) -> String {
        var bytes = CanonicalBytes()
        for text in [workspace, path, unit] { bytes.append(text) }
        return "acc_" + hexadecimal(SHA256.hash(data: bytes.bytes).prefix(16))
    }
}

/// Letters, digits, `_`, `-` and `.` stay; every other byte becomes `%` and two digits, so no id can end a path's part.
private func escaped(_ part: String) -> String {
    guard !part.utf8.allSatisfy(isPlain) else { return part }
    var text = ""
    for byte in part.utf8 {
        if isPlain(byte) { text.unicodeScalars.append(UnicodeScalar(byte)) } else { text += "%" + hexadecimal([byte]) }
    }
    return text
}

private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
    default: false
    }
}
