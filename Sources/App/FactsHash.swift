import Crypto
import Foundation

/// SHA-256 over the facts of an event, each behind its length, so that no two lists of facts look the same.
enum FactsHash {
    static func of(_ facts: [String]) -> [UInt8] {
        var hash = SHA256()
        for fact in facts { hash.update(data: Data("\(fact.utf8.count):\(fact)".utf8)) }
        return Array(hash.finalize())
    }
}
