import Prediction
import Testing

/// What cannot be fitted gives a reason.
@Suite struct BadInputTests {
    private let once = PurchaseHistory(frequency: 0, recency: 0, age: 20)
    private let again = PurchaseHistory(frequency: 2, recency: 10, age: 20, averageValue: 30)

    @Test func tooFew() {
        #expect(problem([]) == .noCustomers)
        #expect(problem([again]) == .tooFewCustomers(found: 1, needed: 20))
        #expect(problem(Array(repeating: once, count: 500)) == .tooFewRepeatCustomers(found: 0, needed: 10))
        let sameDay = Array(repeating: PurchaseHistory(frequency: 0, recency: 0, age: 0), count: 500)
        #expect(problem(sameDay) == .tooFewRepeatCustomers(found: 0, needed: 10))
        #expect(problem(Array(repeating: once, count: 500) + Array(repeating: again, count: 9)) == .tooFewRepeatCustomers(found: 9, needed: 10))
    }

    @Test(arguments: [
        (PurchaseHistory(frequency: 1, recency: .nan, age: 20), PurchaseHistory.Problem.notANumber),
        (PurchaseHistory(frequency: 1, recency: 1, age: .infinity), .notANumber),
        (PurchaseHistory(frequency: 1, recency: 1, age: 20, averageValue: .nan), .notANumber),
        (PurchaseHistory(frequency: -1, recency: 1, age: 20), .impossibleFrequency),
        (PurchaseHistory(frequency: .max, recency: 1, age: 20), .impossibleFrequency),
        (PurchaseHistory(frequency: 1, recency: 21, age: 20), .impossibleTime),
        (PurchaseHistory(frequency: 1, recency: -1, age: 20), .impossibleTime),
        (PurchaseHistory(frequency: 0, recency: 1, age: 20), .frequencyAgainstRecency),
        (PurchaseHistory(frequency: 3, recency: 0, age: 20), .frequencyAgainstRecency),
        (PurchaseHistory(frequency: 1, recency: 1, age: 20, averageValue: -5), .negativeValue),
    ])
    func impossible(_ history: PurchaseHistory, _ wanted: PurchaseHistory.Problem) {
        let histories = Array(repeating: again, count: 30) + [history]
        #expect(problem(histories) == .impossibleHistory(at: 30, wanted))
        #expect(valueProblem(histories) == .impossibleHistory(at: 30, wanted))
        #expect(throws: FitProblem.impossibleHistory(at: 30, wanted)) { try ParetoNBD.fit(histories, usesFirstValue: true).get() }
    }

    @Test func values() {
        #expect(valueProblem([]) == .noCustomers)
        #expect(valueProblem(Array(repeating: once, count: 50)) == .tooFewValues(found: 0, needed: 10))
        // Amounts of 0 are no failure, and nothing to learn from.
        let free = PurchaseHistory(frequency: 2, recency: 10, age: 20, averageValue: 0)
        #expect(valueProblem(Array(repeating: free, count: 50)) == .tooFewValues(found: 0, needed: 10))
        #expect(valueProblem(Array(repeating: again, count: 50)) == .valuesDoNotVary(average: 30))
    }

    @Test func customersWithoutTimeChangeNothing() throws {
        let shop = try CDNOW()
        let some = Array(shop.histories.prefix(400))
        let more = some + Array(repeating: PurchaseHistory(frequency: 0, recency: 0, age: 0), count: 40)
        let (one, two) = (try BetaGeometric.fit(some).get(), try BetaGeometric.fit(more).get())
        #expect((one.model.r - two.model.r).magnitude < 1e-3)
        #expect((one.logLikelihood - two.logLikelihood).magnitude < 1e-6)
    }

    @Test func theLimitOfIterationsIsSaid() throws {
        let shop = try CDNOW()
        #expect(throws: FitProblem.notConverged(iterations: 2)) { try BetaGeometric.fit(shop.histories, iterationsLimit: 2).get() }
        #expect(throws: FitProblem.notConverged(iterations: 2)) { try GammaGamma.fit(shop.histories, iterationsLimit: 2).get() }
    }

    @Test func purchasesOfADayAreOne() throws {
        let days = [(3, 5.0), (3, 1.0), (10, 7.0), (10, 3.0), (24, 20.0), (99, 1_000.0)].map { Purchase(dayNumber: $0.0, value: $0.1) }
        let history = try #require(PurchaseHistory(purchases: days.reversed(), until: 31))
        #expect(history == PurchaseHistory(frequency: 2, recency: 3, age: 4, averageValue: 15, firstValue: 6))
        #expect(PurchaseHistory(purchases: days, until: 2) == nil)
    }

    private func problem(_ histories: [PurchaseHistory]) -> FitProblem? {
        if case .failure(let problem) = BetaGeometric.fit(histories) { problem } else { nil }
    }

    private func valueProblem(_ histories: [PurchaseHistory]) -> FitProblem? {
        if case .failure(let problem) = GammaGamma.fit(histories) { problem } else { nil }
    }
}
