import Foundation
import Prediction
import Testing

/// Pareto/NBD on CDNOW: the parameters that the literature and lifetimes 0.11.3 give, and whether it foretells better than BG/NBD.
@Suite struct ParetoTests {
    let shop: CDNOW

    init() throws { shop = try CDNOW() }

    @Test func knownParameters() throws {
        let fit = try ParetoNBD.fit(shop.histories).get()
        for (found, known) in [(fit.model.r, 0.5533), (fit.model.alpha, 10.578), (fit.model.s, 0.6062), (fit.model.beta, 11.669)] {
            expect(found, known)
        }
        #expect((fit.logLikelihood + 9_594.976).magnitude < 0.01)
        // scipy's hypergeometric functions with the same parameters.
        let predicted = shop.histories.reduce(0) { $0 + fit.model.expectedPurchases($1, weeks: 39) }
        #expect((predicted - 1_665.5).magnitude < 0.5)
    }

    @Test func foretellsBetter() throws {
        let plain = try BetaGeometric.fit(shop.histories).get().model
        let pareto = try ParetoNBD.fit(shop.histories).get().model
        let informed = try ParetoNBD.fit(shop.histories, usesFirstValue: true).get()
        let errors = [
            score(shop.histories.map { plain.expectedPurchases($0, weeks: 39) }), score(shop.histories.map { pareto.expectedPurchases($0, weeks: 39) }),
            score(shop.histories.map { informed.model.expectedPurchases($0, weeks: 39) }),
        ]
        print(errors, informed)
        #expect(errors[1].mean < errors[0].mean && errors[2].mean <= errors[1].mean + 1e-3)
        #expect(errors[1].square < errors[0].square && errors[2].square < errors[1].square)
        #expect(errors[1].total > errors[0].total)
        #expect(informed.model.firstValueWeight > 0.2)
    }

    private func score(_ predictions: [Double]) -> (total: Double, mean: Double, square: Double) {
        let errors = zip(predictions, shop.later).map { $0 - Double($1) }
        let count = Double(errors.count)
        return (
            predictions.reduce(0, +), errors.reduce(0) { $0 + $1.magnitude } / count, (errors.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        )
    }

    @Test func anyCustomerAndAnyModel() throws {
        var simulation = Simulation(seed: 21)
        for _ in 0..<500 {
            let model = try #require(
                ParetoNBD(
                    r: exp(simulation.within(-3...4)), alpha: exp(simulation.within(-2...5)),
                    s: simulation.unit() < 0.2 ? 1 : exp(simulation.within(-4...3)), beta: exp(simulation.within(-2...5))))
            let frequency = simulation.unit() < 0.3 ? 0 : Int(exp(simulation.within(0...6)))
            let age = simulation.within(0.2...300)
            let history = PurchaseHistory(frequency: frequency, recency: frequency == 0 ? 0 : age * simulation.within(0.01...1), age: age)
            let alive = model.probabilityAlive(history)
            #expect((0...1).contains(alive), "\(model) \(history)")
            var before = 0.0
            for weeks in [0.5, 4, 39, 520] {
                let expected = model.expectedPurchases(history, weeks: weeks)
                let most = alive * (model.r + Double(frequency)) / (model.alpha + age) * weeks
                #expect(expected >= before && expected <= most * (1 + 1e-9), "\(model) \(history) \(weeks)")
                before = expected
            }
        }
    }
}
