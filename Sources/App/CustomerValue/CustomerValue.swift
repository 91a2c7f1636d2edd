import Chronology
import Persistence
import Prediction

/// What is expected of a workspace's own customers: from its sales in one currency, refunds taken off, days as its zone has them.
struct CustomerValue: Sendable {
    struct Customer: Sendable {
        var id: CustomerID
        var history: PurchaseHistory
        var probabilityAlive: Double
        var expectedPurchases: Double
        /// In minor units, within the weeks, not discounted; nil where too few amounts are known.
        var expectedValueMinor: Double?

        /// Bought again, and has more likely left than not.
        var isAtRisk: Bool { history.frequency > 0 && probabilityAlive < 0.5 }
        var rank: Double { expectedValueMinor ?? expectedPurchases }
        var spentMinor: Double { history.firstValue + history.averageValue * Double(history.frequency) }
    }

    struct Forecast: Sendable {
        var purchases: Fit<BetaGeometric>
        var values: Result<Fit<GammaGamma>, FitProblem>
        /// By id.
        var customers: [Customer]

        var expectedPurchases: Double { customers.reduce(0) { $0 + $1.expectedPurchases } }
        var expectedValueMinor: Double? { Self.sum(customers) }

        /// Nil as soon as one is not known.
        static func sum(_ customers: [Customer]) -> Double? {
            var sum = 0.0
            for customer in customers {
                guard let value = customer.expectedValueMinor else { return nil }
                sum += value
            }
            return sum
        }
    }

    static let weeksLimit = 520
    static let weeksUsual = 26
    /// More sales than this are not read in a request.
    static let salesLimit = 2_000_000
    private static let memo = Memo<Key, CustomerValue>(limit: 4)

    /// The only input: the same sales give the same forecast.
    private struct Key: Hashable, Sendable {
        var workspace: WorkspaceID
        var program: ProgramID?
        var volume: CustomerValueStore.Volume
        var until: LocalDay
        var zone: String
        var weeks: Int
    }

    var weeks: Int
    var until: LocalDay
    /// Nil where nothing was sold.
    var currency: String?
    /// All in which was sold, the one with most sales first.
    var currencies: [String]
    var outcome: Result<Forecast, FitProblem>

    /// Runs on a thread of the database: a second for a million sales. Nil for a currency in which nothing was sold.
    static func load(
        in workspace: WorkspaceID, program: ProgramID?, currency wanted: String?, weeks: Int, now: Instant, zone: Zone, on connection: any Connection
    ) throws -> CustomerValue? {
        let volumes = try CustomerValueStore.volumes(in: workspace, program: program, on: connection)
        let until = zone.day(of: now)
        guard let volume = wanted == nil ? volumes.first : volumes.first(where: { $0.currency == wanted }) else {
            return wanted == nil ? CustomerValue(weeks: weeks, until: until, currencies: [], outcome: .failure(.noCustomers)) : nil
        }
        let key = Key(workspace: workspace, program: program, volume: volume, until: until, zone: zone.name, weeks: weeks)
        var found = try memo.value(key) {
            let end = (try? until.adding(days: 1)).map { zone.start(of: $0) } ?? now
            let purchases = try CustomerValueStore.purchases(
                in: workspace, program: program, currency: volume.currency, before: end, limit: salesLimit, on: connection)
            return CustomerValue(purchases, until: until, zone: zone, weeks: weeks, currency: volume.currency)
        }
        found.currencies = volumes.map(\.currency)
        return found
    }

    private init(weeks: Int, until: LocalDay, currencies: [String], outcome: Result<Forecast, FitProblem>) {
        (self.weeks, self.until, self.currencies, self.outcome) = (weeks, until, currencies, outcome)
    }

    private init(_ purchases: [CustomerValueStore.Purchase], until: LocalDay, zone: Zone, weeks: Int, currency: String) {
        var ids: [CustomerID] = []
        var histories: [PurchaseHistory] = []
        var start = 0
        while start < purchases.count {
            var end = start
            while end < purchases.count, purchases[end].customer == purchases[start].customer { end += 1 }
            let bought = purchases[start..<end].map { Purchase(dayNumber: zone.day(of: $0.at).dayNumber, value: Double($0.keptMinor)) }
            if let history = PurchaseHistory(purchases: bought, until: until.dayNumber) {
                ids.append(purchases[start].customer)
                histories.append(history)
            }
            start = end
        }
        self.init(
            weeks: weeks, until: until, currencies: [currency],
            outcome: BetaGeometric.fit(histories).map { fit in Self.forecast(fit, ids, histories, weeks: weeks) })
        self.currency = currency
    }

    private static func forecast(_ fit: Fit<BetaGeometric>, _ ids: [CustomerID], _ histories: [PurchaseHistory], weeks: Int) -> Forecast {
        let values = GammaGamma.fit(histories)
        let customers = zip(ids, histories).map { id, history in
            let purchases = fit.model.expectedPurchases(history, weeks: Double(weeks))
            return Customer(
                id: id, history: history, probabilityAlive: fit.model.probabilityAlive(history), expectedPurchases: purchases,
                expectedValueMinor: LifetimeForecast.averageValue(history, values).map { $0 * purchases })
        }
        return Forecast(purchases: fit, values: values, customers: customers)
    }
}

extension FitProblem {
    /// For programs; pages have words under the same name.
    var code: String {
        switch self {
        case .noCustomers: "noCustomers"
        case .tooFewCustomers: "tooFewCustomers"
        case .tooFewRepeatCustomers: "tooFewRepeatCustomers"
        case .impossibleHistory: "impossibleHistory"
        case .tooFewValues: "tooFewValues"
        case .valuesDoNotVary: "valuesDoNotVary"
        case .undetermined: "undetermined"
        case .notConverged: "notConverged"
        }
    }
}
