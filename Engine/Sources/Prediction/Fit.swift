/// A model with the parameters under which what was observed is most likely.
public struct Fit<Model: Sendable>: Sendable {
    public let model: Model
    public let logLikelihood: Double
    /// Customers that the parameters rest on.
    public let customerCount: Int
    /// Steps of the best of all starts.
    public let iterations: Int
}

extension Fit: Equatable where Model: Equatable {}

/// Why no parameters are given. A reason, not a failure of the program: the data are as they are.
public enum FitProblem: Error, Hashable, Sendable {
    case noCustomers
    case tooFewCustomers(found: Int, needed: Int)
    /// Nearly all bought on one day only; nothing says how soon anybody comes back.
    case tooFewRepeatCustomers(found: Int, needed: Int)
    /// The customer at this place of the list cannot be.
    case impossibleHistory(at: Int, PurchaseHistory.Problem)
    /// Fewer customers whose further purchases were worth more than 0.
    case tooFewValues(found: Int, needed: Int)
    /// All customers spend the same on average, so that there is no distribution to fit; the average itself says all.
    case valuesDoNotVary(average: Double)
    /// The likelihood still rises where parameters are no longer sensible: the data do not determine them.
    case undetermined
    /// The maximum was not reached within this many steps from any start.
    case notConverged(iterations: Int)
}

/// Fewer customers, or fewer who came back, would give parameters that say more about chance than about them.
public enum FitNeeds {
    public static let customers = 20
    public static let repeatCustomers = 10
    /// Steps from each start.
    public static let iterationsLimit = 500
}

/// The first reason for which these histories cannot be fitted.
func problem(of histories: [PurchaseHistory]) -> FitProblem? {
    if histories.isEmpty { return .noCustomers }
    for (place, history) in histories.enumerated() {
        if let problem = history.problem { return .impossibleHistory(at: place, problem) }
    }
    if histories.count < FitNeeds.customers { return .tooFewCustomers(found: histories.count, needed: FitNeeds.customers) }
    let repeats = histories.count { $0.frequency > 0 }
    if repeats < FitNeeds.repeatCustomers { return .tooFewRepeatCustomers(found: repeats, needed: FitNeeds.repeatCustomers) }
    return nil
}
