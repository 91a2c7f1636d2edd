import Foundation
import Prediction
import Testing

/// Every figure of `clv.json` on the CDNOW customers.
@Suite struct ReferenceTests {
    let shop: CDNOW
    let reference: Reference

    init() throws {
        shop = try CDNOW()
        reference = try Reference.read()
    }

    @Test func purchases() throws {
        let fit = try BetaGeometric.fit(shop.histories).get()
        for (name, value) in ["r": fit.model.r, "alpha": fit.model.alpha, "a": fit.model.a, "b": fit.model.b] {
            expect(value, try #require(reference.bgnbd.params[name]))
        }
        #expect((fit.logLikelihood - reference.bgnbd.loglik_original_time).magnitude < 0.01)
        #expect(fit.customerCount == 2_357)
        for (weeks, expected) in reference.bgnbd.expected_purchases_39w_new {
            #expect((fit.model.expectedPurchasesOfNew(weeks: try #require(Double(weeks))) - expected).magnitude < 1e-3)
        }
        #expect(!reference.bgnbd.conditional.isEmpty)
        for row in reference.bgnbd.conditional {
            let history = PurchaseHistory(frequency: row.x, recency: row.t_x, age: row.T)
            #expect((fit.model.probabilityAlive(history) - row.p_alive).magnitude < 1e-3)
            #expect((fit.model.expectedPurchases(history, weeks: 39) - row.exp_39).magnitude < 1e-3)
            #expect((fit.model.expectedPurchases(history, weeks: 10) - row.exp_10).magnitude < 1e-3)
        }
    }

    /// With the file's own parameters, so that the formulas are compared and not the fits.
    @Test func formulas() throws {
        let found = reference.bgnbd.params
        let model = try #require(
            BetaGeometric(r: found["r"] ?? 0, alpha: found["alpha"] ?? 0, a: found["a"] ?? 0, b: found["b"] ?? 0))
        for row in reference.bgnbd.conditional {
            let history = PurchaseHistory(frequency: row.x, recency: row.t_x, age: row.T)
            #expect((model.probabilityAlive(history) - row.p_alive).magnitude < 1e-9)
            #expect((model.expectedPurchases(history, weeks: 39) - row.exp_39).magnitude < 1e-9)
            #expect((model.expectedPurchases(history, weeks: 10) - row.exp_10).magnitude < 1e-9)
        }
        for (weeks, expected) in reference.bgnbd.expected_purchases_39w_new {
            #expect((model.expectedPurchasesOfNew(weeks: try #require(Double(weeks))) - expected).magnitude < 1e-9)
        }
    }

    @Test func values() throws {
        let fit = try GammaGamma.fit(shop.histories).get()
        for (name, value) in ["p": fit.model.p, "q": fit.model.q, "v": fit.model.v] {
            expect(value, try #require(reference.gammagamma.params[name]))
        }
        expect(try #require(fit.model.populationMean), reference.gammagamma.population_mean_pv_over_q_minus_1)
    }

    @Test func holdout() throws {
        let fit = try BetaGeometric.fit(shop.histories).get()
        let predictions = shop.histories.map { fit.model.expectedPurchases($0, weeks: 39) }
        let wanted = reference.holdout_39_weeks
        #expect(Double(shop.later.reduce(0, +)) == wanted.actual_repeat_transactions)
        #expect((predictions.reduce(0, +) - wanted.predicted).magnitude < 0.5)
        #expect((meanError(predictions) - wanted.mae).magnitude < 5e-4)
        let rates = shop.histories.map { $0.age > 0 ? Double($0.frequency) / $0.age * 39 : 0 }
        #expect((rates.reduce(0, +) - wanted.naive_rate_baseline.predicted).magnitude < 0.5)
        #expect((meanError(rates) - wanted.naive_rate_baseline.mae).magnitude < 5e-4)
    }

    private func meanError(_ predictions: [Double]) -> Double {
        zip(predictions, shop.later).reduce(0) { $0 + ($1.0 - Double($1.1)).magnitude } / Double(predictions.count)
    }
}
