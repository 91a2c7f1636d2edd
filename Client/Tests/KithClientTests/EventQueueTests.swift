import Foundation
import Testing

@testable import KithClient

/// What was added is told, once and in order, whatever happens in between.
@Suite struct EventQueueTests {
    private func folder() -> URL { FileManager.default.temporaryDirectory.appendingPathComponent("kith-queue-\(UUID().uuidString)") }

    private func client(_ transport: any HTTPTransport) throws -> KithClient {
        try KithClient(
            address: try #require(URL(string: "https://refer.example")), key: try #require(KithClient.Key("kith_pk_test")), retries: .once, timeoutSeconds: 5,
            allowsPlainHTTP: false, transport: transport, surroundings: .immediate)
    }

    private func lead(_ customer: String) -> QueuedFact { .lead(NewLead(eventName: "sign-up", customerExternalId: customer)) }

    private let taken = Scripted.Step.answer(HTTPAnswer(status: 201, body: Data(#"{"leadId":"lead_1","state":"counted"}"#.utf8)))

    private func refused(_ status: Int, code: String = "x") -> Scripted.Step {
        .answer(HTTPAnswer(status: status, body: Data(#"{"status":\#(status),"code":"\#(code)","detail":"No."}"#.utf8)))
    }

    private func customers(_ transport: Scripted) throws -> [String] {
        try transport.requests.map { try JSONCoding.decode(JSONValue.self, from: $0.body ?? Data())["customerExternalId"].text ?? "" }
    }

    @Test func whatWaitsOutlivesTheProcess() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let away = Scripted([.fail(.noAnswer("no network")), .fail(.noAnswer("no network"))])
        var queue: EventQueue? = try EventQueue(folder: folder, client: client(away))
        for name in ["a", "b", "c"] { try await queue?.add(lead(name), at: Date(timeIntervalSince1970: 1_800_000_000)) }
        let outcome = try await queue?.send()
        #expect(outcome == .waiting(sent: 0, left: 3, because: .unreachable(reason: "no network", tries: 1)))
        let key = away.requests.first?.headers["Idempotency-Key"]
        queue = nil

        let back = Scripted([taken, taken, taken, taken])
        let again = try EventQueue(folder: folder, client: client(back))
        try await again.add(lead("d"))
        #expect(try await again.send() == .empty(sent: 4))
        #expect(try customers(back) == ["a", "b", "c", "d"])
        // The first one may have arrived at its first try: it goes with the same key.
        #expect(back.requests.first?.headers["Idempotency-Key"] == key && key != nil)
        #expect(Set(back.requests.map { $0.headers["Idempotency-Key"] }).count == 4)
        #expect(try JSONCoding.decode(JSONValue.self, from: back.requests.first?.body ?? Data())["occurredAt"].text == "2027-01-15T08:00:00.000Z")
        #expect(await again.count == 0)
    }

    @Test func aFullQueueSaysSo() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let transport = Scripted([taken])
        let queue = try EventQueue(folder: folder, client: client(transport), waitingMax: 2)
        try await queue.add(lead("a"))
        try await queue.add(lead("b"))
        await #expect(throws: EventQueueFailure.full(waiting: 2)) { try await queue.add(lead("c")) }
        #expect(try await queue.send() == .waiting(sent: 1, left: 1, because: .unreachable(reason: "Nothing more is planned.", tries: 1)))
        try await queue.add(lead("c"))
        let long = String(repeating: "x", count: EventQueue.eventBytesMax)
        let small = try EventQueue(folder: folder.appendingPathComponent("other"), client: client(transport))
        await #expect(throws: (any Error).self) { try await small.add(lead(long)) }
        #expect(await small.count == 0)
    }

    @Test func whatIsRefusedForGoodLiesAside() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let transport = Scripted([refused(422), taken, refused(401), taken, taken])
        let queue = try EventQueue(folder: folder, client: client(transport))
        for name in ["bad", "b", "c"] { try await queue.add(lead(name)) }
        // A wrong key is not the fact's fault: it waits.
        guard case .waiting(sent: 1, left: 1, because: .refused(let problem)) = try await queue.send() else {
            Issue.record("not as planned")
            return
        }
        #expect(problem.kind == .unauthorized)
        let aside = try await queue.refused()
        #expect(aside.map(\.fact) == [lead("bad").dated(aside[0].queuedAt)] && aside.first?.refusal?.status == 422)
        #expect(try await queue.send() == .empty(sent: 1))
        #expect(try customers(transport) == ["bad", "b", "c", "c"])
        try await queue.discard(aside[0].id)
        #expect(try await queue.refused().isEmpty)
    }

    @Test func tooManyRefusedOnesStopIt() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let queue = try EventQueue(folder: folder, client: client(Scripted([refused(422), refused(422), taken])), refusedMax: 2)
        for name in ["a", "b", "c"] { try await queue.add(lead(name)) }
        #expect(try await queue.send() == .blocked(sent: 0, left: 1))
        try await queue.discard(1)
        #expect(try await queue.send() == .empty(sent: 1))
    }

    @Test func oneQueueHoldsAFolder() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let client = try client(Scripted([]))
        let queue = try EventQueue(folder: folder, client: client)
        #expect(throws: EventQueueFailure.inUse(folder: folder.path)) { try EventQueue(folder: folder, client: client) }
        _ = await queue.count
    }

    @Test func damageIsNotPassedOver() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let transport = Scripted([taken, taken])
        let queue = try EventQueue(folder: folder, client: client(transport))
        try await queue.add(lead("a"))
        try await queue.add(lead("b"))
        try Data("{".utf8).write(to: folder.appendingPathComponent("0000000000000000001.waiting.json"))
        await #expect(throws: EventQueueFailure.self) { try await queue.send() }
        #expect(transport.requests.isEmpty)
        #expect(await queue.count == 2)
    }

    #if canImport(Glibc)
    /// Killed with -9 while it adds: every event whose number was given is there, whole, in order, without a gap.
    @Test(arguments: [40, 90, 170]) func aKillLosesNothing(_ given: Int) async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("queue-filler")
        let fallback = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../.build/debug/queue-filler").standardized
        let process = Process()
        process.executableURL = FileManager.default.isExecutableFile(atPath: program.path) ? program : fallback
        process.arguments = [folder.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var said = Data()
        while said.count(where: { $0 == 0x0A }) < given {
            let part = output.fileHandleForReading.availableData
            if part.isEmpty { break }
            said += part
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        said += output.fileHandleForReading.readDataToEndOfFile()
        let numbers = String(decoding: said, as: UTF8.self).split(separator: "\n").compactMap { Int64($0) }
        #expect(numbers.count >= given)
        let queue = try EventQueue(folder: folder, client: client(Scripted([])), waitingMax: 100_000)
        let count = await queue.count
        // One more may be on disk whose number was not said yet.
        #expect((numbers.count...numbers.count + 1).contains(count))
        let sent = Scripted(Array(repeating: taken, count: count))
        _ = consume queue
        let again = try EventQueue(folder: folder, client: client(sent), waitingMax: 100_000)
        #expect(try await again.send() == .empty(sent: count))
        #expect(Set(sent.requests.map { $0.headers["Idempotency-Key"] }).count == count)
    }
    #endif
}
