import Foundation
import Prediction
import Testing

@Suite struct PropertyTests {
    @Test(arguments: [1, 2] as [UInt64])
    func parametersAreFoundAgain(seed: UInt64) throws {
        var simulation = Simulation(seed: seed)
        let truth = try #require(BetaGeometric(r: 0.6, alpha: 6, a: 0.9, b: 3))
        let spending = try #require(GammaGamma(p: 5, q: 4, v: 20))
        let histories = (0..<8_000).map { _ in
            let age = simulation.within(20...60)
            return simulation.customer(truth, spending, age: age)
        }
        let fit = try BetaGeometric.fit(histories).get()
        print("seed \(seed): \(fit.model), \(fit.iterations) steps")
        #expect(fit.logLikelihood >= truth.logLikelihood(histories) - 1e-6)
        #expect((fit.model.r / truth.r - 1).magnitude < 0.1)
        #expect((fit.model.alpha / truth.alpha - 1).magnitude < 0.15)
        #expect((fit.model.a / truth.a - 1).magnitude < 0.25)
        #expect((fit.model.b / truth.b - 1).magnitude < 0.3)
        for weeks in [4.0, 26, 104] {
            #expect((fit.model.expectedPurchasesOfNew(weeks: weeks) / truth.expectedPurchasesOfNew(weeks: weeks) - 1).magnitude < 0.06)
        }
        let values = try GammaGamma.fit(histories).get()
        #expect((values.model.p / spending.p - 1).magnitude < 0.1)
        #expect((values.model.q / spending.q - 1).magnitude < 0.1)
        let trueMean = try #require(spending.populationMean)
        let mean = try #require(values.model.populationMean)
        #expect((mean / trueMean - 1).magnitude < 0.03)
    }

    /// Any parameters and any history, odd ones among them (a near 1, a + b near 1, many purchases, horizons of decades).
    @Test(arguments: [11, 12] as [UInt64])
    func anyCustomerAndAnyModel(seed: UInt64) throws {
        var simulation = Simulation(seed: seed)
        for _ in 0..<1_000 {
            let model = try #require(
                BetaGeometric(
                    r: exp(simulation.within(-4...4)), alpha: exp(simulation.within(-2...5)),
                    a: simulation.unit() < 0.2 ? 1 + simulation.within(-1e-6...1e-6) : exp(simulation.within(-4...3)), b: exp(simulation.within(-4...4))))
            let frequency = simulation.unit() < 0.3 ? 0 : Int(exp(simulation.within(0...6)))
            let age = simulation.within(0.2...300)
            let history = PurchaseHistory(frequency: frequency, recency: frequency == 0 ? 0 : age * simulation.within(0.01...1), age: age)
            let alive = model.probabilityAlive(history)
            #expect((0...1).contains(alive), "seed \(seed): \(model) \(history)")
            var before = 0.0
            for weeks in [0.5, 4, 26, 39, 104, 520] {
                let expected = model.expectedPurchases(history, weeks: weeks)
                // No more than if the customer certainly stayed.
                let most = alive * (model.r + Double(frequency)) / (model.alpha + age) * weeks
                #expect(expected >= before * (1 - 1e-6) && expected <= most * (1 + 1e-4) + 1e-9, "seed \(seed): \(model) \(history) \(weeks) weeks: \(expected), before \(before), most \(most)")
                before = expected
            }
        }
    }

    /// Parameters run off to a limit; what is foretold stays sensible.
    @Test func customersWhoAreAllAlike() throws {
        let regulars = (0..<60).map { number in
            let frequency = 3 + number % 2
            return PurchaseHistory(frequency: frequency, recency: 18 + Double(number % 5) / 7, age: 20 + Double(number % 9) / 7, averageValue: 20 + Double(number))
        }
        let once = (0..<20).map { PurchaseHistory(frequency: 0, recency: 0, age: 10 + Double($0)) }
        for histories in [regulars, regulars + once] {
            let fit = try BetaGeometric.fit(histories).get()
            for history in histories {
                #expect((0...1).contains(fit.model.probabilityAlive(history)))
                let expected = fit.model.expectedPurchases(history, weeks: 20)
                #expect(expected > 0 && expected < 20, "\(fit.model) \(history)")
            }
        }
    }

    @Test func theSameAgain() throws {
        let shop = try CDNOW()
        #expect(try BetaGeometric.fit(shop.histories).get() == BetaGeometric.fit(shop.histories).get())
        // The order of customers matters only to rounding.
        let reversed = try BetaGeometric.fit(shop.histories.reversed()).get()
        #expect((try BetaGeometric.fit(shop.histories).get().logLikelihood - reversed.logLikelihood).magnitude < 1e-6)
    }

    @Test func moneyMayBeCountedInAnything() throws {
        let shop = try CDNOW()
        let one = try GammaGamma.fit(shop.histories).get()
        let cents = shop.histories.map { PurchaseHistory(frequency: $0.frequency, recency: $0.recency, age: $0.age, averageValue: $0.averageValue * 1e6) }
        let other = try GammaGamma.fit(cents).get()
        #expect((other.model.p / one.model.p - 1).magnitude < 1e-6 && (other.model.q / one.model.q - 1).magnitude < 1e-6)
        #expect((other.model.v / one.model.v / 1e6 - 1).magnitude < 1e-6)
        #expect((one.logLikelihood - other.logLikelihood - Double(one.customerCount) * log(1e6)).magnitude < 1e-3)
    }

    /// Nobody's average differs from the others' but by chance: a limit of the model.
    @Test func customersWhoSpendAlike() throws {
        var simulation = Simulation(seed: 5)
        let histories = (0..<60).map { number in
            PurchaseHistory(frequency: 1 + number % 3, recency: 5, age: 20, averageValue: 30 + simulation.unit())
        }
        let fit = try GammaGamma.fit(histories).get()
        for history in histories {
            #expect(try (29...32).contains(#require(fit.model.expectedAverageValue(history))))
        }
    }

    @Test func averagesLieBetweenTheCustomersAndEverybodys() throws {
        let model = try #require(GammaGamma(p: 6.25, q: 3.74, v: 15.44))
        let mean = try #require(model.populationMean)
        for own in [0, 5, 35, 400.0] {
            for frequency in [1, 3, 50] {
                let value = try #require(model.expectedAverageValue(PurchaseHistory(frequency: frequency, recency: 1, age: 2, averageValue: own)))
                #expect(value >= min(own, mean) - 1e-9 && value <= max(own, mean) + 1e-9)
            }
        }
        #expect(try #require(model.expectedAverageValue(PurchaseHistory(frequency: 0, recency: 0, age: 2))) == mean)
        #expect(try #require(GammaGamma(p: 6, q: 0.9, v: 15)).populationMean == nil)
    }
}
