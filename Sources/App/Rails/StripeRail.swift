import Chronology
import Foundation
import Money
import Web

/// Stripe Connect: a transfer for each line, known again by its `Idempotency-Key`; once a day a batch's transfers are listed, for those that
/// nobody answered and those that were reversed.
struct StripeRail: Sendable {
    /// Stripe may forget a key after 24 hours: from then on a repeat would pay again, and Kith only looks.
    static let repeatMs: Int64 = 23 * 3_600_000
    static let version = "2024-06-20"
    static let listedMax = 100
    /// Pages of one list that are read in one round: 10,000 lines of a batch.
    static let pagesMax = 110

    let client: RailClient
    let base: String

    func pay(_ job: RailJob) async -> RailAnswer {
        guard let line = job.payable.first, let details = line.destination?.details, let number = StripeAmount.number(line.amountMinor, job.unit) else {
            return RailAnswer(verdict: .stopped, code: "no_destination")
        }
        let form = [
            ("amount", String(number)), ("currency", job.unit.code.lowercased()), ("destination", details.number),
            ("transfer_group", job.call.payoutID.text), ("metadata[kith_line]", line.id.text), ("metadata[kith_payout]", job.call.payoutID.text),
        ].map { "\(LocalPath.encoded($0.0))=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        let reply = await client.send(
            "POST", base + "/v1/transfers",
            headers: headers(job) + [("content-type", "application/x-www-form-urlencoded"), ("idempotency-key", line.id.text)], body: Array(form.utf8))
        guard case .answered(let status, let headers, let json) = reply else { return RailAnswer(verdict: .unclear(), code: "no_answer") }
        let error = json?["error"]
        var answer = RailAnswer(verdict: .unclear(), status: Int64(status), code: error?.railText("code") ?? error?.railText("type"))
        let retryAfterMs = RetryAfter.ms(headers["retry-after"], now: job.now)
        switch status {
        case 200..<300:
            guard let json, json.railText("id")?.hasPrefix("tr_") == true else {
                answer.code = "unreadable_answer"
                return answer
            }
            answer.verdict = .settled
            answer.evidence = [Self.evidence(json, line, number, job.unit, to: details.number)]
        case 429: answer.verdict = .notTaken(retryAfterMs: retryAfterMs)
        case 401, 403:
            answer.verdict = .notTaken()
            answer.isTrouble = true
        // 409: another request with this key is under way.
        case 408, 409, 500...: answer.verdict = .unclear(retryAfterMs: retryAfterMs)
        // Stripe keeps no answer of a request that it refuses before it begins: to a repeat it says nothing of the first try.
        case _ where line.state == .unclear: break
        default:
            switch error?.railText("type") {
            case "invalid_request_error", "card_error", "api_error" where status < 500:
                // The answer of this key, for good: nothing moved.
                answer.verdict = .settled
                answer.evidence = [RailEvidence(line: line.id, verdict: .failed, code: answer.code, message: error?.railText("message"))]
                answer.isTrouble = answer.code == "balance_insufficient" || answer.code == "insufficient_funds"
            case "idempotency_error":
                // Stripe has had this key with other words: nobody knows what it paid.
                answer.verdict = .settled
                answer.evidence = [RailEvidence(line: line.id, verdict: .contrary, code: answer.code)]
            default: answer.code = answer.code ?? "unreadable_answer"
            }
        }
        return answer
    }

    /// All transfers of the batch, as they stand now.
    func watch(_ job: RailJob) async -> RailAnswer {
        var (answer, isWhole) = await list(job)
        answer.evidence = Self.told(once: answer.evidence)
        // The newest come first: while an older transfer of the same line may be unread, one that came back settles nothing.
        if !isWhole { answer.evidence.removeAll { $0.verdict == .returned } }
        return answer
    }

    /// One line, two transfers, however they ended: nobody but people can say more.
    private static func told(once evidence: [RailEvidence]) -> [RailEvidence] {
        let times = Dictionary(evidence.map { ($0.line, 1) }, uniquingKeysWith: +)
        var seen = Set<RailLineID>()
        return evidence.filter { seen.insert($0.line).inserted }.map { piece in
            var piece = piece
            if times[piece.line] ?? 0 > 1 { (piece.verdict, piece.code) = (.contrary, "two_transfers") }
            return piece
        }
    }

    /// What the batch's list says, a piece for each transfer, and whether its last page was read.
    private func list(_ job: RailJob) async -> (answer: RailAnswer, isWhole: Bool) {
        let known = Dictionary(job.lines.map { ($0.id.text, $0) }, uniquingKeysWith: { first, _ in first })
        var answer = RailAnswer(verdict: .accepted(providerID: nil))
        var after: String?
        for _ in 0..<Self.pagesMax {
            let cursor = after.map { "&starting_after=\($0)" } ?? ""
            let reply = await client.send(
                "GET", "\(base)/v1/transfers?transfer_group=\(job.call.payoutID.text)&limit=\(Self.listedMax)\(cursor)", headers: headers(job))
            guard case .answered(let status, let headers, let json) = reply else {
                answer.code = "no_answer"
                return (answer, false)
            }
            answer.status = Int64(status)
            guard status == 200, let json, let transfers = json.railList("data") else {
                if status == 429 { answer.verdict = .notTaken(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now)) }
                answer.isTrouble = status == 401 || status == 403
                answer.code = json?["error"]?.railText("code") ?? "unreadable_answer"
                return (answer, false)
            }
            for transfer in transfers {
                guard let key = transfer["metadata"]?.railText("kith_line"), let line = known[key], let number = StripeAmount.number(line.amountMinor, job.unit)
                else { continue }
                answer.evidence.append(Self.evidence(transfer, line, number, job.unit, to: line.destination?.details.number))
            }
            let last = transfers.last?.railText("id").flatMap(Self.plainID)
            guard json["has_more"] == .boolean(true) else { return (answer, true) }
            guard let last, last != after else { return (answer, false) }
            after = last
        }
        return (answer, false)
    }

    private static func evidence(_ transfer: JSONValue, _ line: RailJob.Line, _ number: Int64, _ unit: UnitCode, to account: String?) -> RailEvidence {
        var evidence = RailEvidence(line: line.id, verdict: .paid, providerID: transfer.railText("id"))
        let reversed = transfer.railNumber("amount_reversed") ?? 0
        let isSame = transfer.railNumber("amount") == number && transfer.railText("currency")?.uppercased() == unit.code
            && (account == nil || transfer.railText("destination") == account)
        if !isSame {
            evidence.verdict = .contrary
            evidence.code = "other_amount"
        } else if transfer["reversed"] == .boolean(true) || reversed >= number {
            evidence.verdict = .returned
            evidence.providerState = "reversed"
            let reversals = transfer["reversals"]?.railList("data") ?? []
            evidence.providerID = reversals.first?.railText("id") ?? transfer.railText("id")
        } else if reversed > 0 {
            // A part came back: what that means for the member is for people to say.
            evidence.verdict = .contrary
            evidence.code = RailEvidence.partlyReversed
        }
        return evidence
    }

    private static func plainID(_ text: String) -> String? {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F }
            ? text : nil
    }

    private func headers(_ job: RailJob) -> [(name: String, value: String)] {
        [("authorization", "Bearer \(job.rail.secret ?? "")"), ("stripe-version", Self.version), ("accept", "application/json")]
    }
}
