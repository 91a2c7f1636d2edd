import Prediction
import SeededRandom

// The lifetime value of simulated customers, for `make bench`:
//
//     clv-bench CUSTOMERS [rounds N]     histories are fitted and every customer is foretold; times in milliseconds
//     clv-bench CUSTOMERS csv            the histories, for the peer
let words = Array(CommandLine.arguments.dropFirst())
let customers = words.first.flatMap(Int.init) ?? 100_000
var random = SplitMix64(seed: 20_261_123)
let histories = (0..<customers).map { _ in simulatedHistory(&random) }

if words.contains("csv") {
    print("frequency,recency,age,averageValue")
    for history in histories { print("\(history.frequency),\(history.recency),\(history.age),\(history.averageValue)") }
} else {
    let rounds = words.firstIndex(of: "rounds").flatMap { Int(words[$0 + 1]) } ?? 5
    for round in 0..<rounds {
        let clock = ContinuousClock()
        let began = clock.now
        let purchases = try BetaGeometric.fit(histories).get()
        let half = clock.now
        let values = try GammaGamma.fit(histories).get()
        let fitted = clock.now
        var sum = 0.0
        for history in histories {
            sum += purchases.model.expectedPurchases(history, weeks: 39) * (values.model.expectedAverageValue(history) ?? 0)
        }
        let done = clock.now
        let (b, g) = (purchases.model, values.model)
        print(
            "round \(round): fit \(milliseconds(fitted - began)) ms (values \(milliseconds(fitted - half))) in \(purchases.iterations) and \(values.iterations) steps, foretell \(milliseconds(done - fitted)) ms, "
                + "r \(b.r) alpha \(b.alpha) a \(b.a) b \(b.b) p \(g.p) q \(g.q) v \(g.v) value \(sum)")
    }
}

func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
}

/// Four kinds of customers, bought first on a day of the first of two years; whole days.
func simulatedHistory(_ random: inout SplitMix64) -> PurchaseHistory {
    let ageDays = Int(random.next() % 364) + 365
    let chanceADay = [0.002, 0.008, 0.02, 0.06][Int(random.next() % 4)]
    let chanceOfLeaving = [0.05, 0.2, 0.35, 0.6][Int(random.next() % 4)]
    let value = [12.0, 25, 40, 90][Int(random.next() % 4)]
    var (frequency, last, sum) = (0, 0, 0.0)
    for day in 1..<ageDays where unit(&random) < chanceADay {
        frequency += 1
        last = day
        sum += value * (0.5 + unit(&random))
        if unit(&random) < chanceOfLeaving { break }
    }
    return PurchaseHistory(
        frequency: frequency, recency: Double(last) / 7, age: Double(ageDays) / 7, averageValue: frequency == 0 ? 0 : sum / Double(frequency))
}

func unit(_ random: inout SplitMix64) -> Double { Double(random.next() >> 11) * 0x1p-53 }
