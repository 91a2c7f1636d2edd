import Foundation
import Web

/// One line on standard error that is drawn anew while a command works; only where somebody looks at it.
enum ProgressLine {
    /// Between two looks.
    static let pauseMs = 200
    private static let barWidth = 24

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Runs a writing command, here or by the server that has the database, and follows it.
    static func following(_ name: String, _ arguments: [JSONMember], _ settings: Settings) async throws -> JSONValue {
        guard isTerminal else { return try await Commands.write(name, .object(arguments), settings) }
        let token = UUID().uuidString
        return try await drawing({ try? await CommandClient.send("progress", ["follow": .text(token)], socket: settings.socketPath) }) {
            try await Commands.write(name, .object(arguments + [JSONMember("follow", .text(token))]), settings)
        }
    }

    /// Runs work of this process and follows it. `ask` tells how far a server is that does the work instead.
    static func drawing<T: Sendable>(
        _ ask: @escaping @Sendable () async -> JSONValue? = { nil }, _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        guard isTerminal else { return try await work() }
        let progress = LongWork()
        let drawing = Task {
            var isDrawn = false
            while !Task.isCancelled {
                if let text = await line(progress, ask) {
                    show("\r\(text)\u{1B}[K")
                    isDrawn = true
                }
                try? await Task.sleep(for: .milliseconds(pauseMs))
            }
            if isDrawn { show("\r\u{1B}[K") }
        }
        let result: Result<T, any Error>
        do { result = .success(try await LongWork.$current.withValue(progress) { try await work() }) } catch { result = .failure(error) }
        drawing.cancel()
        await drawing.value
        return try result.get()
    }

    /// As it stands in the terminal: `writing    [######                  ]  25 %  2,000 of 8,000`.
    static func text(_ state: LongWork.State) -> String {
        let name = state.part.isEmpty ? state.stage.rawValue : "\(state.stage.rawValue) \(state.part)"
        let head = name.count < 10 ? name + String(repeating: " ", count: 10 - name.count) : name
        guard state.total > 0 else { return "\(head) \(grouped(state.done))" }
        let filled = Int(state.thousandths) * barWidth / 1_000
        let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: barWidth - filled)
        let percent = String(state.thousandths / 10)
        return "\(head) [\(bar)] \(String(repeating: " ", count: max(0, 3 - percent.count)))\(percent) %  \(grouped(state.done)) of \(grouped(state.total))"
    }

    private static func line(_ progress: LongWork, _ ask: @Sendable () async -> JSONValue?) async -> String? {
        if let state = progress.state { return text(state) }
        guard let answer = await ask(), let stage = answer["stage"]?.string.flatMap({ LongWork.Stage(rawValue: $0) }) else { return nil }
        return text(
            LongWork.State(
                stage: stage, done: Int(answer["done"]?.int64 ?? 0), total: Int(answer["total"]?.int64 ?? 0), part: answer["part"]?.string ?? ""))
    }

    private static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: at))
            at -= 3
        }
        return digits
    }

    private static func show(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
