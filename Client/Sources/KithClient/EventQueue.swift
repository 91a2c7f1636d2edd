public import Foundation

/// What can wait in an ``EventQueue``.
public enum QueuedFact: Sendable, Equatable, Codable {
    case click(NewClick)
    case lead(NewLead)
    case sale(NewSale)
    case refund(NewRefund)
}

/// A fact in the queue.
public struct QueuedEvent: Sendable, Equatable, Codable, Identifiable {
    /// Its place in the order, from 1.
    public let id: Int64
    public let fact: QueuedFact
    /// Goes with every try, so that the server takes the fact once.
    public let idempotencyKey: IdempotencyKey
    public let queuedAt: Date
    /// Why the server will not take it; nil while it waits.
    public internal(set) var refusal: Problem?
}

/// Why a fact was not taken into the queue, or the queue can't work.
public enum EventQueueFailure: Error, Sendable, Equatable {
    /// So many wait already. Nothing was dropped, and this one was not taken.
    case full(waiting: Int)
    /// The fact is larger than ``EventQueue/eventBytesMax``.
    case tooLarge(bytes: Int)
    /// Another process, or another queue in this one, has the folder open.
    case inUse(folder: String)
    /// The disk did not do what it should; with its sentence.
    case storage(String)
}

/// Facts that shall reach Kith though there is no network now: for apps on phones, and for shops whose sale must not wait.
///
/// A fact is on disk before ``add(_:at:)`` returns, and stays there until the server has taken it: through crashes and restarts. Facts are sent in
/// the order in which they were added, one at a time. The server knows each by an idempotency key of its own, so that one whose answer was lost is
/// not taken twice. The server keeps such keys for 24 hours. After that sales, refunds and leads are still known by their own ids; a click is not, and
/// one whose answer was lost and that is sent again more than a day later counts twice. Nothing is dropped silently: a full queue refuses the next fact, and a fact that the server refuses for good is kept aside, with
/// the reason, until you have looked at it (``refused()``, ``discard(_:)``).
///
/// In an app use a publishable key: it may tell clicks and leads. Call ``send()`` when the app comes to the front and when the network is back.
public actor EventQueue {
    /// How a round of sending ended.
    public enum Outcome: Sendable, Equatable {
        /// Nothing waits any more.
        case empty(sent: Int)
        /// Some wait on; try later.
        case waiting(sent: Int, left: Int, because: KithError)
        /// Too many refused ones lie aside: look at them first.
        case blocked(sent: Int, left: Int)
    }

    public static let eventBytesMax = 64 * 1024

    public nonisolated let folder: URL
    private let client: KithClient
    private let waitingMax: Int
    private let refusedMax: Int
    private let store: EventFiles
    private var waiting: [Int64]
    private var aside: [Int64]
    private var nextID: Int64
    private var isSending = false

    /// Opens the queue in a folder of its own, or makes it.
    /// - Parameters:
    ///   - folder: for this queue alone.
    ///   - client: what tells the facts.
    ///   - waitingMax: how many may wait.
    ///   - refusedMax: how many refused ones may lie aside before sending stops.
    public init(folder: URL, client: KithClient, waitingMax: Int = 1_000, refusedMax: Int = 100) throws(EventQueueFailure) {
        self.folder = folder
        self.client = client
        self.waitingMax = max(1, waitingMax)
        self.refusedMax = max(1, refusedMax)
        store = try EventFiles(folder: folder)
        (waiting, aside) = try store.list()
        nextID = max(waiting.last ?? 0, aside.last ?? 0, try store.lastID()) + 1
    }

    /// How many wait.
    public var count: Int { waiting.count }

    /// Puts a fact on disk. When this returns, it will be told.
    @discardableResult
    public func add(_ fact: QueuedFact, at time: Date = Date()) throws(EventQueueFailure) -> QueuedEvent {
        guard waiting.count < waitingMax else { throw .full(waiting: waiting.count) }
        let event = QueuedEvent(id: nextID, fact: fact.dated(time), idempotencyKey: IdempotencyKey(), queuedAt: time, refusal: nil)
        let bytes = try EventFiles.encode(event)
        guard bytes.count <= Self.eventBytesMax else { throw .tooLarge(bytes: bytes.count) }
        try store.write(bytes, id: event.id, isRefused: false)
        nextID += 1
        waiting.append(event.id)
        return event
    }

    /// Tells the server what waits, in order, until nothing does or something is in the way. A second call while one runs does nothing.
    public func send() async throws(EventQueueFailure) -> Outcome {
        guard !isSending else { return .waiting(sent: 0, left: waiting.count, because: .invalid(reason: "The queue is being sent already.")) }
        isSending = true
        defer { isSending = false }
        var sent = 0
        while let id = waiting.first {
            guard aside.count < refusedMax else { return .blocked(sent: sent, left: waiting.count) }
            var event = try store.read(id, isRefused: false)
            if let failure = await tell(event) {
                guard case .refused(let problem) = failure, problem.isFinal else {
                    return .waiting(sent: sent, left: waiting.count, because: failure)
                }
                event.refusal = problem
                // Aside first: killed in between it is told and refused once more.
                try store.write(try EventFiles.encode(event), id: id, isRefused: true)
                if !aside.contains(id) { aside.append(id) }
            } else {
                sent += 1
            }
            try store.remove(id, isRefused: false)
            waiting.removeFirst()
        }
        return .empty(sent: sent)
    }

    /// The facts that the server will not take, with its reasons, oldest first.
    public func refused() throws(EventQueueFailure) -> [QueuedEvent] {
        var events: [QueuedEvent] = []
        for id in aside { events.append(try store.read(id, isRefused: true)) }
        return events
    }

    /// Forgets a refused fact.
    public func discard(_ id: QueuedEvent.ID) throws(EventQueueFailure) {
        guard let index = aside.firstIndex(of: id) else { return }
        try store.remove(id, isRefused: true)
        aside.remove(at: index)
    }

    /// Nil when the server has taken it.
    private func tell(_ event: QueuedEvent) async -> KithError? {
        do throws(KithError) {
            switch event.fact {
            case .click(let click): _ = try await client.track(click, idempotencyKey: event.idempotencyKey)
            case .lead(let lead): _ = try await client.track(lead, idempotencyKey: event.idempotencyKey)
            case .sale(let sale): _ = try await client.track(sale, idempotencyKey: event.idempotencyKey)
            case .refund(let refund): _ = try await client.track(refund, idempotencyKey: event.idempotencyKey)
            }
            return nil
        } catch {
            // The server has it; only the answer is of a newer kind.
            if case .unreadable(let status, _) = error, (200...299).contains(status) { return nil }
            return error
        }
    }
}

extension QueuedFact {
    /// When it happened, where it doesn't say so: it may be told much later.
    func dated(_ time: Date) -> QueuedFact {
        switch self {
        case .click(var click):
            click.occurredAt = click.occurredAt ?? time
            return .click(click)
        case .lead(var lead):
            lead.occurredAt = lead.occurredAt ?? time
            return .lead(lead)
        case .sale(var sale):
            sale.occurredAt = sale.occurredAt ?? time
            return .sale(sale)
        case .refund(var refund):
            refund.occurredAt = refund.occurredAt ?? time
            return .refund(refund)
        }
    }
}

extension Problem {
    /// The fact is at fault, not the time, the key or the way: no later try would fare better.
    var isFinal: Bool {
        switch kind {
        // Without a code it was no Kith that answered, but a proxy, or another server at this address.
        case .conflict, .invalid, .notFound: code != Self.unknownCode && !isWorthAnotherTry
        case .unauthorized, .forbidden, .limited, .unavailable, .other: false
        }
    }
}
