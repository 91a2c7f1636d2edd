import ArgumentParser
import Foundation
import Ledger
import Persistence

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ledger", abstract: "The journal.", subcommands: [Export.self])

    enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, hledger }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write a workspace's journal to standard output, piece by piece.")

        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Option(help: "jsonl (one transaction a line) or hledger.") var format: Format = .jsonl

        func run() async throws {
            let choice = WorkspaceChoice(workspace)
            let format = format
            try await plainly {
                try await Commands.read(options.settings()) { stores in
                    try await stores.main.read { connection in
                        let workspace = try choice.find(on: connection).id.text
                        let output = StandardOutput()
                        switch format {
                        case .jsonl: try JournalExport.jsonLines(workspace: workspace, on: connection) { try output.write($0) }
                        case .hledger: try JournalExport.hledger(workspace: workspace, on: connection) { try output.write($0) }
                        }
                        try output.flush()
                    }
                }
            }
        }
    }
}

/// Standard output in larger pieces; a reader that went away ends the command with a plain sentence.
final class StandardOutput {
    static let bufferBytes = 64 * 1024

    struct Closed: Error, CustomStringConvertible {
        var description: String { "Standard output was closed before everything was written." }
    }

    private var buffer: [UInt8] = []

    func write(_ text: String) throws {
        buffer += Array(text.utf8)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    func flush() throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(buffer))
        } catch {
            throw Closed()
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
