/// Why a text is no plan: everything that was found, in the order of the text.
public struct PlanTextFailure: Error, Hashable, Sendable {
    public let problems: [PlanTextProblem]
    /// More problems are not looked for.
    public static let problemsLimit = 50
}

/// One problem of a plan's text.
public struct PlanTextProblem: Hashable, Sendable {
    /// What kind of mistake it is.
    public enum Kind: Hashable, Sendable {
        /// No YAML or JSON, or beyond a limit.
        case text
        /// Against the schema.
        case shape
        /// Every part is well formed, but together they contradict each other or name what is not there.
        case meaning
    }
    public let kind: Kind
    /// From 1; 0 where the text as a whole is meant.
    public let line: Int
    public let column: Int
    /// Such as `bonuses[0].rates`; empty: the whole plan.
    public let path: String
    /// One English sentence without a full stop.
    public let message: String
    /// What may stand there; empty where it is no list.
    public let allowed: [String]

    public init(kind: Kind, line: Int, column: Int, path: String, message: String, allowed: [String] = []) {
        self.kind = kind
        self.line = line
        self.column = column
        self.path = path
        self.message = message
        self.allowed = allowed
    }
}

extension PlanTextProblem: CustomStringConvertible {
    public var description: String {
        var text = line > 0 ? "line \(line), column \(column): " : ""
        if !path.isEmpty { text += path + ": " }
        text += message
        if !allowed.isEmpty { text += " (allowed: \(allowed.joined(separator: ", ")))" }
        return text
    }
}

extension PlanTextFailure: CustomStringConvertible {
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
