import Chronology
import Foundation
import Money
import Persistence
import Web

/// The company's own system: each line is a message that it is told under the same id until it answers, signed by Standard Webhooks. It
/// answers what became of the line, at once or later by `POST /payouts/{id}/lines/{lineId}/outcome`.
struct ExternalRail: Sendable {
    static let messageType = "payout.line.requested"

    let client: RailClient

    func pay(_ job: RailJob) async -> RailAnswer {
        guard case .external(let url) = job.rail.settings, let secret = job.rail.secret.flatMap(Self.secret) else {
            return RailAnswer(verdict: .notTaken(), code: "not_connected", isTrouble: true)
        }
        guard let line = job.payable.first, let details = line.destination?.details else { return RailAnswer(verdict: .stopped, code: "no_destination") }
        let body = Self.message(line, details, job).bytes
        let seconds = job.now.millisecondsSince1970 / 1_000
        let reply = await client.send(
            "POST", url,
            headers: [
                ("content-type", "application/json"), ("webhook-id", line.id.text), ("webhook-timestamp", String(seconds)),
                ("webhook-signature", secret.signature(id: line.id.text, timestampSeconds: seconds, body: body)),
            ], body: body)
        guard case .answered(let status, let headers, let json) = reply else { return RailAnswer(verdict: .unclear(), code: "no_answer") }
        var answer = RailAnswer(verdict: .unclear(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now)), status: Int64(status))
        guard (200..<300).contains(status) else {
            // Only its own word counts as an outcome: a status may come from anything between us.
            answer.code = "http_\(status)"
            answer.isTrouble = status < 500 && status != 429
            return answer
        }
        var evidence = RailEvidence(line: line.id, verdict: .accepted, providerID: json?.railText("reference"), code: json?.railText("code"), message: json?.railText("reason"))
        switch json?.railText("outcome") {
        case "paid":
            evidence.verdict = .paid
            answer.verdict = .settled
        case "failed":
            evidence.verdict = .failed
            answer.verdict = .settled
        case "accepted": answer.verdict = .accepted(providerID: nil)
        // Nothing said of the outcome: taken as accepted where the answer could be read, or says no more than that.
        case nil where json != nil || status == 202 || status == 204: answer.verdict = .accepted(providerID: nil)
        default:
            answer.code = "unreadable_answer"
            return answer
        }
        answer.evidence = [evidence]
        return answer
    }

    static func message(_ line: RailJob.Line, _ details: PayoutAccountDetails, _ job: RailJob) -> JSONValue {
        [
            "id": .text(line.id.text), "type": .text(messageType), "createdAt": .text(job.call.createdAt.rfc3339), "apiVersion": .text(Event.apiVersion),
            "data": [
                "payoutId": .text(job.call.payoutID.text), "lineId": .text(line.id.text), "memberId": .text(line.memberID.text),
                "amount": .integer(line.amountMinor), "currency": .text(job.unit.code), "reference": .text(details.number),
                "holder": details.holder.map { .text($0) } ?? .null,
            ],
        ]
    }

    private static func secret(_ text: String) -> WebhookSecret? {
        guard text.hasPrefix(WebhookSecret.prefix), let bytes = Data(base64Encoded: String(text.dropFirst(WebhookSecret.prefix.count))) else { return nil }
        return WebhookSecret(bytes: Array(bytes))
    }
}
