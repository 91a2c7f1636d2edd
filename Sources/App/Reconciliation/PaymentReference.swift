import Persistence

/// What our payments and batches are called outside, found again in what a bank writes: the reference in a file (26 signs of the batch, the
/// payment's number), its last 14 signs (NACHA has no room for more), the batch's message id, or our own ids.
enum PaymentReference: Hashable, Sendable {
    case number(PayoutID, Int)
    /// The last signs of a batch's id, and the payment's number.
    case short(String, Int)
    case member(PayoutID, MemberID)
    case railLine(String)
    case batch(PayoutID)

    /// Texts that are longer are not looked at to their end.
    private static let wordsMax = 60

    /// All that a text names, each once, in its order.
    static func all(in text: String) -> [PaymentReference] {
        var found: [PaymentReference] = []
        var payout: PayoutID?
        for word in text.split(maxSplits: wordsMax, whereSeparator: { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }) {
            let lower = word.lowercased()
            if let member = MemberID(lower), let payout {
                found.append(.member(payout, member))
            } else if let id = PayoutID(lower) {
                payout = id
                found.append(.batch(id))
            } else if lower.hasPrefix("pln_") {
                found.append(.railLine(lower))
            } else if let reference = plain(lower) {
                found.append(reference)
            }
        }
        var seen: Set<PaymentReference> = []
        return found.filter { seen.insert($0).inserted }
    }

    private static func plain(_ word: String) -> PaymentReference? {
        var word = word[...]
        if word.hasPrefix("test"), word.count == 30 || word.count == 37 { word = word.dropFirst(4) }
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard let id = PayoutID(PayoutKind.prefix + parts[0]) else { return parts.count == 1 ? short(parts[0]) : nil }
        if parts.count == 1 { return .batch(id) }
        guard parts.count == 2, parts[1].count == 6, let number = Int(parts[1]), number > 0 else { return nil }
        return .number(id, number)
    }

    /// Signs of the batch's id in a short reference; six digits follow.
    static let shortSigns = 8

    private static func short(_ word: Substring) -> PaymentReference? {
        let (signs, digits) = (word.prefix(shortSigns), word.dropFirst(shortSigns))
        guard digits.count == 6, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number > 0,
            signs.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { return nil }
        return .short(String(signs), number)
    }
}

extension Payout {
    /// What an entry is about: one payment, or the batch.
    enum Target: Hashable, Sendable {
        case line(PayoutID, MemberID)
        case batch(PayoutID)

        var payout: PayoutID {
            switch self {
            case .line(let id, _), .batch(let id): id
            }
        }
    }
}
