import Chronology
import Money
import Persistence
import Web

/// What a provider is to be told or asked, with all that it takes.
struct RailJob: Sendable {
    struct Line: Sendable {
        var id: RailLineID
        var memberID: MemberID
        var amountMinor: Int64
        var state: RailLine.State
        /// Nil when it can't be read any more, or nothing is to be paid.
        var destination: RailDestination?
    }

    var call: RailCall
    var lines: [Line]
    var unit: UnitCode
    var rail: Rail
    var programName: String
    /// The world's time.
    var now: Instant

    /// What can be sent: of lines to be paid alone, the destination is known.
    var payable: [Line] { lines.filter { $0.destination != nil } }
}

/// What came of a call.
struct RailAnswer: Sendable {
    enum Verdict: Sendable, Equatable {
        /// The provider has it; its end is asked for later.
        case accepted(providerID: String?)
        /// Nobody knows whether it was taken in.
        case unclear(retryAfterMs: Int64? = nil)
        /// Surely not taken in this time; the same may be sent again.
        case notTaken(retryAfterMs: Int64? = nil)
        /// Not taken in, and not sent again before people have looked.
        case stopped
        /// Each line has its evidence.
        case settled
    }

    var verdict: Verdict
    var evidence: [RailEvidence] = []
    var status: Int64?
    /// The provider's word, or ours.
    var code: String?
    /// What people must look at in the rail's settings.
    var isTrouble = false
}

/// Requests to one provider, through the guard of the installation.
struct RailClient: Sendable {
    let outbound: Outbound
    let timeoutMs: Int
    let userAgent = (name: "user-agent", value: "Kith-Payouts/1")

    enum Reply: Sendable {
        case answered(status: Int, headers: [String: String], json: JSONValue?)
        case lost(reason: String)
    }

    func send(_ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8] = []) async -> Reply {
        let request = Outbound.Request(
            method: method, url: url, headers: headers + [userAgent], body: body, timeoutMs: timeoutMs, answerBytesMax: RailPace.answerBytesMax,
            encryptsUnlessAllowed: true)
        switch await outbound.send(request) {
        case .failed(let reason): return .lost(reason: reason)
        case .answered(let status, let headers, let body):
            return .answered(status: status, headers: headers, json: try? JSONValue.parse(body, maximumBytes: RailPace.answerBytesMax))
        }
    }
}

extension JSONValue {
    /// The text of a member, of a provider's answer.
    func railText(_ names: String...) -> String? {
        var value: JSONValue? = self
        for name in names { value = value?[name] }
        if case .text(let text)? = value { return text }
        return nil
    }

    func railNumber(_ name: String) -> Int64? {
        if case .number(let number)? = self[name] { return number.integer }
        return nil
    }

    func railList(_ name: String) -> [JSONValue]? {
        if case .array(let elements)? = self[name] { return elements }
        return nil
    }
}
