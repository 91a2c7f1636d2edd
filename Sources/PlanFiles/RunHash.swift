import Chronology
import Compensation
import Crypto
import Foundation
import PlanLanguage

/// SHA-256 over everything that decides a run: plan, facts as of the period, overrides, carry and history, and the version of
/// the engine. The order of rows and the number of threads don't enter.
enum RunHash {
    /// Changes when the same input gives other results.
    static let engineVersion = 1

    static func text(_ plan: Plan, _ facts: Facts, _ overrides: [Override], _ carry: CarryFile?) -> String {
        let hash = Running()
        hash.add("kith run, engine \(engineVersion)\n")
        hash.add(plan.canonicalJSON + "\n")
        for change in plan.calendar.zone.changes { hash.add("\(change.from.millisecondsSince1970) \(change.offsetMs)\n") }
        facts.canonicalBytes { hash.add($0) }
        let sorted = overrides.map { "\($0.memberId)\u{1f}\($0.kind)\u{1f}\($0.author)\u{1f}\($0.reason)\n" }
        for override in sorted.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { hash.add(override) }
        if let carry { carry.hashed { hash.add($0) } }
        return hash.text
    }

    /// A reference, as the engine's bytes come through an escaping closure.
    private final class Running {
        private var hash = SHA256()
        func add(_ text: String) { hash.update(data: Data(text.utf8)) }
        func add(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }
        var text: String { "sha256:" + hash.finalize().map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined() }
    }
}

extension CarryFile {
    /// What a run reads of it, as texts.
    func hashed(_ take: (String) -> Void) {
        take("\(nextPeriodStart.iso8601)\n")
        for member in carry.members { take("\(member)\n") }
        for leg in carry.legs { take("\(leg)\n") }
        for banked in carry.banked { take("\(banked)\n") }
        for tier in carry.tiers { take("\(tier)\n") }
        for award in carry.awards { take("\(award)\n") }
        for order in history.sorted(by: { $0.orderId.utf8.lexicographicallyPrecedes($1.orderId.utf8) }) { take("\(order)\n") }
    }
}
