import ArgumentParser
import Foundation
import Web

struct WatchFolderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch-folder", abstract: "Take in CSV files that other systems drop into a folder.",
        discussion: """
            A file is moved to FOLDER/working while it is taken in, then to FOLDER/done, or to FOLDER/refused with its mistakes beside it. The same file again \
            writes nothing twice. Let other systems write under another name and rename to .csv, or not pause for 2 seconds while they write.
            """)

    /// Between two looks.
    static let pauseMs = 2_000

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Argument(help: "The folder.") var folder: String
    @Option(help: "What the files hold: sales or refunds, or another kind of kith import.") var kind: String = "sales"
    @Option(help: "The system that exports the files: rewardful, firstpromoter, partnerstack, tapfiliate or tolt.") var from: String?
    @Option(help: "The program of the sales (default: the only one).") var program: String?
    @Flag(help: "Take in what is there, and end: status 1 when a file was refused or waits.") var once = false

    func run() async throws {
        let isWell = try await plainly { () -> Bool in
            let path = Commands.absolute(folder)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
                throw Problem.notFound(detail: "There is no folder at \(path).")
            }
            let lock = try FolderLock(path)
            defer { lock.end() }
            let settings = try options.settings()
            let common = workspace.arguments + [
                ("kind", .text(kind)), ("from", from.map { .text($0) } ?? .null), ("program", program.map { .text($0) } ?? .null), ("dryRun", .boolean(false)),
            ]
            let watched = try WatchedFolder(URL(fileURLWithPath: path)) { file in
                try await Commands.write("import-file", .object(([("path", .text(file))] + common).map { JSONMember($0.0, $0.1) }), settings)
            }
            var told: Set<String> = []
            while true {
                let handled = try await watched.look(at: World.real().now())
                for one in handled {
                    // What waits is told once, not at every look.
                    let line = "\(one.name): \(one.outcome.rawValue): \(one.said)"
                    if one.outcome != .waits || told.insert(line).inserted { print(line) }
                }
                if once { return handled.allSatisfy { $0.outcome == .done || $0.outcome == .doneBefore } }
                try await Task.sleep(for: .milliseconds(Self.pauseMs))
            }
        }
        if !isWell { throw ExitCode.failure }
    }
}

/// One process watches a folder: two would take each other's half-done files up. It ends with the process.
struct FolderLock {
    private let descriptor: Int32

    init(_ folder: String) throws {
        descriptor = open(folder + "/.kith-watch", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Problem.badRequest(detail: "Nothing can be written in \(folder).") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Problem.conflict(code: "watched", detail: "Another kith watches \(folder).")
        }
    }

    func end() { close(descriptor) }
}
