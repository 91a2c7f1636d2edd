#if canImport(Glibc)
import Foundation
import Glibc
import Synchronization

/// A web server of one's own on this machine that does what real ones do on bad days.
final class MisbehavingServer: Sendable {
    enum Step: Sendable {
        case answer(status: Int, headers: [String], body: String)
        /// Reads the request and hangs up.
        case hangUp
        /// Hands the request to the server at this port, waits for its answer, and hangs up: done, and not told.
        case doAndHangUp(port: UInt16)
        /// Hands the request on, and the answer back.
        case handOn(port: UInt16)
        /// Half an answer.
        case breakOff
        /// Says nothing until the other side goes.
        case keepSilent
    }

    struct Seen: Sendable {
        var head: String
        var body: String

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) }
        }
    }

    let port: UInt16
    private let listener: Int32
    private let state: Mutex<(steps: [Step], seen: [Seen])>

    /// Takes the steps in order, one for each connection, the last one again and again.
    init(_ steps: [Step]) throws {
        state = Mutex((steps, []))
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listening, generic, size) == 0 && listen(listening, 16) == 0 && getsockname(listening, generic, &size) == 0
            }
        }
        guard bound else { throw Broken(what: "no port") }
        listener = listening
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [weak self] in
            while let listener = self?.listener {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                self?.serve(connection)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    struct Broken: Error { var what: String }

    var address: URL { get throws { try URL(string: "http://127.0.0.1:\(port)") ?? { throw Broken(what: "address") }() } }
    var seen: [Seen] { state.withLock { $0.seen } }

    private func serve(_ connection: Int32) {
        guard let request = Self.message(from: connection) else {
            close(connection)
            return
        }
        let parts = String(decoding: request, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        let step = state.withLock { state in
            state.seen.append(Seen(head: parts[0], body: parts.dropFirst().joined(separator: "\r\n\r\n")))
            return state.steps.count > 1 ? state.steps.removeFirst() : state.steps.first ?? .hangUp
        }
        switch step {
        case .answer(let status, let headers, let body):
            let head = (["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count)", "Content-Type: application/problem+json", "Connection: close"] + headers)
            Self.write(Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), to: connection)
        case .hangUp: break
        case .doAndHangUp(let port): _ = Self.hand(request, to: port)
        case .handOn(let port): Self.write(Self.hand(request, to: port), to: connection)
        case .breakOff: Self.write(Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"saleId\":".utf8), to: connection)
        case .keepSilent:
            var byte: UInt8 = 0
            while read(connection, &byte, 1) > 0 {}
        }
        close(connection)
    }

    /// What another server answers, to the last byte.
    private static func hand(_ request: [UInt8], to port: UInt16) -> [UInt8] {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = loopback(port: port)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else { return [] }
        write(request, to: connection)
        return message(from: connection) ?? []
    }

    /// A request or an answer with its body, whose length its head names, or that comes in chunks.
    private static func message(from connection: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 1 << 22 {
            let count = read(connection, &part, part.count)
            guard count > 0 else { return bytes.isEmpty ? nil : bytes }
            bytes += part[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let head = text[..<end.lowerBound].lowercased()
            let bodyCount = bytes.count - text[..<end.upperBound].utf8.count
            if head.contains("transfer-encoding: chunked") {
                if text.hasSuffix("0\r\n\r\n") { return bytes }
                continue
            }
            let length = head.components(separatedBy: "\r\n").first { $0.hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
            if bodyCount >= length ?? 0 { return bytes }
        }
        return bytes
    }

    private static func write(_ bytes: [UInt8], to connection: Int32) {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            start += count
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }
}
#endif
