import Chronology
import Compensation

extension FactReader {
    /// `kind` is forcedRank (value: a rank's name or none), activityWaiver (no value), eligibilityWaiver (a bonus's name) or
    /// adjustment (`bonus:amount`, minor units).
    func readOverrides(_ path: String, _ builder: FactsBuilder) throws(FileFailure) -> [DatedOverride] {
        var reader = try CSVReader(path: path)
        let columns = try needed(["member_id", "kind", "value", "author", "reason"], reader.header, path)
        let periodStart = reader.header.firstIndex(of: "period_start")
        var found: [DatedOverride] = []
        /// Member → the periods in which a rank is forced already; nil: all.
        var forced: [IdKey: Set<LocalDay?>] = [:]
        while try reader.next() {
            func wrong(_ column: String, _ message: String) -> FileFailure {
                FileFailure(path: path, line: reader.line, column: column, message: message)
            }
            guard found.count < Self.overridesLimit else { throw wrong("member_id", "more than \(Self.overridesLimit) overrides") }
            let (author, reason) = (reader.text(columns[3]), reader.text(columns[4]))
            guard !author.isEmpty else { throw wrong("author", "an override needs an author") }
            guard !reason.isEmpty else { throw wrong("reason", "an override needs a reason") }
            guard !reader.cell(columns[0]).isEmpty else { throw wrong("member_id", "the id is empty") }
            guard builder.row(ofMember: reader.text(columns[0])) != nil else { throw wrong("member_id", FactsFailure.Reason.unknownMember.words) }
            let kind: Override.Kind
            do throws(Wrong) { kind = try self.kind(reader.text(columns[1]), reader.text(columns[2])) } catch { throw wrong(error.column, error.message) }
            var start: LocalDay?
            if let periodStart, !reader.cell(periodStart).isEmpty {
                guard let day = try? LocalDay(iso8601: reader.text(periodStart)) else {
                    throw wrong("period_start", "expected a day such as 2026-01-01, found “\(reader.text(periodStart).prefix(40))”")
                }
                start = day
            }
            if case .forcedRank = kind {
                // Two ranks at once would leave it to chance which one holds.
                let before = forced[IdKey(reader.text(columns[0]))] ?? []
                guard before.isEmpty || (start != nil && !before.contains(nil) && !before.contains(start)) else {
                    throw wrong("kind", "the member has a forced rank in this period already")
                }
                forced[IdKey(reader.text(columns[0])), default: []].insert(start)
            }
            found.append(
                DatedOverride(override: Override(memberId: reader.text(columns[0]), kind: kind, author: author, reason: reason), periodStart: start))
        }
        return found
    }

    static let overridesLimit = 1_000_000

    private struct Wrong: Error {
        var column: String
        var message: String
    }

    private func kind(_ kind: String, _ value: String) throws(Wrong) -> Override.Kind {
        let bonuses = plans[0].bonuses.map(\.code)
        func bonus(_ code: String) throws(Wrong) -> String {
            guard bonuses.contains(code) || plans.count > 1 else {
                throw Wrong(column: "value", message: "the plan has no bonus “\(code.prefix(40))”; it has \(bonuses.joined(separator: ", "))")
            }
            return code
        }
        switch kind {
        case "forcedRank":
            if value == "none" { return .forcedRank(0) }
            guard let rank = plans[0].ranks.firstIndex(where: { $0.code == value }) else {
                throw Wrong(column: "value", message: "the plan has no rank “\(value.prefix(40))”; it has none, \(plans[0].ranks.map(\.code).joined(separator: ", "))")
            }
            return .forcedRank(rank + 1)
        case "activityWaiver": return .activityWaiver
        case "eligibilityWaiver": return .eligibilityWaiver(bonus: try bonus(value))
        case "adjustment":
            let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let amount = Int64(parts[1]), amount.magnitude <= UInt64(FactsBuilder.volumeLimit) else {
                throw Wrong(column: "value", message: "expected bonus:amount with whole minor units, found “\(value.prefix(40))”")
            }
            return .adjustment(bonus: try bonus(parts[0]), amountMinor: amount)
        default:
            throw Wrong(column: "kind", message: "expected forcedRank, activityWaiver, eligibilityWaiver or adjustment, found “\(kind.prefix(40))”")
        }
    }
}
