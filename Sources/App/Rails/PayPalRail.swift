import Chronology
import Foundation
import Money
import Web

/// PayPal Payouts: one call for some hundred lines, known again by `sender_batch_id`; then the batch is asked for until each item has ended.
struct PayPalRail: Sendable {
    /// PayPal refuses a `sender_batch_id` it has seen for 30 days: so long a repeat pays nobody twice. A margin for clocks and queues.
    static let repeatMs: Int64 = 25 * 86_400_000
    static let itemsPerPage = 1_000
    /// Pages of one batch that are read in one round.
    static let pagesMax = 50
    static let noteMax = 120

    let client: RailClient
    let base: String
    let tokens: RailTokens

    // MARK: Paying

    func pay(_ job: RailJob) async -> RailAnswer {
        let token: String
        switch await self.token(job) {
        case .failure(let refusal): return refusal.answer
        case .success(let known): token = known
        }
        let lines = job.payable
        let body: JSONValue = [
            "sender_batch_header": [
                "sender_batch_id": .text(job.call.id.text), "email_subject": .text(String(job.programName.prefix(Self.noteMax))),
            ], "items": .array(lines.compactMap { item($0, job.unit) }),
        ]
        let reply = await client.send(
            "POST", base + "/v1/payments/payouts",
            headers: [("authorization", "Bearer \(token)"), ("content-type", "application/json"), ("paypal-request-id", job.call.id.text)], body: body.bytes)
        guard case .answered(let status, let headers, let json) = reply else { return RailAnswer(verdict: .unclear(), code: "no_answer") }
        var answer = RailAnswer(verdict: .unclear(), status: Int64(status), code: json.flatMap { $0.railText("name") })
        switch status {
        case 200..<300:
            if let id = json?.railText("batch_header", "payout_batch_id").flatMap(Self.batchID) {
                answer.verdict = .accepted(providerID: id)
            } else {
                answer.code = "unreadable_answer"
            }
        case 429: answer.verdict = .notTaken(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now))
        case 408, 409, 500...: answer.verdict = .unclear(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now))
        case 401:
            tokens.forget(job.rail)
            answer.verdict = .notTaken()
            answer.isTrouble = true
        default: refused(&answer, json, lines)
        }
        return answer
    }

    private func item(_ line: RailJob.Line, _ unit: UnitCode) -> JSONValue? {
        guard let details = line.destination?.details, let value = PayPalAmount.text(line.amountMinor, unit) else { return nil }
        return [
            "recipient_type": PayoutAccountDetails.payerID(details.number) == nil ? "EMAIL" : "PAYPAL_ID",
            "amount": ["currency": .text(unit.code), "value": .text(value)], "receiver": .text(details.number), "sender_item_id": .text(line.id.text),
        ]
    }

    /// 4xx: the batch was not taken in, unless it says that it has had it before.
    private func refused(_ answer: inout RailAnswer, _ json: JSONValue?, _ lines: [RailJob.Line]) {
        guard let json, answer.code != nil else {
            // No word of PayPal's: something between us answered.
            answer.code = "unreadable_answer"
            return
        }
        let details = json.railList("details") ?? []
        if details.contains(where: { $0.railText("field")?.uppercased().hasSuffix("SENDER_BATCH_ID") == true }) {
            if let id = details.lazy.compactMap(Self.linked).first {
                answer.verdict = .accepted(providerID: id)
            } else {
                // It has the batch and does not say which: nobody is paid again, and people must look.
                answer.verdict = .stopped
                answer.code = "duplicate_without_link"
            }
            return
        }
        let wrong = details.compactMap { detail -> (place: Int, issue: String?)? in
            Self.itemPlace(detail.railText("field")).map { ($0, detail.railText("issue")) }
        }.filter { lines.indices.contains($0.place) }
        if !wrong.isEmpty, lines.allSatisfy({ $0.state == .waiting }) {
            // Never taken in before, and refused for these: the rest goes out under the same key.
            answer.evidence = wrong.map { RailEvidence(line: lines[$0.place].id, verdict: .failed, code: answer.code, message: $0.issue) }
            answer.verdict = Set(wrong.map(\.place)).count == lines.count ? .settled : .notTaken(retryAfterMs: 0)
            return
        }
        answer.verdict = .stopped
        answer.isTrouble = true
    }

    // MARK: Asking

    /// What became of a batch: its items page by page. Each item speaks for itself, so pages that are missing change nothing.
    func ask(_ job: RailJob) async -> RailAnswer {
        guard let id = job.call.providerID else { return RailAnswer(verdict: .stopped, code: "no_batch") }
        let token: String
        switch await self.token(job) {
        case .failure(let refusal): return refusal.answer
        case .success(let known): token = known
        }
        let known = Dictionary(job.lines.map { ($0.id.text, $0) }, uniquingKeysWith: { first, _ in first })
        var answer = RailAnswer(verdict: .accepted(providerID: id))
        var seen = Set<RailLineID>()
        for page in 1...Self.pagesMax {
            let reply = await client.send(
                "GET", "\(base)/v1/payments/payouts/\(id)?page=\(page)&page_size=\(Self.itemsPerPage)&total_required=true",
                headers: [("authorization", "Bearer \(token)"), ("accept", "application/json")])
            guard case .answered(let status, let headers, let json) = reply else {
                answer.code = "no_answer"
                return answer
            }
            answer.status = Int64(status)
            guard status == 200, let json else {
                if status == 401 { tokens.forget(job.rail) }
                if status == 429 { answer.verdict = .notTaken(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now)) }
                answer.code = json?.railText("name") ?? "unreadable_answer"
                return answer
            }
            let items = json.railList("items") ?? []
            for item in items {
                guard let key = item.railText("payout_item", "sender_item_id"), let line = known[key], seen.insert(line.id).inserted else { continue }
                answer.evidence.append(Self.evidence(item, line, job.unit))
            }
            let batch = json.railText("batch_header", "batch_status")?.uppercased()
            answer.code = batch
            let hasMore = (json.railNumber("total_pages") ?? 0) > Int64(page) || (json.railList("links") ?? []).contains { $0.railText("rel") == "next" }
            guard hasMore, !items.isEmpty else {
                if batch == "DENIED" || batch == "CANCELED" {
                    // Not one of it was processed.
                    answer.evidence += job.lines.filter { !seen.contains($0.id) && $0.state != .paid }.map {
                        RailEvidence(line: $0.id, verdict: .failed, providerState: batch)
                    }
                }
                return answer
            }
        }
        return answer
    }

    static func evidence(_ item: JSONValue, _ line: RailJob.Line, _ unit: UnitCode) -> RailEvidence {
        let state = item.railText("transaction_status")?.uppercased()
        var evidence = RailEvidence(
            line: line.id, verdict: .accepted, providerID: item.railText("transaction_id") ?? item.railText("payout_item_id"), providerState: state,
            code: item.railText("errors", "name"), message: item.railText("errors", "message"))
        let amount = item["payout_item"]?["amount"]
        guard amount?.railText("currency") == unit.code, amount?.railText("value").flatMap({ PayPalAmount.minor($0, unit) }) == line.amountMinor else {
            evidence.verdict = .contrary
            evidence.code = "other_amount"
            return evidence
        }
        evidence.verdict =
            switch state {
            case "SUCCESS": .paid
            case "BLOCKED", "FAILED", "DENIED": .failed
            case "RETURNED", "REFUNDED", "REVERSED": .returned
            // PENDING, UNCLAIMED, ONHOLD, and what PayPal may say one day: its end is open.
            default: .accepted
            }
        return evidence
    }

    // MARK: Reading

    /// Of a link, the batch's id alone is taken: we ask PayPal, not whom an answer names.
    private static func linked(_ detail: JSONValue) -> String? {
        let links = (detail.railList("link") ?? []) + (detail.railList("links") ?? [])
        for link in links {
            guard let href = link.railText("href"), let range = href.range(of: "/v1/payments/payouts/") else { continue }
            if let id = batchID(String(href[range.upperBound...].prefix { $0 != "?" && $0 != "/" && $0 != "#" })) { return id }
        }
        return nil
    }

    private static func batchID(_ text: String) -> String? {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F })
            ? text : nil
    }

    /// `items[3].receiver` is the fourth.
    private static func itemPlace(_ field: String?) -> Int? {
        guard let field, let open = field.range(of: "items[") else { return nil }
        return Int(field[open.upperBound...].prefix { $0 != "]" })
    }

    // MARK: Who we are

    private struct Refusal: Error { var answer: RailAnswer }

    private func token(_ job: RailJob) async -> Result<String, Refusal> {
        if let known = tokens.find(job.rail, at: job.now) { return .success(known) }
        guard case .paypal(let clientID, _) = job.rail.settings, let secret = job.rail.secret else {
            return .failure(Refusal(answer: RailAnswer(verdict: .notTaken(), code: "not_connected", isTrouble: true)))
        }
        let basic = Data("\(clientID):\(secret)".utf8).base64EncodedString()
        let reply = await client.send(
            "POST", base + "/v1/oauth2/token",
            headers: [("authorization", "Basic \(basic)"), ("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")],
            body: Array("grant_type=client_credentials".utf8))
        guard case .answered(let status, let headers, let json) = reply else {
            return .failure(Refusal(answer: RailAnswer(verdict: .notTaken(), code: "no_answer")))
        }
        guard status == 200, let token = json?.railText("access_token"), !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            let isRefused = status == 400 || status == 401 || status == 403
            return .failure(
                Refusal(
                    answer: RailAnswer(
                        verdict: .notTaken(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: job.now)), status: Int64(status),
                        code: isRefused ? "credentials_refused" : "no_token", isTrouble: isRefused)))
        }
        tokens.keep(token, of: job.rail, forSeconds: json?.railNumber("expires_in") ?? 0, from: job.now)
        return .success(token)
    }
}
