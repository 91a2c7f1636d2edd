import CNIOLinux
import Dispatch
import Foundation

/// Asks the name servers of this machine: over UDP, and over TCP where the answer was cut. Nothing is remembered.
struct DNSClient: Sendable {
    struct Server: Sendable, Hashable {
        var address: String
        var port: UInt16 = 53

        /// `9.9.9.9`, `9.9.9.9:5353`, `[2620:fe::fe]:53` or `2620:fe::fe`.
        init?(_ text: String) {
            if AddressRange.bytes(text) != nil {
                address = text
                return
            }
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
            let address = text[..<colon].filter { $0 != "[" && $0 != "]" }
            guard AddressRange.bytes(address) != nil else { return nil }
            (self.address, self.port) = (address, port)
        }
    }

    enum Outcome: Sendable, Hashable {
        /// Empty: the name is there, but not with such records.
        case records([DNSMessage.Record])
        case noSuchName
        /// A sentence for people.
        case failed(String)
    }

    static let serversMax = 3
    static let timeoutMs = 2_000
    /// Rounds over all servers.
    static let rounds = 2
    private static let queue = DispatchQueue(label: "kith.dns", attributes: .concurrent)
    private static let slots = DispatchSemaphore(value: 8)

    let servers: [Server]

    /// The servers that are named, or those that the machine itself asks.
    init(_ named: [Server]) {
        servers = Array((named.isEmpty ? Self.system() : named).prefix(Self.serversMax))
    }

    func look(up name: String, _ kind: DNSMessage.Kind) async -> Outcome {
        let name = name.lowercased()
        return await withCheckedContinuation { continuation in
            Self.queue.async { [servers] in
                Self.slots.wait()
                defer { Self.slots.signal() }
                continuation.resume(returning: Self.ask(servers, name, kind))
            }
        }
    }

    private static func ask(_ servers: [Server], _ name: String, _ kind: DNSMessage.Kind) -> Outcome {
        guard !servers.isEmpty else { return .failed("No name server is set on this machine (/etc/resolv.conf).") }
        var failure = "The name servers did not answer in time."
        for _ in 0..<rounds {
            for server in servers {
                let id = UInt16.random(in: .min ... .max)
                guard let question = DNSMessage.question(name, kind, id: id) else { return .failed("\(name) is no name that can be looked up.") }
                func fits(_ answer: DNSMessage.Answer) -> Bool {
                    answer.id == id && answer.question.name == name.lowercased() && answer.question.kind == kind.rawValue
                }
                guard var answer = exchange(question, with: server, overTCP: false, fits) else { continue }
                if answer.isCut { answer = exchange(question, with: server, overTCP: true, fits) ?? answer }
                switch answer.code {
                case 0: return .records(answer.records)
                case 3: return .noSuchName
                default: failure = "The name servers could not answer for \(name) (code \(answer.code))."
                }
            }
        }
        return .failed(failure)
    }

    // SOCK_DGRAM and SOCK_STREAM, IPPROTO aside: Linux's headers declare them as an enumeration, which release builds don't find.
    private static let datagrams: Int32 = 2
    private static let stream: Int32 = 1

    private static func exchange(_ question: [UInt8], with server: Server, overTCP: Bool, _ fits: (DNSMessage.Answer) -> Bool) -> DNSMessage.Answer? {
        guard let bytes = AddressRange.bytes(server.address) else { return nil }
        let descriptor = socket(bytes.count == 4 ? AF_INET : AF_INET6, overTCP ? stream : datagrams, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: timeoutMs / 1_000, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
        guard connects(descriptor, bytes, server.port) else { return nil }
        let sent = overTCP ? [UInt8(question.count >> 8), UInt8(question.count & 255)] + question : question
        guard send(descriptor, sent, sent.count, 0) == sent.count else { return nil }
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(timeoutMs) * 1_000_000
        if overTCP {
            guard let head = receive(descriptor, exactly: 2), let body = receive(descriptor, exactly: Int(head[0]) << 8 | Int(head[1])) else { return nil }
            return DNSMessage.read(body).flatMap { fits($0) ? $0 : nil }
        }
        // What is no answer to this question is passed over, until time is up.
        while DispatchTime.now().uptimeNanoseconds < deadline {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            if let answer = DNSMessage.read(Array(buffer[..<count])), fits(answer) { return answer }
        }
        return nil
    }

    private static func receive(_ descriptor: Int32, exactly count: Int) -> [UInt8]? {
        var received: [UInt8] = []
        while received.count < count {
            var buffer = [UInt8](repeating: 0, count: count - received.count)
            let more = recv(descriptor, &buffer, buffer.count, 0)
            guard more > 0 else { return nil }
            received += buffer[..<more]
        }
        return received
    }

    private static func connects(_ descriptor: Int32, _ bytes: [UInt8], _ port: UInt16) -> Bool {
        if bytes.count == 4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
            }
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0 }
        }
    }

    private static func system() -> [Server] {
        let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count >= 2 && words[0] == "nameserver" ? Server(String(words[1])) : nil
        }
    }
}

extension DNSClient.Outcome {
    var texts: [String] { contents { if case .text(let text) = $0 { text } else { nil } } }
    var names: [String] { contents { if case .name(let name) = $0 { name } else { nil } } }
    var addresses: [String] { contents { if case .address(let address) = $0 { address } else { nil } } }
    var failure: String? { if case .failed(let reason) = self { reason } else { nil } }

    private func contents(_ read: (DNSMessage.Content) -> String?) -> [String] {
        if case .records(let records) = self { records.compactMap { read($0.content) } } else { [] }
    }
}
