/// Histories that are alike in everything but value, counted: of 100,000 customers most bought once, on one of a few hundred days.
struct HistoryGroups {
    struct Group {
        var frequency: Int
        var recency: Double
        var age: Double
        var count: Double
        /// Places in `times`.
        var recencyPlace: Int
        var agePlace: Int
    }

    let groups: [Group]
    /// Every recency and age once: logarithms of times are taken once for each of these and not for each customer.
    let times: [Double]
    let customerCount: Int
    let frequencyMax: Int
    let meanAge: Double
    let meanFrequency: Double

    init(_ histories: [PurchaseHistory]) {
        struct Key: Hashable { var frequency: Int, recency: Double, age: Double }
        var places: [Key: Int] = [:]
        var groups: [Group] = []
        var times: [Double] = []
        var timePlaces: [Double: Int] = [:]
        func timePlace(_ time: Double) -> Int {
            if let place = timePlaces[time] { return place }
            timePlaces[time] = times.count
            times.append(time)
            return times.count - 1
        }
        for history in histories {
            let key = Key(frequency: history.frequency, recency: history.recency, age: history.age)
            if let place = places[key] {
                groups[place].count += 1
            } else {
                places[key] = groups.count
                groups.append(
                    Group(
                        frequency: history.frequency, recency: history.recency, age: history.age, count: 1,
                        recencyPlace: timePlace(history.recency), agePlace: timePlace(history.age)))
            }
        }
        self.groups = groups
        self.times = times
        customerCount = histories.count
        frequencyMax = groups.reduce(0) { max($0, $1.frequency) }
        let count = Double(max(1, histories.count))
        meanAge = groups.reduce(0) { $0 + $1.age * $1.count } / count
        meanFrequency = groups.reduce(0) { $0 + Double($1.frequency) * $1.count } / count
    }
}

/// ln Γ(base + x) − ln Γ(base) and its derivative for x = 0, 1, …: sums, so that no gamma function is needed.
struct RisingLogs {
    private(set) var values: [Double]
    private(set) var slopes: [Double]

    init(base: Double, to last: Int, _ logarithm: (Double) -> Double) {
        values = [0]
        slopes = [0]
        values.reserveCapacity(last + 1)
        slopes.reserveCapacity(last + 1)
        var (value, slope) = (0.0, 0.0)
        for x in 0..<last {
            value += logarithm(base + Double(x))
            slope += 1 / (base + Double(x))
            values.append(value)
            slopes.append(slope)
        }
    }
}
