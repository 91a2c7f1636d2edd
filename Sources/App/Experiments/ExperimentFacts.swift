import Chronology
import Persistence
import Web

/// What an experiment's figures are made of: who saw what, and what they did.
struct ExperimentFacts: Sendable {
    struct Subject: Sendable, Hashable {
        var position: Int
        var segment: String
        var at: Instant
        /// What they spent in the time before they saw anything; nil where nothing is known of it.
        var before: Double?
    }

    struct Outcome: Sendable, Hashable {
        var subject: Int
        var at: Instant
        var minor: Int64
        var refundedMinor: Int64
        var payMinor: Int64
        var isHeld: Bool
    }

    /// How far back a customer's past is looked at.
    static let pastMs: Int64 = 90 * 86_400_000

    var subjects: [Subject] = []
    /// In order of time.
    var outcomes: [Outcome] = []
    var mismatched = 0
    var crossed = 0
    /// There are more exposures than are analysed.
    var isCut = false

    static func load(_ experiment: Experiment, currency: String, vault: Vault, on connection: any Connection) throws -> ExperimentFacts {
        let seen = try ExposureStore.all(of: experiment.id, on: connection)
        var facts = ExperimentFacts()
        facts.isCut = seen.count == ExposureStore.analysedMax
        guard let first = seen.map(\.at).min() else { return facts }
        var places: [[UInt8]: Int] = [:]
        for one in seen {
            places[one.hash] = facts.subjects.count
            facts.subjects.append(Subject(position: one.position, segment: one.segment, at: one.at))
            if one.isMismatched { facts.mismatched += 1 }
            if one.isCrossed { facts.crossed += 1 }
        }
        var visitors: [String: Int?] = [:]
        func place(ofVisitor visitor: String) -> Int? {
            if let known = visitors[visitor] { return known }
            let found = places[Experiment.subjectHash(visitor, experiment.workspaceID, vault: vault)]
            visitors[visitor] = .some(found)
            return found
        }
        if experiment.metric == .lead {
            for lead in try ExposureStore.leads(of: experiment.id, in: experiment.workspaceID, on: connection) {
                if let place = places[lead.hash] { facts.add(Outcome(subject: place, at: lead.at, minor: 0, refundedMinor: 0, payMinor: 0, isHeld: false)) }
            }
            for lead in try ExposureStore.visitorLeads(in: experiment.workspaceID, since: first, on: connection) {
                if let place = place(ofVisitor: lead.visitor) {
                    facts.add(Outcome(subject: place, at: lead.at, minor: 0, refundedMinor: 0, payMinor: 0, isHeld: false))
                }
            }
        } else {
            var sales: [(place: Int, sold: ExposureStore.Sold)] = []
            for sold in try ExposureStore.sales(of: experiment.id, in: experiment.workspaceID, on: connection) {
                if let place = places[sold.hash] { sales.append((place, sold)) }
            }
            let since = (try? first.adding(milliseconds: -pastMs)) ?? first
            for visited in try ExposureStore.visitorSales(in: experiment.workspaceID, since: since, on: connection) {
                guard let place = place(ofVisitor: visited.visitor) else { continue }
                sales.append(
                    (
                        place,
                        ExposureStore.Sold(
                            hash: [], sale: visited.sale, minor: visited.minor, refundedMinor: visited.refundedMinor, currency: visited.currency, at: visited.at)
                    ))
            }
            try facts.add(sales, experiment, currency: currency, on: connection)
        }
        facts.outcomes.sort { ($0.at, $0.subject, $0.minor) < ($1.at, $1.subject, $1.minor) }
        return facts
    }

    private mutating func add(
        _ sales: [(place: Int, sold: ExposureStore.Sold)], _ experiment: Experiment, currency: String, on connection: any Connection
    ) throws {
        let ids = Set(sales.filter { $0.sold.at >= subjects[$0.place].at }.map(\.sold.sale)).sorted()
        let pay = try ExposureStore.pay(for: ids, unit: currency, on: connection)
        var counted: Set<String> = []
        for (place, sold) in sales {
            // Two browsers of one subject are one sale.
            guard counted.insert("\(place) \(sold.sale.text)").inserted else { continue }
            let isMoney = sold.currency == currency
            if sold.at < subjects[place].at {
                if isMoney, subjects[place].at.millisecondsClamped(since: sold.at) <= Self.pastMs {
                    subjects[place].before = (subjects[place].before ?? 0) + Double(sold.minor)
                }
                continue
            }
            if let end = experiment.endedAt, sold.at > end { continue }
            let paid = pay[sold.sale] ?? (0, false)
            outcomes.append(
                Outcome(
                    subject: place, at: sold.at, minor: isMoney ? sold.minor : 0, refundedMinor: isMoney ? sold.refundedMinor : 0, payMinor: paid.minor,
                    isHeld: paid.isHeld))
        }
    }

    private mutating func add(_ outcome: Outcome) {
        if outcome.at >= subjects[outcome.subject].at { outcomes.append(outcome) }
    }
}
