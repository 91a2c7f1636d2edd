import Chronology
import Persistence

enum WebhookDeliveryKind: Identified { static let prefix = "dlv_" }
typealias WebhookDeliveryID = Identifier<WebhookDeliveryKind>

/// One event on its way to one endpoint, and how its last try went.
struct WebhookDelivery: Sendable {
    enum State: String, Sendable, CaseIterable { case waiting, delivered, failed }

    var id: WebhookDeliveryID
    var workspaceID: WorkspaceID
    var endpointID: WebhookID
    var eventID: EventID
    var eventType: String
    var state: State
    var tries: Int64
    var dueAt: Instant?
    var createdAt: Instant
    var triedAt: Instant?
    var durationMs: Int64?
    /// What HTTP said; nil when there was no answer.
    var status: Int64?
    var answerSealed: [UInt8]?
    /// Why there was none, as a sentence.
    var failure: String?
}

extension WebhookDelivery {
    static let triesMax: Int64 = 10
    /// What is left of an answer.
    static let answerCharactersMax = 500
    /// How much of an answer is read; the rest is left unread.
    static let answerBytesMax = 16 * 1024
    static let timeoutMs = 10_000
    /// While one process tries it, no other does; a process that dies gives it back after this.
    static let leaseMs: Int64 = 45_000
    /// How long deliveries are listed.
    static let keptMs: Int64 = 30 * 86_400_000
    /// The longest wait that an endpoint may ask for.
    static let retryAfterMaxMs: Int64 = 24 * 3_600_000

    /// The waits between ten tries: seconds first, then hours; three days in all.
    static let pausesMs: [Int64] = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 72_000, 122_000].map { $0 * 1_000 }
    /// Waits differ by up to a tenth, so that what failed together does not come back together.
    static let jitterParts: Int64 = 10

    /// When it is tried again; nil when that was the last time.
    static func pauseMs(afterTries tries: Int64, retryAfterMs: Int64?, world: World) -> Int64? {
        guard tries >= 1, tries < triesMax, tries <= pausesMs.count else { return nil }
        let pause = pausesMs[Int(tries) - 1]
        let spread = pause / jitterParts
        let jittered = pause - spread + Int64(world.random.below(UInt64(2 * spread + 1)))
        return max(jittered, min(retryAfterMs ?? 0, retryAfterMaxMs))
    }
}

/// How a try ended.
struct WebhookAttempt: Sendable {
    enum Verdict: Sendable, Equatable {
        case delivered
        /// 410: it wants nothing any more.
        case gone
        case failed(retryAfterMs: Int64?)
    }

    var verdict: Verdict
    var triedAt: Instant
    var durationMs: Int64
    var status: Int64?
    var answer: String?
    var failure: String?

    init(_ outcome: Outbound.Outcome, from began: Instant, until ended: Instant) {
        triedAt = began
        durationMs = max(0, ended.millisecondsClamped(since: began))
        switch outcome {
        case .answered(let status, let headers, let body):
            self.status = Int64(status)
            answer = Self.excerpt(body)
            switch status {
            case 200..<300: verdict = .delivered
            case 410: verdict = .gone
            default: verdict = .failed(retryAfterMs: RetryAfter.ms(headers["retry-after"], now: ended))
            }
        case .failed(let reason):
            failure = reason
            verdict = .failed(retryAfterMs: nil)
        }
    }

    /// The beginning of an answer, on as few lines as it has, without what is no text.
    private static func excerpt(_ body: [UInt8]) -> String? {
        let text = String(decoding: body.prefix(WebhookDelivery.answerCharactersMax * 4), as: UTF8.self)
        let shown = text.unicodeScalars.filter { $0 == "\n" || ($0.properties.generalCategory != .control && $0 != "\u{FFFD}") }
        let start = String(String.UnicodeScalarView(shown.prefix(WebhookDelivery.answerCharactersMax)))
        return start.isEmpty ? nil : start
    }
}

/// The wait that an answer asks for: seconds, or a day and time (RFC 9110).
enum RetryAfter {
    static func ms(_ text: String?, now: Instant) -> Int64? {
        guard let text else { return nil }
        if text.utf8.count <= 9, !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text).map { $0 * 1_000 } }
        guard let at = instant(text) else { return nil }
        return max(0, at.millisecondsClamped(since: now))
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Sun, 06 Nov 1994 08:49:37 GMT
    private static func instant(_ text: String) -> Instant? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])), parts[1].count == 2 else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return try? Instant(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
