import ArgumentParser
import Foundation
import Web

struct MCPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp", abstract: "Let a model's program ask a Kith server: the Model Context Protocol on standard input and output.",
        discussion: "The key comes from KITH_KEY or a file, never from the command line. It decides what the tools may see and do.")

    @Option(help: "The server's address (default: KITH_URL, or http://127.0.0.1:8080).") var url: String?
    @Option(help: "A file with the secret key (default: the environment's KITH_KEY).") var keyFile: String?
    @Flag(help: "Also list the tools that write; each asks for a confirmation first.") var write = false
    @Flag(help: "Allow plain http to other machines, in a private network.") var plainHttp = false

    func run() async throws {
        try await plainly {
            let environment = ProcessInfo.processInfo.environment
            let address = url ?? environment["KITH_URL"] ?? "http://127.0.0.1:8080"
            let key = try keyFile.map { try String(contentsOfFile: $0, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines) } ?? environment["KITH_KEY"]
            let remote = try MCPRemote(address: address, key: key.flatMap { $0.isEmpty ? nil : $0 }, allowsPlainHTTP: plainHttp)
            var server = MCPServer(
                tools: MCPTools.reading + (write ? MCPTools.writing : []),
                calls: MCPCalls(server: remote, nowMs: { Int64(ProcessInfo.processInfo.systemUptime * 1_000) }))
            var lines = MCPLines(bytesMax: MCPServer.messageBytesMax)
            while let line = lines.next() {
                let answer: JSONValue? =
                    switch line {
                    case .whole(let bytes): await server.answer(to: bytes)
                    case .tooLong:
                        MCPFailure.invalidRequest("A message may have \(MCPServer.messageBytesMax) bytes; this one was longer and was not read.").answer(to: .null)
                    }
                guard let answer else { continue }
                try FileHandle.standardOutput.write(contentsOf: Data(answer.bytes + [0x0A]))
            }
        }
    }
}

/// Lines of standard input; of one that is too long nothing is kept.
struct MCPLines {
    enum Line { case whole([UInt8]), tooLong }

    let bytesMax: Int
    private var waiting: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Nil at the end. Empty lines are passed over.
    mutating func next() -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        while true {
            if start == waiting.count {
                if isAtEnd { return line.isEmpty ? nil : isTooLong ? .tooLong : .whole(line) }
                refill()
                continue
            }
            let end = waiting[start...].firstIndex(of: 0x0A)
            let part = waiting[start..<(end ?? waiting.count)]
            if line.count + part.count > bytesMax { isTooLong = true }
            line = isTooLong ? [0] : line + part
            start = end.map { $0 + 1 } ?? waiting.count
            guard end != nil else { continue }
            if isTooLong { return .tooLong }
            if line.last == 0x0D { line.removeLast() }
            if !line.isEmpty { return .whole(line) }
        }
    }

    private mutating func refill() {
        let data = FileHandle.standardInput.availableData
        isAtEnd = data.isEmpty
        waiting = Array(data)
        start = 0
    }
}
