import CNIOLinux
import Dispatch
import Foundation
import Synchronization

/// A real name server for tests: UDP and TCP on one free port of this machine, with the records that a test gives it.
final class DNSServer: Sendable {
    enum Record: Sendable {
        case a(String)
        case cname(String)
        case txt(String)
    }

    enum Manner: Sendable { case answers, isSilent, fails, saysWrongID }

    private struct Zone {
        /// By name and kind: answers, one after the other; the last stays.
        var answers: [String: [[Record]]] = [:]
        var manner = Manner.answers
        var asked: [String] = []
        var tcpCount = 0
    }

    let port: UInt16
    private let zone = Mutex(Zone())
    private let udp: Int32
    private let tcp: Int32

    var setting: String { "127.0.0.1:\(port)" }
    var asked: [String] { zone.withLock { $0.asked } }
    var tcpCount: Int { zone.withLock { $0.tcpCount } }

    init() throws {
        var found: (Int32, Int32, UInt16)?
        for _ in 0..<20 where found == nil {
            let tcp = socket(AF_INET, 1, 0)
            let udp = socket(AF_INET, 2, 0)
            if let port = Self.bound(tcp, 0), Self.bound(udp, port) != nil, listen(tcp, 8) == 0 {
                found = (udp, tcp, port)
            } else {
                close(tcp)
                close(udp)
            }
        }
        guard let (udp, tcp, port) = found else { throw POSIXError(.EADDRINUSE) }
        (self.udp, self.tcp, self.port) = (udp, tcp, port)
        let queue = DispatchQueue(label: "kith.test.dns", attributes: .concurrent)
        queue.async { [self] in serveUDP() }
        queue.async { [self] in serveTCP() }
    }

    func stop() {
        shutdown(udp, Int32(SHUT_RDWR))
        shutdown(tcp, Int32(SHUT_RDWR))
    }

    func set(_ name: String, _ records: Record...) { set(name, answers: [records]) }

    /// One answer after the other, as a server that changes its mind gives them.
    func set(_ name: String, answers: [[Record]]) {
        zone.withLock { zone in
            for kind in [UInt16(1), 5, 16] { zone.answers["\(name) \(kind)"] = nil }
            for answer in answers {
                for kind in [UInt16(1), 16] {
                    let fitting = answer.filter { Self.kind($0) == kind || Self.kind($0) == 5 }
                    if !fitting.isEmpty || answer.isEmpty { zone.answers["\(name) \(kind)", default: []].append(fitting) }
                }
            }
        }
    }

    func behave(_ manner: Manner) { zone.withLock { $0.manner = manner } }

    private func serveUDP() {
        while true {
            var buffer = [UInt8](repeating: 0, count: 2_048)
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(udp, &buffer, buffer.count, 0, $0, &length) }
            }
            guard count > 0 else { return }
            guard let answer = answer(Array(buffer[..<count]), mayCut: true) else { continue }
            _ = withUnsafePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(udp, answer, answer.count, 0, $0, length) }
            }
        }
    }

    private func serveTCP() {
        while true {
            let connection = accept(tcp, nil, nil)
            guard connection >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 2_048)
            let count = recv(connection, &buffer, buffer.count, 0)
            zone.withLock { $0.tcpCount += 1 }
            if count > 2, let answer = answer(Array(buffer[2..<count]), mayCut: false) {
                let sent = [UInt8(answer.count >> 8), UInt8(answer.count & 255)] + answer
                send(connection, sent, sent.count, 0)
            }
            close(connection)
        }
    }

    private func answer(_ question: [UInt8], mayCut: Bool) -> [UInt8]? {
        var (labels, place) = ([String](), 12)
        while place < question.count, question[place] > 0 {
            let count = Int(question[place])
            labels.append(String(decoding: question[(place + 1)..<(place + 1 + count)], as: UTF8.self))
            place += count + 1
        }
        let kind = UInt16(question[place + 1]) << 8 | UInt16(question[place + 2])
        let name = labels.joined(separator: ".")
        let (manner, records) = zone.withLock { zone -> (Manner, [Record]?) in
            zone.asked.append("\(name) \(kind)")
            let key = "\(name) \(kind)"
            guard var left = zone.answers[key], let next = left.first else {
                return (zone.manner, zone.answers.keys.contains { $0.hasPrefix(name + " ") } ? [] : nil)
            }
            if left.count > 1 {
                left.removeFirst()
                zone.answers[key] = left
            }
            return (zone.manner, next)
        }
        if manner == .isSilent { return nil }
        var head = Array(question[..<2])
        if manner == .saysWrongID { head[0] ^= 0xFF }
        let code: UInt8 = manner == .fails ? 2 : records == nil ? 3 : 0
        let body = (records ?? []).map { record -> [UInt8] in
            let data: [UInt8]
            switch record {
            case .a(let address): data = address.split(separator: ".").compactMap { UInt8($0) }
            case .cname(let target): data = target.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
            case .txt(let text):
                let bytes = Array(text.utf8)
                data = stride(from: 0, to: max(bytes.count, 1), by: 255).flatMap { start -> [UInt8] in
                    let piece = bytes[start..<min(start + 255, bytes.count)]
                    return [UInt8(piece.count)] + piece
                }
            }
            return [0xC0, 12] + Self.two(Self.kind(record)) + [0, 1, 0, 0, 0, 60] + Self.two(UInt16(data.count)) + data
        }
        let isCut = mayCut && body.joined().count > 1_100
        let shown = isCut ? [] : body
        return head + [0x81 | (isCut ? 2 : 0), 0x80 | code] + [0, 1] + Self.two(UInt16(shown.count)) + [0, 0, 0, 0] + question[12..<(place + 5)] + shown.joined()
    }

    private static func kind(_ record: Record) -> UInt16 {
        switch record {
        case .a: 1
        case .cname: 5
        case .txt: 16
        }
    }

    private static func two(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

    private static func bound(_ descriptor: Int32, _ port: UInt16) -> UInt16? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
}
