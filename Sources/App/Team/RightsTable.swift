/// The table of `docs/access.md`: what each role may do, and which calls need it.
enum RightsTable {
    static func markdown(_ calls: [(method: String, path: String, right: Right?, isEmbedded: Bool)]) -> String {
        var text = """
            # Who may do what

            Roles are given to people of the team, rights come with the role. A key has a role or a list of rights; it can never do more than
            the person it belongs to. A publishable key may only make the calls marked for browsers.

            Whoever has a member's mailbox can sign in as them: another mail address for a member with money or a payout account takes
            `payouts:write` as well as `members:write`, whichever call gives it.

            | right | \(Role.allCases.map(\.rawValue).joined(separator: " | ")) |
            |---|\(Role.allCases.map { _ in ":-:" }.joined(separator: "|"))|

            """
        for right in Right.allCases {
            text += "| `\(right.rawValue)` | \(Role.allCases.map { $0.may(right) ? "yes" : "–" }.joined(separator: " | ")) |\n"
        }
        text += "\n| call | right |\n|---|---|\n"
        for call in calls.sorted(by: { ($0.path, $0.method) < ($1.path, $1.method) }) {
            text += "| `\(call.method) \(call.path)` | \(call.right.map { "`\($0.rawValue)`" } ?? (call.isEmbedded ? "embed token" : "any key")) |\n"
        }
        return text
    }
}
